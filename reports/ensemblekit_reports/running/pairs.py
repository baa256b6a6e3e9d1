"""The two stored records of a cell: its metrics and, where its fold is timed, its costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.running.metrics import judge
from ensemblekit_reports.running.pace import slowed_down
from ensemblekit_reports.running.predictions import predictions_file, read_predictions
from ensemblekit_reports.running.store import read_json

#: Metrics and costs, None for what is not there.
Pair = tuple[dict[str, Any] | None, dict[str, Any] | None]
#: Metrics of a point of a learning curve, and its part of the training rows.
Point = tuple[dict[str, Any], float]


def read_pair(directory: Path, accuracy: str, cost: str, task: str) -> Pair:
    """Read a cell; metrics that this version knows and the one that ran did not are computed from its predictions.

    Parameters
    ----------
    directory : Path
        Output folder.
    accuracy, cost : str
        Names of the two files; ``""`` for costs that are not measured on this fold.
    task : str
        Of the study.

    Returns
    -------
    accuracy, cost : dict or None
        A model that did not finish has no costs: those that are there are of an earlier run with more time.

    Examples
    --------
    >>> read_pair(Path("nowhere"), "cell.json", "", "classification")
    (None, None)
    """
    files = directory / "cells" / "accuracy" / accuracy, directory / "cells" / "cost" / (cost or ".none")
    measured, timed = (read_json(file) if file.exists() else None for file in files)
    if measured and measured["status"] != "ok":
        timed = None
    elif measured and any(known.name not in measured["metrics"] for known in metrics_of(task)):
        measured["metrics"] = judge(read_predictions(predictions_file(files[0]))) | measured["metrics"]
    return measured, timed


def with_pace(pairs: list[Pair]) -> list[Pair]:
    """Call costs contended, too, where the processor was slower than it was at its fastest in this run.

    Parameters
    ----------
    pairs : list of Pair
        All of the run; costs are changed in place.

    Returns
    -------
    list of Pair
        The same.

    Examples
    --------
    >>> with_pace([(None, {"costs": {"contended": False}})])
    [(None, {'costs': {'contended': False}})]
    """
    timed = [cost["costs"] for _, cost in pairs if cost]
    fastest = min((costs["pace_fastest_s"] for costs in timed if "pace_fastest_s" in costs), default=float("inf"))
    for costs in timed:
        if slowed_down(costs, fastest):
            costs["contended"] = True
    return pairs
