"""The processes of the accuracy pass: as many as were asked for, each with models of one fold at a time.

A model may hang, eat all memory, end its process or crash it: the process is ended, the model gets a row that says why, and a
new process goes on with the models that are left.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pickle
import queue
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.delivery import Delivery
from ensemblekit_reports.running.fitting import Job
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.processes import Ended, ReadyProcess, Step, pinned, say_status
from ensemblekit_reports.running.record import record_of
from ensemblekit_reports.running.store import to_json
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.portable import to_portable
from ensemblekit_reports.tables.table import Table

Group = list[tuple[Model, Path]]

KILLED = -9


class Stopped(BaseException):
    """The run is over; what is not finished stays so."""


class Fitters:
    """Processes that fit models, shared by the threads that wait for them.

    Parameters
    ----------
    count : int
        How many.
    budget : Budget
        What each model may take on each fold.
    scratch : Path
        Folder for tables, jobs and members; what is in it is of no use when these processes are gone.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, Fitters(1, Budget(), Path(folder)) as fitters:
    ...     fitters.budget.seconds
    3600.0
    """

    def __init__(self, count: int, budget: Budget, scratch: Path) -> None:
        self.budget = budget
        self._scratch = scratch.resolve()
        self._count = count
        self._stopped = threading.Event()
        self._tables: dict[str, Path] = {}

    def __enter__(self) -> Self:
        self._all = [_take_or_start() for _ in range(self._count)]
        self._idle: queue.SimpleQueue[ReadyProcess] = queue.SimpleQueue()
        for process in self._all:
            self._idle.put(process)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for process in self._all:
            _keep_or_stop(process)

    def stop(self) -> None:
        """Let every `fit` that is under way end its process and raise `Stopped`, within a moment."""
        self._stopped.set()

    def share(self, tables: list[Table]) -> None:
        """Write tables where all processes find them; what is there is not written again."""
        for table in tables:
            key = hashlib.sha256(f"{table.name} {table.checksum}".encode()).hexdigest()
            file = self._tables[table.name] = self._scratch / f"table-{key[:32]}"
            if not file.exists():
                write_bytes(file, pickle.dumps(table, protocol=5))

    def fit(self, fold: Fold, group: Group) -> None:
        """Fit models on a fold, so that each has its cell in the end.

        Parameters
        ----------
        fold : Fold
            Of a table that was shared.
        group : list of (Model, Path)
            The models and the files of their cells.

        Raises
        ------
        UserError
            When a process does not start, or cells cannot be written.
        Stopped
            After `stop`.
        """
        process = self._idle.get()
        try:
            for part in _apart(group):
                left = part
                while left:
                    left = self._go_on(process, fold, left)
        finally:
            self._idle.put(process)

    def _go_on(self, process: ReadyProcess, fold: Fold, group: Group) -> Group:
        """Fit until a process ends; return the models that are left."""
        with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as folder:
            delivery = Delivery(Path(folder), [cell for _, cell in group])
            job = self._write_job(process, fold, group, Path(folder))
            ended = process.run(job, partial(self._judge, delivery), weigh=bool(self.budget.megabytes))
            went_well = ended.status == 0 and not ended.sentence
            delivery.take(len(group) if went_well else ended.step + 1)
        if went_well:
            return []
        if ended.step < 0:
            raise UserError(f"a process that fits models ended before it began ({say_status(ended.status)}): {process.last_words()}")
        model, cell = group[ended.step]
        if not cell.exists():
            status, reason = self._say(ended)
            record = record_of(fold, model, status, reason, seconds=ended.seconds) | {"budget": asdict(self.budget)}
            write_bytes(cell, to_json(record))
        return group[ended.step + 1 :]

    def _judge(self, delivery: Delivery, step: Step) -> str:
        delivery.take(step.number)  # what comes before the model that is being fitted
        if self._stopped.is_set():
            raise Stopped
        return self.budget.excess(step)

    def _say(self, ended: Ended) -> tuple[str, str]:
        if ended.sentence:
            over = self.budget.is_overtime(Step(ended.step, ended.seconds, 0.0))
            return "timeout" if over else "out-of-memory", ended.sentence
        reason = f"it ended its process ({say_status(ended.status)})"
        return "out-of-memory" if ended.status == KILLED else "failed", reason

    def _write_job(self, process: ReadyProcess, fold: Fold, group: Group, folder: Path) -> Path:
        models = [(to_portable(model), cell.resolve()) for model, cell in group]
        changed = process.changed_since(os.environ | pinned(1))
        job = Job(
            self._tables[fold.table.name],
            fold.repeat,
            fold.number,
            fold.seed,
            fold.tested,
            fold.share,
            models,
            folder,
            changed,
            self.budget,
        )
        file = folder / "job"
        file.write_bytes(pickle.dumps(job))
        return file


def _apart(group: Group) -> list[Group]:
    """Divide models by who may have a process together: those that are known. Anybody else's may change it for the next."""
    known = [pair for pair in group if not pair[0].foreign]
    return [known, *([pair] for pair in group if pair[0].foreign)]


#: Idle processes of earlier runs, by where and with what they were started: imports take longer than many a fit.
_kept: dict[str, list[ReadyProcess]] = {}


def _surroundings() -> str:
    return repr((str(Path.cwd()), pinned(1)))


def _take_or_start() -> ReadyProcess:
    kept = _kept.setdefault(_surroundings(), [])
    with suppress(IndexError):  # no more; another thread may have taken the last
        while not (process := kept.pop()).is_idle():
            process.stop()
        return process
    process = ReadyProcess("ensemblekit_reports.running.fitting", os.environ | pinned(1))
    process.start()
    return process


def _keep_or_stop(process: ReadyProcess) -> None:
    if process.is_idle():
        _kept.setdefault(_surroundings(), []).append(process)
    else:
        process.stop()


@atexit.register
def _stop_all() -> None:
    for processes in _kept.values():
        for process in processes:
            process.stop()
