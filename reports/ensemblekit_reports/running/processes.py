"""Jobs in processes of their own, watched: how long a step takes, how much memory it has, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.process_memory import memory_of
from ensemblekit_reports.running.serving import READY

#: Seconds between two looks at a job.
PATIENCE = 0.1
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


class Step(NamedTuple):
    """What a job is doing.

    Attributes
    ----------
    number : int
        Step that it told of last.
    seconds : float
        Since that step began.
    grown_bytes : float
        Memory of the job and its children above what it was then; zero where nobody asked, or the system does not tell.
    """

    number: int
    seconds: float
    grown_bytes: float


class Ended(NamedTuple):
    """How a job ended.

    Attributes
    ----------
    status : int
        Exit status; minus the signal where one ended it.
    sentence : str
        Why it was ended by us; empty if it was not.
    step : int
        Last step that it had begun; -1 if none.
    seconds : float
        Since then.
    """

    status: int
    sentence: str
    step: int
    seconds: float


Judge = Callable[[Step], str]


def pinned(threads: int) -> dict[str, str]:
    """Return the environment variables of a process whose libraries use so many threads, and which imports as this one does.

    Parameters
    ----------
    threads : int
        At least one.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> pinned(1)["OMP_NUM_THREADS"]
    '1'
    """
    here = os.pathsep.join(str(Path(part or ".").resolve()) for part in sys.path)
    return dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": here}


class ReadyProcess:
    """An interpreter that waits for jobs, with `serving.serve` at its other end.

    Start it in the thread that outlives it: on Linux it ends with that thread.

    Parameters
    ----------
    module : str
        To be run with ``python -m``.
    environment : mapping of str to str
        All that it inherits.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-P", "-m", module]  # -P: no code from the folder that the run was started in
        self._environment = dict(environment)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `stop` closes it
        self._forks = hasattr(os, "fork")
        self._process: subprocess.Popen[str] | None = None
        self._is_ready = False
        self._job_pid = 0
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to import, without waiting for it; done by `run` too."""
        if self._process is None and self._forks:
            self._spawn()

    def run(self, job: Path, judge: Judge, *, weigh: bool) -> Ended:
        """Have a job done.

        Parameters
        ----------
        job : Path
            Its file, in words that the module understands.
        judge : callable
            Asked several times a second; a sentence instead of nothing ends the job for that reason. What it raises ends
            the job too, and is raised.
        weigh : bool
            Whether it wants to know of memory: to look takes 12 ms for each gigabyte.

        Returns
        -------
        Ended

        Raises
        ------
        UserError
            When the process does not start, or the job says that it went wrong by itself.
        """
        try:
            self._begin(job)
            return self._watch(judge, weigh=weigh)
        except BaseException:
            self.stop()
            raise

    def changed_since(self, now: Mapping[str, str]) -> dict[str, str | None]:
        """Return the environment variables that are not what the process was started with; None for those that are gone."""
        changed: dict[str, str | None] = {name: value for name, value in now.items() if self._environment.get(name) != value}
        return changed | dict.fromkeys(self._environment.keys() - now.keys())

    def is_idle(self) -> bool:
        """Whether the process is there and could do another job."""
        return self._job_pid == 0 and self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line that the process or a job wrote to stderr."""
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it says nothing"

    def stop(self) -> None:
        """End the process, and the job if one runs, for good."""
        self._kill_job()
        if self._process is not None:
            self._process.kill()
            self._forget()
        self._log.close()

    def _spawn(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # Ctrl-C reaches the whole terminal group; this process ends when we end it.
            start_new_session=True,
        )
        self._process, self._is_ready, self._lines = process, False, queue.SimpleQueue()
        threading.Thread(target=_read_lines, args=(process.stdout, self._lines), daemon=True).start()
        return process

    def _forget(self) -> int:
        """Wait for the process, which is ending; return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 1
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process.wait()

    def _begin(self, job: Path) -> None:
        if not self._forks:
            self._spawn(json.dumps(str(job)))
            return
        process = self._process or self._spawn()
        if not self._is_ready:
            self._await_ready()
        if process.stdin is None:
            raise RuntimeError("the process was started without a pipe")
        with contextlib.suppress(BrokenPipeError):  # then its answer is that it is gone
            process.stdin.write(f"{json.dumps(str(job))}\n")
            process.stdin.flush()

    def _await_ready(self) -> None:
        self._is_ready = self._lines.get().strip() == READY
        if not self._is_ready:
            raise UserError(f"the process that runs models does not start: {self.last_words()}")

    def _watch(self, judge: Judge, *, weigh: bool) -> Ended:
        step, since, before, sentence, complaint = -1, time.monotonic(), 0.0, "", ""
        while True:
            line = self._next_line()
            match (line or "wait").split():
                case ["pid", number]:
                    self._job_pid = int(number)
                case ["start", number] if not sentence:  # what is being ended begins nothing
                    step, since, before = int(number), time.monotonic(), self._weight(weigh=weigh)
                case ["error", *words]:
                    complaint = " ".join(words)
                case ["exit", number]:
                    status = os.waitstatus_to_exitcode(int(number))
                    break
                case ["gone"]:
                    status = self._forget()
                    break
            seconds = time.monotonic() - since
            if not sentence and (sentence := judge(Step(step, seconds, self._weight(weigh=weigh) - before))):
                self._kill_job()
        self._job_pid = 0
        if complaint and not sentence:
            raise UserError(f"{complaint}. Finished cells are kept.")
        return Ended(status, sentence, step, time.monotonic() - since)

    def _next_line(self) -> str:
        try:
            return self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            return ""

    def _weight(self, *, weigh: bool) -> float:
        return memory_of(self._job_pid) if weigh else 0.0

    def _kill_job(self) -> None:
        if self._job_pid:
            _kill(self._job_pid)
        elif self._process is not None and not self._forks:
            self._process.kill()


def _read_lines(pipe: IO[str] | None, lines: queue.SimpleQueue[str]) -> None:
    if pipe is not None:
        with pipe:
            for line in pipe:
                lines.put(line)
    lines.put("gone")


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def say_status(status: int) -> str:
    """Say how a process ended.

    Parameters
    ----------
    status : int
        Exit status, or minus the number of a signal.

    Returns
    -------
    str

    Examples
    --------
    >>> say_status(-9), say_status(3), say_status(-32)
    ('SIGKILL, often a sign of too little memory', 'exit status 3', 'signal 32')
    """
    if status >= 0:
        return f"exit status {status}"
    known = {int(each): each.name for each in signal.Signals}
    name = known.get(-status, f"signal {-status}")
    return f"{name}, often a sign of too little memory" if name == "SIGKILL" else name
