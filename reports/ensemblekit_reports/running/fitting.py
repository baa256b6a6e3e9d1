"""The far end of `fitters.py`: the models of one fold, fitted one after the other in a process of their own.

Started as ``python -m ensemblekit_reports.running.fitting``. Only this project writes jobs: they are pickles that the same run wrote a
moment before.
"""

from __future__ import annotations

import os
import pickle
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ensemblekit_reports.running.delivery import leave
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.processes import pinned
from ensemblekit_reports.running.serving import Tell, serve
from ensemblekit_reports.running.thread_pools import thread_pools
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.portable import Portable, from_portable
from ensemblekit_reports.studies.registry import import_models


class Job(NamedTuple):
    """What to fit.

    Attributes
    ----------
    table : Path
        Pickle of the table, which all jobs share.
    repeat, number, seed : int
        The fold and its seed.
    tested : ndarray of shape (n_rows,), bool
        Its test rows.
    share : float
        Part of the training rows to learn from.
    models : list of (Portable, Path)
        Each with the file of its cell.
    scratch : Path
        Where members that models have in common are kept, and where the files of cells are left (`delivery.py`).
    environment : dict of str to str or None
        Environment variables of the run that have changed since this process began; None for those that are gone.
    budget : Budget
        What each model may take.
    """

    table: Path
    repeat: int
    number: int
    seed: int
    tested: NDArray[Any]
    share: float
    models: list[tuple[Portable, Path]]
    scratch: Path
    environment: dict[str, str | None]
    budget: Budget


def fit(file: Path, tell: Tell) -> None:
    """Fit the models of a job and leave their cells in its folder.

    Parameters
    ----------
    file : Path
        Pickle of a `Job`.
    tell : callable
        Told of each model before it is fitted: step 0 is the first.
    """
    job: Job = pickle.loads(file.read_bytes())  # noqa: S301 - written by this very run, a moment ago
    _set_environment(job.environment)
    table = pickle.loads(job.table.read_bytes())  # noqa: S301
    models = [(from_portable(known), cell) for known, cell in job.models]
    fold = Fold(table, job.repeat, job.number, job.tested, job.seed, job.share)
    begin, write = lambda position: tell(f"start {position}"), partial(leave, job.scratch)
    run_fold(fold, models, job.scratch, begin, job.budget, write)


def _set_environment(changed: dict[str, str | None]) -> None:
    for name, value in (changed | pinned(1)).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def prepare() -> None:
    """Import what models need, and find the libraries that have threads, before there is a job."""
    import_models()
    thread_pools()


if __name__ == "__main__":
    serve(fit, prepare)
