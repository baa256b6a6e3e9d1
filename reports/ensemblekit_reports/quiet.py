"""Keep what libraries say away from the reader's terminal, but do not lose it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator


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
            with warnings.catch_warnings(record=True) as caught, _descriptors_to(output.fileno()):
                warnings.simplefilter("always")
                with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                    yield
        finally:
            said.update(f"{warning.category.__name__}: {_first_line(warning.message)}" for warning in caught)
            output.seek(0)
            said.update(line.strip()[:300] for line in output if line.strip())


def _first_line(message: object) -> str:
    return (str(message).strip().splitlines() or [""])[0][:300]


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
