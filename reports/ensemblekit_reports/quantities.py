"""What is measured: each metric and each cost, with its unit and the direction that is better.

The names are the columns of ``results.csv``; a cost carries its unit in its name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: What the answers of a table are: classes, or amounts. All tables of a study have the same task.
TASKS = ("classification", "regression")


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
        ``""`` for plain scores, else ``"s"``, ``"B"``, ``"rows/s"``, ``"operations"``.
    definition : str
        One sentence, shown beside the number.
    task : str
        ``"classification"`` or ``"regression"`` for a metric, ``""`` for a cost.
    lowest, highest : float
        The values that it cannot pass.
    share : bool
        Whether it is a share, shown in per cent and compared in points.
    difference : str
        Unit of a difference of two scores that are no shares, such as ``"nats"``; ``""`` for none.
    rope : float
        Differences up to this size are taken not to matter where the study does not say otherwise.
    of_spread : bool
        Whether the score is in the unit of the answers, and ``rope`` therefore a share of their standard deviation.
    """

    name: str
    label: str
    higher_is_better: bool
    unit: str
    definition: str
    task: str = ""
    lowest: float = 0.0
    highest: float = math.inf
    share: bool = False
    difference: str = ""
    rope: float = math.nan
    of_spread: bool = False


def _share(name: str, label: str, definition: str, *, higher_is_better: bool = True) -> Quantity:
    return Quantity(name, label, higher_is_better, "", definition, "classification", highest=1.0, share=True, rope=0.01)


def _error(name: str, label: str, definition: str) -> Quantity:
    return Quantity(name, label, False, "", definition, "regression", rope=0.01, of_spread=True)


#: Bins of the expected calibration error, as Guo et al. have it.
CALIBRATION_BINS = 15

METRICS = (
    _share("accuracy", "Accuracy", "Share of rows whose most probable class is the true one."),
    _share("balanced_accuracy", "Balanced accuracy", "Mean over classes of the share of its rows found."),
    Quantity(
        "log_loss",
        "Log-loss",
        False,
        "",
        "Mean of -ln(probability given to the true class).",
        "classification",
        difference="nats",
        rope=0.01,
    ),
    _share("recall_macro", "Macro recall", "Unweighted mean of the recall of each class."),
    _share("f1_macro", "Macro F1", "Mean over classes of the harmonic mean of precision and recall."),
    Quantity(
        "brier",
        "Brier score",
        False,
        "",
        "Half the mean squared distance between the probabilities and the truth, between 0 and 1 (Brier 1950; with two classes the "
        "square of what the probability of the second is off).",
        "classification",
        highest=1.0,
        rope=0.005,
    ),
    _share(
        "ece",
        "Calibration error",
        f"How far the probability of the most probable class is off the share of such rows that are right: mean over {CALIBRATION_BINS} "
        "bins of equal width, weighted by their rows (top-label ECE of Guo et al. 2017). Biased upwards on few rows.",
        higher_is_better=False,
    ),
    Quantity(
        "r2",
        "R\N{SUPERSCRIPT TWO}",
        True,
        "",
        "Share of the variance of the answers that is explained: 1 is perfect, 0 is no better than their mean, and there is no worst.",
        "regression",
        lowest=-math.inf,
        highest=1.0,
        rope=0.01,
    ),
    _error("rmse", "RMSE", "Root of the mean squared error, in the unit of the answers."),
    _error("mae", "MAE", "Mean absolute error, in the unit of the answers."),
    _error("median_ae", "Median absolute error", "What half of the absolute errors do not pass, in the unit of the answers."),
)

COSTS = (
    Quantity("fit_wall_s", "Fit time", False, "s", "Wall-clock seconds of one fit on the training fold, one thread."),
    Quantity("fit_cpu_s", "Fit CPU time", False, "s", "CPU seconds of the same fit."),
    Quantity("predict_single_p50_s", "Time for one row", False, "s", "Median seconds to predict a single row."),
    Quantity("predict_single_p90_s", "Time for one row, p90", False, "s", "90th percentile of the same seconds."),
    Quantity("predict_single_p99_s", "Time for one row, p99", False, "s", "99th percentile of the same seconds."),
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
    Quantity(
        "compute_total",
        "Operations a row, all members",
        False,
        "operations",
        "Splits tested in trees and multiply-adds of linear parts for an average row if every member and expert ran; the same on every "
        "machine. Preprocessing is not counted.",
    ),
    Quantity(
        "compute_active", "Operations a row", False, "operations", "The same operations of those members and experts that run for a row."
    ),
    Quantity("node_visits_active", "Node visits", False, "operations", "Splits of trees among them."),
    Quantity("multiply_adds_active", "Multiply-adds", False, "operations", "Multiply-adds of linear parts among them."),
)

#: Only where a study asks for them, and never measured: the labels say so.
ESTIMATES = (
    Quantity("fit_energy_j", "Fit energy (estimate)", False, "J", "Joules of one fit, estimated by CodeCarbon from power and time."),
    Quantity(
        "fit_co2e_g", "Fit CO2e (estimate)", False, "g", "Grams of CO2 equivalents of the same joules, by a country's mean electricity."
    ),
    Quantity(
        "predict_energy_j", "Energy of 10,000 rows (estimate)", False, "J", "Joules to predict a batch of 10,000 rows, estimated alike."
    ),
    Quantity("fit_money", "Price of a fit (estimate)", False, "money", "Wall-clock time of one fit times the rate that the study gives."),
    Quantity(
        "predict_money",
        "Price of 10,000 rows (estimate)",
        False,
        "money",
        "Time to predict 10,000 rows in one batch times the rate that the study gives.",
    ),
)

QUANTITIES = {quantity.name: quantity for quantity in METRICS + COSTS + ESTIMATES}

#: Primary metric of a study that names none.
DEFAULT_METRICS = {"classification": "accuracy", "regression": "r2"}


def metrics_of(task: str) -> tuple[Quantity, ...]:
    """Return the metrics of a task, in the order in which they are shown.

    Parameters
    ----------
    task : str
        ``"classification"`` or ``"regression"``.

    Examples
    --------
    >>> [metric.name for metric in metrics_of("regression")]
    ['r2', 'rmse', 'mae', 'median_ae']
    """
    return tuple(metric for metric in METRICS if metric.task == task)
