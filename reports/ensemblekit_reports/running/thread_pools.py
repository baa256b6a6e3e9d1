"""The libraries of this process that have threads of their own."""

from __future__ import annotations

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def thread_pools() -> ThreadpoolController:
    """Return the libraries of this process that have threads; to look for them takes longer than many a fit.

    Returns
    -------
    ThreadpoolController
        Of what was imported when it was first asked for. What comes later goes by the environment (`processes.pinned`).

    Examples
    --------
    >>> thread_pools() is thread_pools()
    True
    """
    return ThreadpoolController()
