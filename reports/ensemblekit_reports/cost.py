"""The cost pass: one job at a time, each in a fresh process with a clean environment and pinned threads."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from joblib import wrap_non_picklable_objects

from ensemblekit_reports.cells import Fold, column_groups
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.models import Model
from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.timing import READY

#: What a timed process inherits: enough to find files and libraries, nothing that tunes a library.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


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
    here = os.pathsep.join(str(Path(part or ".").resolve()) for part in sys.path)
    return kept | dict.fromkeys(_THREADS, str(threads)) | {"PYTHONPATH": here, "PYTHONHASHSEED": "0"}


class TimedProcesses:
    """A source of fresh processes, each of which measures one job.

    Where the system can fork, one interpreter imports the libraries and forks for each job; the child has fitted
    nothing before. Elsewhere every job starts an interpreter of its own.

    Parameters
    ----------
    threads : int
        Threads that a timed process may use.
    quick : bool
        Whether single-row calls are cut short.

    Examples
    --------
    >>> with TimedProcesses(threads=1, quick=True) as processes:
    ...     processes.threads
    1
    """

    def __init__(self, *, threads: int, quick: bool) -> None:
        self.threads = threads
        self.quick = quick
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ensemblekit-cost-")
        self._log: IO[bytes] = (Path(self._folder.name) / "log").open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()
        self._log.close()
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
            what `timing.measure` adds. NaN where nothing was measured.
        """
        job = self._write_job(model, fold)
        died = self._run(job)
        found: dict[str, Any] = {"reason": died} if died else json.loads(job.with_suffix(".answer").read_text(encoding="utf-8"))
        nothing: dict[str, Any] = dict.fromkeys((cost.name for cost in COSTS), np.nan)
        costs: dict[str, Any] = nothing | found.get("costs", {})
        return {
            "dataset": fold.table.name,
            "model": model.name,
            "repeat": fold.repeat,
            "fold": fold.number,
            "reason": found["reason"],
            "costs": costs,
        }

    def _write_job(self, model: Model, fold: Fold) -> Path:
        folder = Path(self._folder.name)
        job_file, arrays = folder / "job.json", folder / "table.npz"
        job_file.with_suffix(".answer").unlink(missing_ok=True)
        np.savez(arrays, X=fold.table.X, y=fold.table.y, tested=fold.tested)
        job: dict[str, Any] = {
            "arrays": str(arrays),
            "answer": str(job_file.with_suffix(".answer")),
            "kind": model.preprocessing,
            "columns": column_groups(fold.table),
            "seed": fold.seed,
            "threads": self.threads,
            "quick": self.quick,
        }
        if model.registered:
            job["model"] = model.name
        else:
            # A class from the caller's own script travels by value, as joblib sends it to its workers.
            factory = wrap_non_picklable_objects(model.factory, keep_wrapper=False)
            (folder / "estimator").write_bytes(pickle.dumps(factory))
            job["estimator"] = str(folder / "estimator")
        job_file.write_text(json.dumps(job), encoding="utf-8")
        return job_file

    def _run(self, job: Path) -> str:
        """Have a job done; return why its process died, or nothing."""
        status = self._ask_server(job) if hasattr(os, "fork") else self._run_alone(job)
        if status == 0 and job.with_suffix(".answer").exists():
            return ""
        return f"the timed process died ({_say_status(status)})"

    def _run_alone(self, job: Path) -> int:
        command = [sys.executable, "-m", "ensemblekit_reports.timing", str(job)]
        return subprocess.run(command, env=clean_environment(self.threads), stdout=self._log, stderr=self._log, check=False).returncode

    def _ask_server(self, job: Path) -> int:
        server = self._server or self._start_server()
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("the timing process was started without pipes")
        server.stdin.write(f"{job}\n")
        server.stdin.flush()
        reply = server.stdout.readline()
        if not reply:
            self._stop()
            return -signal.SIGKILL
        return os.waitstatus_to_exitcode(int(reply))

    def _start_server(self) -> subprocess.Popen[str]:
        server = subprocess.Popen(
            [sys.executable, "-m", "ensemblekit_reports.timing"],
            env=clean_environment(self.threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # Ctrl-C reaches the whole terminal group; the timed process ends when we end it.
            start_new_session=True,
        )
        self._server = server
        if server.stdout is None or server.stdout.readline().strip() != READY:
            said = (Path(self._folder.name) / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise UserError(f"the process that takes times does not start: {said[-1] if said else 'it says nothing'}")
        return server

    def _stop(self) -> None:
        if self._server is None:
            return
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.communicate()
        self._server = None


def _say_status(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        return f"{name}, often a sign of too little memory" if name == "SIGKILL" else name
    return f"exit status {status}"
