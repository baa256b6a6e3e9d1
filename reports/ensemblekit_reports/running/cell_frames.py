"""The cells of a run as data frames: one row for each, keys first, then metrics and costs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ensemblekit_reports.quantities import COSTS, metrics_of
from ensemblekit_reports.results import KEY_COLUMNS
from ensemblekit_reports.running import energy
from ensemblekit_reports.running.pairs import Pair, Point
from ensemblekit_reports.studies.estimates import Estimates


def frame_of(pairs: list[Pair], task: str, estimates: Estimates) -> pd.DataFrame:
    """Lay out the finished cells of a run.

    Parameters
    ----------
    pairs : list of Pair
        Those without metrics are left out.
    task : str
        Of the study.
    estimates : Estimates
        Each adds a column; without any there is none.

    Returns
    -------
    DataFrame
        Columns as `results.Results.cells` has them.
    """
    finished = [(accuracy, cost) for accuracy, cost in pairs if accuracy]
    cells = _frame([_row(accuracy, cost, task) for accuracy, cost in finished], task)
    costs = [cost["costs"] if cost else {} for _, cost in finished]
    rows = [({name: cost.get(name) for name in energy.NAMES} if estimates.energy else {}) | estimates.prices(cost) for cost in costs]
    return cells.join(pd.DataFrame(rows, index=cells.index).astype("float64"))


def curve_frame(points: list[Point], pairs: list[Pair], task: str) -> pd.DataFrame | None:
    """Join the points of learning curves with the cells of the whole training folds, which are their last point.

    Parameters
    ----------
    points : list of (dict, float)
        Metrics of a cell, and its part of the training rows.
    pairs : list of Pair
        All cells of the study.
    task : str
        Of the study.

    Returns
    -------
    DataFrame or None
        With a column ``share``; None without points.

    Examples
    --------
    >>> curve_frame([], [], "classification") is None
    True
    """
    if not points:
        return None
    whole = [(accuracy, 1.0) for accuracy, _ in pairs if accuracy and accuracy["repeat"] == 0]
    return _frame([_row(accuracy, None, task) | {"share": share} for accuracy, share in (*points, *whole)], task)


def _row(accuracy: dict[str, Any], cost: dict[str, Any] | None, task: str) -> dict[str, Any]:
    costs = cost["costs"] if cost else {}
    facts = {name: accuracy[name] for name in (*KEY_COLUMNS, "status", "reason", "n_train", "n_test")}
    metrics = {metric.name: accuracy["metrics"].get(metric.name) for metric in metrics_of(task)}
    measured = {name: costs.get(name) for name in (*(c.name for c in COSTS), "predict_single_calls", "contended")}
    return facts | metrics | measured


def _frame(rows: list[dict[str, Any]], task: str) -> pd.DataFrame:
    numbers = dict.fromkeys((quantity.name for quantity in metrics_of(task) + COSTS), "float64")
    return pd.DataFrame(rows).astype(numbers | {"predict_single_calls": "Int64", "contended": "boolean"})
