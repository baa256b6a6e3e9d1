"""What is measured: each metric and each cost, with its unit and the direction that is better.

The names are the columns of ``results.csv``; a cost carries its unit in its name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """One column of the results.

    Parameters
    ----------
    name : str
        Column name in ``results.csv``.
    label : str
        What a reader sees.
    higher_is_better : bool
        Direction.
    unit : str
        ``""`` for plain scores, else ``"s"``, ``"B"``, ``"rows/s"``.
    definition : str
        One sentence, shown beside the number.
    """

    name: str
    label: str
    higher_is_better: bool
    unit: str
    definition: str


METRICS = (
    Quantity("accuracy", "Accuracy", True, "", "Share of rows whose most probable class is the true one."),
    Quantity("balanced_accuracy", "Balanced accuracy", True, "", "Mean over classes of the share of its rows found."),
    Quantity("log_loss", "Log-loss", False, "", "Mean of -ln(probability given to the true class)."),
    Quantity("recall_macro", "Macro recall", True, "", "Unweighted mean of the recall of each class."),
    Quantity("f1_macro", "Macro F1", True, "", "Mean over classes of the harmonic mean of precision and recall."),
)

COSTS = (
    Quantity("fit_wall_s", "Fit time", False, "s", "Wall-clock seconds of one fit on the training fold, one thread."),
    Quantity("fit_cpu_s", "Fit CPU time", False, "s", "CPU seconds of the same fit."),
    Quantity("predict_single_p50_s", "One row, median", False, "s", "Median seconds to predict a single row."),
    Quantity("predict_single_p90_s", "One row, p90", False, "s", "90th percentile of the same seconds."),
    Quantity("predict_single_p99_s", "One row, p99", False, "s", "99th percentile of the same seconds."),
    Quantity("predict_rows_per_s_100", "Rows/s at 100", True, "rows/s", "Rows a second in batches of 100."),
    Quantity("predict_rows_per_s_10000", "Rows/s at 10,000", True, "rows/s", "Rows a second in batches of 10,000."),
    Quantity("fit_peak_bytes", "Fit memory", False, "B", "Peak resident memory during fit, above the warm process."),
    Quantity(
        "predict_peak_bytes",
        "Predict memory",
        False,
        "B",
        "Peak resident memory of predict, above the loaded model.",
    ),
    Quantity("size_bytes", "Size", False, "B", "Bytes of the pickled fitted pipeline."),
    Quantity("size_compressed_bytes", "Size, compressed", False, "B", "The same bytes after zlib at level 6."),
)

QUANTITIES = {quantity.name: quantity for quantity in METRICS + COSTS}
