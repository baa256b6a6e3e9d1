"""The accuracy pass on one fold: every model that is still missing there, fitted, judged and stored.

All models of a fold run in one task, so that what they have in common is computed once: the preprocessing, and the
members that several ensembles share. Neither changes a result: both depend on the training fold and the seed alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.insights.keeping import keep_insight
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.member_cache import MemberCache
from ensemblekit_reports.running.predictions import predictions_file, to_parquet
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.record import record_of, step_of
from ensemblekit_reports.running.store import to_json
from ensemblekit_reports.running.thread_pools import thread_pools
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.model import Model


def run_fold(
    fold: Fold,
    models: list[tuple[Model, Path]],
    scratch: Path | None = None,
    begin: Callable[[int], None] | None = None,
    budget: Budget | None = None,
    write: Callable[[Path, bytes], None] = write_bytes,
) -> list[tuple[str, float]]:
    """Fit and judge models on one fold and store a cell for each.

    Parameters
    ----------
    fold : Fold
        The rows and the seed.
    models : list of (Model, Path)
        What to fit, and the file that each cell goes to.
    scratch : Path, optional
        Folder where members that several models have in common are kept while the fold lasts; without it they are fitted each
        time. It is the caller's to remove, who is still there when this process was killed.
    begin : callable, optional
        Told the position of each model before it is fitted.
    budget : Budget, optional
        What each may take. Who watches this process looks now and then; what has slipped through is seen here.
    write : callable, default=atomic.write_bytes
        Gets each file of a cell and its content; the record comes last.

    Returns
    -------
    list of (str, float)
        Name of each model and the seconds it took; the results are in the files.

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit_reports.studies.registry import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> fold = Fold(table, 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for kind in ("accuracy", "predictions"):
    ...         (Path(folder) / kind).mkdir()
    ...     [name for name, _ in run_fold(fold, [(REGISTRY["logistic"], Path(folder) / "accuracy" / "cell.json")])]
    ['logistic']
    """
    done = []
    with _scratch_for_one_fold(scratch) as folder, thread_pools().limit(limits=1):
        memory = MemberCache(folder) if folder else None
        prepared = Prepared(fold)
        for position, (model, file) in enumerate(models):
            if begin is not None:
                begin(position)
            record, predictions = run_cell(model, prepared, memory, _keeper(model, prepared, file))
            if budget is not None and record["status"] == "ok" and (over := budget.verdict(step_of(record))):
                record = record_of(fold, model, *over, seconds=record["seconds"]) | {"budget": asdict(budget)}
                predictions = None
            # The record comes last: where it is, the cell is finished.
            if predictions is not None:
                write(predictions_file(file), to_parquet(predictions))
            write(file, to_json(record))
            done.append((model.name, float(record["seconds"])))
    return done


def _keeper(model: Model, prepared: Prepared, file: Path) -> Callable[[Any], None] | None:
    """Let a fitted model tell about itself, on the first fold alone."""
    if (prepared.fold.repeat, prepared.fold.number, prepared.fold.share) != (0, 0, 1.0):
        return None
    return lambda fitted: keep_insight(prepared.subject(model.preprocessing, fitted), model.name, file)


@contextmanager
def _scratch_for_one_fold(scratch: Path | None) -> Iterator[str | None]:
    if scratch is None:
        yield None
        return
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        yield folder
