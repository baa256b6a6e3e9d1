"""A folder for what is needed while something lasts: a call that keeps nothing, a dry run, a worker that fits the models of a fold."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.lock import LOCK, only_run_in

PREFIX = "ensemblekit-run-"


@contextmanager
def passing_folder() -> Iterator[Path]:
    """Make a folder and remove it when done; those that killed processes left are removed first.

    Examples
    --------
    >>> with passing_folder() as folder:
    ...     inside = folder.exists()
    >>> inside, folder.exists()
    (True, False)
    """
    _remove_abandoned()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name, only_run_in(Path(name)):
        folder = Path(name) / "files"  # beside the lock: a run in it locks its folder itself
        folder.mkdir()
        yield folder


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, UserError, AttributeError):  # gone, in use, or a system without owners
            # One without a lock has only just been made.
            if folder.stat().st_uid == os.getuid() and (folder / LOCK).exists():
                with only_run_in(folder):
                    shutil.rmtree(folder)
