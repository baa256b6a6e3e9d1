"""The cost pass: one job at a time, each in a fresh process with a clean environment and pinned threads."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.preprocessing import column_groups
from ensemblekit_reports.running.processes import ReadyProcess, pinned, say_status
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.own_code import by_value

#: What a timed process inherits: enough to find files and libraries, nothing that tunes a library.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")


def clean_environment(threads: int) -> dict[str, str]:
    """Return the environment of a timed process.

    Parameters
    ----------
    threads : int
        Threads that its libraries may use.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> clean_environment(1)["OMP_NUM_THREADS"]
    '1'
    """
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | pinned(threads) | {"PYTHONHASHSEED": "0"}


class TimedProcesses:
    """A source of fresh processes, each of which measures one job.

    Parameters
    ----------
    threads : int
        Threads that a timed process may use.
    quick : bool
        Whether single-row calls are cut short.
    budget : Budget, default=Budget()
        What the fit may take, and what all predictions together may take.
    scratch : Path, optional
        Where its working files are kept while it lasts; the system's folder for such files by default.
    energy : str, default=""
        Country for whose electricity energy is estimated too; ``""`` for none.

    Examples
    --------
    >>> with TimedProcesses(threads=1, quick=True) as processes:
    ...     processes.threads
    1
    """

    def __init__(self, *, threads: int, quick: bool, budget: Budget | None = None, scratch: Path | None = None, energy: str = "") -> None:
        self.energy = energy
        self.threads = threads
        self.quick = quick
        self.budget = budget or Budget()
        self._scratch = scratch.resolve() if scratch else None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ensemblekit-cost-", dir=self._scratch, ignore_cleanup_errors=True)
        self._process = ReadyProcess("ensemblekit_reports.running.timing", clean_environment(self.threads))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._process.stop()
        self._folder.cleanup()

    def measure(self, model: Model, fold: Fold) -> dict[str, Any]:
        """Measure a model on a fold.

        Parameters
        ----------
        model : Model
            What to fit and time.
        fold : Fold
            Training and test rows, and the seed.

        Returns
        -------
        dict
            Key, ``reason`` (empty if all went well) and ``costs``: one number for each of ``quantities.COSTS``, and
            what `timing.measure` adds, NaN where nothing was measured; ``budget``, where the process was ended before it was done.
        """
        job = self._write_job(model, fold)
        ended = self._process.run(job, self.budget.excess, weigh=bool(self.budget.megabytes))
        answer = job.with_suffix(".answer")
        found: dict[str, Any] = {"reason": ended.sentence or f"the timed process died ({say_status(ended.status)})"}
        if ended.status == 0 and answer.exists():
            found = json.loads(answer.read_text(encoding="utf-8"))
        ended_by = {} if ended.status == 0 and not ended.sentence else {"budget": asdict(self.budget)}
        nothing: dict[str, Any] = dict.fromkeys((cost.name for cost in COSTS), np.nan)
        costs: dict[str, Any] = nothing | found.get("costs", {})
        return {
            "dataset": fold.table.name,
            "model": model.name,
            "repeat": fold.repeat,
            "fold": fold.number,
            "reason": found["reason"],
            "costs": costs,
            **ended_by,
        }

    def _write_job(self, model: Model, fold: Fold) -> Path:
        folder = Path(self._folder.name)
        job_file, arrays = folder / "job.json", folder / "table.npz"
        job_file.with_suffix(".answer").unlink(missing_ok=True)
        content: dict[str, Any] = {"X": fold.table.X, "y": fold.table.y, "tested": fold.tested}
        if fold.table.weights is not None:
            content["weights"] = fold.table.weights
        if fold.table.groups is not None:
            content["groups"] = fold.table.groups
        np.savez(arrays, **content)
        job: dict[str, Any] = {
            "arrays": str(arrays),
            "answer": str(job_file.with_suffix(".answer")),
            "kind": model.preprocessing,
            "task": fold.table.task,
            "columns": column_groups(fold.table),
            "seed": fold.seed,
            "threads": self.threads,
            "quick": self.quick,
            "energy": self.energy,
        }
        if model.registered:
            job["model"] = model.name
        else:
            (folder / "estimator").write_bytes(by_value(model.factory))
            job["estimator"] = str(folder / "estimator")
        job_file.write_text(json.dumps(job), encoding="utf-8")
        return job_file
