"""The one call after a fit: collect what the model tells about itself, and keep it. Whatever goes wrong, the fit stands."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from ensemblekit.ensembles.base import BaseEnsemble
from ensemblekit.mixture.base import BaseMixture
from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.insights.ensemble import ensemble_insight
from ensemblekit_reports.insights.mixture import mixture_insight
from ensemblekit_reports.insights.plain import Insight
from ensemblekit_reports.insights.storing import insight_file, to_bytes
from ensemblekit_reports.insights.subject import Subject


def keep_insight(subject: Subject, model: str, cell: Path) -> None:
    """Collect an insight and write it beside the cell.

    Parameters
    ----------
    subject : Subject
        A fitted model of any kind; only mixtures and ensembles of this package tell anything.
    model : str
        Its name in the study.
    cell : Path
        File of its metrics.
    """
    # A missing insight is no reason to lose a fit: neither a model that answers oddly nor a disk that is full.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        insight = collect(subject, model)
        if insight is not None:
            write_bytes(insight_file(cell), to_bytes(insight))


def collect(subject: Subject, model: str) -> Insight | None:
    """Ask a fitted model about itself.

    Parameters
    ----------
    subject : Subject
        A fitted model.
    model : str
        Its name in the study.

    Returns
    -------
    MixtureInsight, EnsembleInsight or None
        None for a model that is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> collect(Subject(DummyClassifier(), bundled_table("iris"), np.arange(150) % 5 == 0, "passthrough"), "dummy") is None
    True
    """
    fitted: Any = subject.fitted
    if isinstance(fitted, BaseMixture):
        return mixture_insight(subject, model)
    return ensemble_insight(subject, model) if isinstance(fitted, BaseEnsemble) else None
