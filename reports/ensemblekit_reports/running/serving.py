"""The far end of `processes.py`: an interpreter with its libraries imported that forks for every job.

A job thus has a process of its own, which has seen no other, without waiting for imports. What it tells goes through one
pipe, a line each: ``ready``, ``pid N``, ``start N`` for each step, ``error TEXT``, and ``exit STATUS`` from the parent.
Where there is no fork, the interpreter is given one job and ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ensemblekit_reports.running.attempt import say

#: First line of a server that has imported everything.
READY = "ready"

Tell = Callable[[str], None]
Handle = Callable[[Path, Tell], None]


def serve(handle: Handle, prepare: Callable[[], None]) -> None:
    """Do the job that the command line names, or those whose files come in a line of input each, as JSON: names may hold anything.

    Parameters
    ----------
    handle : callable
        Does a job: gets its file, and a function that tells the other end a line.
    prepare : callable
        Imports what jobs will want.
    """
    # Models print what they like; replies go where no model writes.
    replies = os.dup(1)
    os.dup2(2, 1)

    def tell(line: str) -> None:
        os.write(replies, f"{line}\n".encode())

    _end_with_the_parent()
    if len(sys.argv) > 1:
        _do(handle, Path(json.loads(sys.argv[1])), tell)
    prepare()
    gc.collect()
    gc.freeze()
    tell(READY)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.setsid()
            _end_with_the_parent()
            _offer_to_the_kernel()
            _do(handle, Path(json.loads(line)), tell)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)  # what the job has left running
        tell(f"exit {status}")


def _do(handle: Handle, job: Path, tell: Tell) -> NoReturn:
    tell(f"pid {os.getpid()}")
    try:
        handle(job, tell)
    except BaseException as error:  # noqa: BLE001 - the other end is to know, whatever it is
        tell("error " + " ".join(_say(error).split())[:2000])
        os._exit(1)
    os._exit(0)


def _say(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return say(error)


def _end_with_the_parent() -> None:
    """Have the kernel end this process when its parent is gone, however it went; nothing of the kind is there but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _offer_to_the_kernel() -> None:
    """When memory runs out, this process is to go, and not the run that waits for it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
