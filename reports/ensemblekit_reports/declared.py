"""What is declared before a run and used after it: metric, practical equivalence, seed."""

from __future__ import annotations

from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.quantities import QUANTITIES, metrics_of


def check_numbers(metric: str, rope: float, seed: int, task: str = "classification") -> None:
    """Refuse what is no metric, no size and no seed.

    Parameters
    ----------
    metric : str
        To be the name of one of the task's metrics.
    rope : float
        To be a number, not negative.
    seed : int
        To be not negative.
    task : str, default="classification"
        Of the study.

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
    names = [known.name for known in metrics_of(task)]
    if metric in QUANTITIES and QUANTITIES[metric].task not in {"", task}:
        raise UserError(f"{metric} is a metric of {QUANTITIES[metric].task}, and this is {task}: choose one of {', '.join(names)}.")
    if metric not in names:
        raise unknown_name("metric", metric, names)
    if not rope >= 0:
        raise UserError(f"rope must not be negative, got {rope}.")
    if seed < 0:
        raise UserError(f"seed must not be negative, got {seed}.")
