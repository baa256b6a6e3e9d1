"""What a cell's file says: key, status and reason, sizes, metrics, and what the cell took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.processes import Step
from ensemblekit_reports.studies.model import Model


def record_of(fold: Fold, model: Model, status: str, reason: str, *, seconds: float, grown_bytes: float = np.nan) -> dict[str, Any]:
    """Write what is known of a model on a fold without its predictions.

    Parameters
    ----------
    fold : Fold
        Where.
    model : Model
        Who.
    status, reason : str
        How it went: one of ``results.STATUSES``, and why if not well.
    seconds : float
        What it took.
    grown_bytes : float, default=NaN
        Memory that its process had at the most above what it had before; NaN if not known.

    Returns
    -------
    dict
        A whole record, in which every metric is NaN.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> fold = Fold(bundled_table("iris"), 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> record_of(fold, REGISTRY["logistic"], "timeout", "it hangs", seconds=9.0)["n_train"]
    120
    """
    return {
        "dataset": fold.table.name,
        "model": model.name,
        "repeat": fold.repeat,
        "fold": fold.number,
        "status": status,
        "reason": reason,
        "n_train": len(fold.train),
        "n_test": int(fold.tested.sum()),
        "metrics": dict.fromkeys((metric.name for metric in metrics_of(fold.table.task)), np.nan),
        "seconds": seconds,
        "grown_bytes": grown_bytes,
        "said": {},
    }


def step_of(record: Mapping[str, Any]) -> Step:
    """Return what a finished cell has taken; what is not known as nothing.

    Parameters
    ----------
    record : mapping
        Of a cell, perhaps read back: JSON has null for what is not known.

    Examples
    --------
    >>> step_of({"seconds": 2.0, "grown_bytes": None})
    Step(number=0, seconds=2.0, grown_bytes=0.0)
    """
    return Step(0, record.get("seconds") or 0.0, record.get("grown_bytes") or 0.0)
