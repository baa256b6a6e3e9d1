"""One run in one folder at a time: a lock that the system itself takes back when a process ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from ensemblekit_reports.errors import UserError

LOCK = ".lock"

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        file.seek(1 << 30)  # far behind what is written, which others are to read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems know no locks: better no protection there than no run.
            return True
        return True


@contextmanager
def only_run_in(directory: Path) -> Iterator[None]:
    """Keep other runs out of a folder.

    The file stays when the run is over; what counts is whether a process holds it. So a run that was killed locks nobody
    out.

    Parameters
    ----------
    directory : Path
        Output folder, which is there.

    Raises
    ------
    UserError
        When another run has the folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, only_run_in(Path(folder)):
    ...     with only_run_in(Path(folder)):
    ...         pass
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: another run (process ..., since ...) is writing into ...
    """
    with (directory / LOCK).open("a+", encoding="utf-8") as file:
        if not _try_lock(file):
            file.seek(0)
            who = file.readline().strip() or "another process"
            raise UserError(f"another run ({who}) is writing into {directory}. Wait until it is over, or choose another folder with --out.")
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now().astimezone():%Y-%m-%d %H:%M}\n")
        file.flush()
        yield
