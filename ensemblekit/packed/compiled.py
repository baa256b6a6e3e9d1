"""Compilation with numba, cached in the user's cache folder and never beside the sources."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from ensemblekit._extras import require

numba = require("numba", extra="fast", purpose="The packed engine on the CPU")
F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Folder for compiled code: one for each state of the engine's sources.

    numba notices a change in the file of the function that it loads, not in those that were inlined into it; so the
    folder is named after all of them.

    Returns
    -------
    Path
        Below ``$XDG_CACHE_HOME`` or ``~/.cache``; below the temporary folder when neither can be written.

    Examples
    --------
    >>> cache_folder().parent.name
    'ensemblekit'
    """
    sources = sorted(Path(__file__).parent.glob("c*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for root in (home, Path(tempfile.gettempdir()) / f"cache-{os.getuid() if hasattr(os, 'getuid') else 'user'}"):
        folder = root / "ensemblekit" / digest
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp()) / "ensemblekit" / digest


def compiled(function: F) -> F:
    """Compile on the first call, without the GIL, and keep the result on disk.

    Parameters
    ----------
    function : callable
        Within numba's nopython subset.

    Returns
    -------
    callable
        The compiled function.

    Examples
    --------
    >>> from ensemblekit.packed import cpu_gate  # its functions are decorated
    >>> cpu_gate.softmax_in_place.py_func.__name__
    'softmax_in_place'
    """
    # numba asks for the folder once, while it decorates, and only through its global setting.
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, numba.config.CACHE_DIR or str(cache_folder())
    try:
        return cast("F", numba.njit(function, cache=True, nogil=True))
    finally:
        numba.config.CACHE_DIR = before
