"""What is declared before a run and used after it: metric, practical equivalence, seed."""

from __future__ import annotations

from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.quantities import METRICS


def check_numbers(metric: str, rope: float, seed: int) -> None:
    """Refuse what is no metric, no size and no seed.

    Parameters
    ----------
    metric : str
        To be a name in ``quantities.METRICS``.
    rope : float
        To be a number, not negative.
    seed : int
        To be not negative.

    Raises
    ------
    UserError
        When one of them is not.

    Examples
    --------
    >>> check_numbers("accuracy", 0.01, -1)
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: seed must not be negative, got -1.
    """
    names = [known.name for known in METRICS]
    if metric not in names:
        raise unknown_name("metric", metric, names)
    if not rope >= 0:
        raise UserError(f"rope must not be negative, got {rope}.")
    if seed < 0:
        raise UserError(f"seed must not be negative, got {seed}.")
