"""How much memory a process has, with all that it has started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def memory_of(pid: int) -> float:
    """Return the memory of a process and of those that it, any thread of it, or its children started.

    A page that forks share counts once: each has its part of it (Pss). Where the system does not tell that, each has all
    that is resident.

    Parameters
    ----------
    pid : int
        Of a process; one that is gone has no memory.

    Returns
    -------
    float
        Bytes; zero where the system does not tell.

    Examples
    --------
    >>> memory_of(os.getpid()) > 1e6 or not Path("/proc/self/statm").exists()
    True
    """
    return _own_memory(pid) + sum(memory_of(child) for child in _children_of(pid))


def _own_memory(pid: int) -> float:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()
        return sum(float(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    with contextlib.suppress(OSError, AttributeError):
        return float(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # a process that has just ended
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # a thread that has just ended
                found += map(int, children.read_text(encoding="ascii").split())
    return found
