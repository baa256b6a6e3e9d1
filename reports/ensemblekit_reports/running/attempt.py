"""Let a model do its work, and have an answer whatever it does."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Found = TypeVar("Found")


def attempt(work: Callable[[], Found]) -> tuple[str, str, Found | None]:
    """Run what may raise anything, end its process, or leave a copy of it.

    Parameters
    ----------
    work : callable
        Of a model.

    Returns
    -------
    status, reason : str
        One of ``results.STATUSES``, and why if not well.
    found : object or None
        What it returned; None where it did not come so far.

    Examples
    --------
    >>> attempt(lambda: 1 / 0)
    ('failed', 'ZeroDivisionError: division by zero', None)
    """
    me = os.getpid()
    try:
        return "ok", "", work()
    except BaseException as error:  # noqa: BLE001 - a model may raise anything, and Ctrl-C is not for this process
        short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
        return "out-of-memory" if short else "failed", say(error), None
    finally:
        if os.getpid() != me:
            # The model has forked and let the copy return: one of us must not go on and write the same cells.
            with suppress(OSError):  # it may have closed even that
                os.write(2, b"the model left a copy of this process, which was ended\n")
            os._exit(1)


def say(error: BaseException) -> str:
    r"""Return an error as one line: its type and the first line of its text.

    Parameters
    ----------
    error : BaseException
        What a model raised.

    Returns
    -------
    str

    Examples
    --------
    >>> say(ValueError("no\nmore"))
    'ValueError: no'
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of a model's own may be broken, too
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:500]}" if lines else type(error).__name__
