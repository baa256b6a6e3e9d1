"""Keep what libraries say away from the reader's terminal, but do not lose it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

#: Different messages that are kept; who writes more would fill the memory.
MOST_DIFFERENT = 10_000


@contextlib.contextmanager
def collected(said: Counter[str]) -> Iterator[None]:
    """Collect warnings and everything written to stdout and stderr, by Python or by compiled code.

    Parameters
    ----------
    said : Counter of str
        Receives each line or warning, with the number of times it came.

    Examples
    --------
    >>> said = Counter()
    >>> with collected(said):
    ...     print("Training until validation scores stop improving")
    ...     warnings.warn("lbfgs failed to converge", stacklevel=1)
    >>> sorted(said)
    ['Training until validation scores stop improving', 'UserWarning: lbfgs failed to converge']
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            with warnings.catch_warnings(record=True) as caught, _descriptors_to(output.fileno()), _streams_to(output.fileno()):
                warnings.simplefilter("always")
                yield
        finally:
            said.update(f"{warning.category.__name__}: {_first_line(warning.message)}" for warning in caught)
            output.seek(0)
            # In pieces: somebody's progress bar may be one line of many megabytes.
            _count((piece.strip()[:300] for piece in iter(partial(output.readline, 10_000), "")), said)


def _count(lines: Iterable[str], said: Counter[str]) -> None:
    for line in filter(None, lines):
        if line in said or len(said) < MOST_DIFFERENT:
            said[line] += 1


def _first_line(message: object) -> str:
    return (str(message).strip().splitlines() or [""])[0][:300]


@contextlib.contextmanager
def _streams_to(target: int) -> Iterator[None]:
    """Point Python's streams elsewhere, through a file of their own: what prints there may close it."""
    stream = os.fdopen(os.dup(target), "w", encoding="utf-8", errors="replace")
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
    finally:
        with contextlib.suppress(OSError):  # its descriptor may be closed, or its disk full
            stream.close()


@contextlib.contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    """Point file descriptors 1 and 2 elsewhere: compiled code does not ask `sys.stdout`."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    try:
        for descriptor, _ in saved:
            os.dup2(target, descriptor)
        yield
    finally:
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
