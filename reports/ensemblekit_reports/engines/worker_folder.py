"""A worker's own folder for tables and working files, as long as the worker lives."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.lock import only_run_in

PREFIX = "ensemblekit-worker-"


@cache
def worker_folder() -> Path:
    """Return a folder of this process, which is removed when it ends; folders of killed ones are removed now.

    Returns
    -------
    Path

    Examples
    --------
    >>> worker_folder() == worker_folder()
    True
    """
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    stack = ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.enter_context(only_run_in(folder))
    atexit.register(stack.close)
    return folder


def remove_abandoned() -> None:
    """Remove folders that this user's killed workers left: nobody holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, UserError, AttributeError):  # gone, alive, or no owners on this system
            # A folder without a lock has only just been made.
            if folder.stat().st_uid != os.getuid() or not (folder / ".lock").exists():
                continue
            with only_run_in(folder):
                shutil.rmtree(folder, ignore_errors=True)
