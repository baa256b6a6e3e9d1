"""What is declared before a run and used after it: metric, practical equivalence, seed."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.quantities import DEFAULT_METRICS, QUANTITIES, TASKS, metrics_of

#: Seeds of NumPy's generators have 32 bits.
MOST_SEED = 2**32 - 1


def check_numbers(metric: str, rope: float, seed: int, task: str = "classification") -> None:
    """Refuse what is no metric, no size and no seed.

    Parameters
    ----------
    metric : str
        To be the name of one of the task's metrics.
    rope : float
        To be a number, not negative.
    seed : int
        To be a seed of NumPy's, 0 .. 2**32 - 1.
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
    if seed > MOST_SEED:
        raise UserError(f"seed must be at most {MOST_SEED}, got {reprlib.repr(seed)}.")


def check_task(task: str) -> None:
    """Refuse what is no task.

    Parameters
    ----------
    task : str
        ``"classification"``, ``"regression"``, or ``""`` for whatever the answers are.

    Raises
    ------
    UserError
        When it is none of these.

    Examples
    --------
    >>> check_task("regresion")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown task 'regresion': did you mean 'regression'? Valid: classification, regression.
    """
    if task and task not in TASKS:
        raise unknown_name("task", task, TASKS)


def declared_metric(metric: str, task: str, n_tables: int) -> str:
    """Return the primary metric: the one that was named, or the task's own.

    Parameters
    ----------
    metric : str
        A name, or ``""``.
    task : str
        Of the study.
    n_tables : int
        Tables over which it is averaged.

    Raises
    ------
    UserError
        When it is no metric of the task, or is in the unit of each table's answers and there are several tables.

    Examples
    --------
    >>> declared_metric("", "regression", 3)
    'r2'
    """
    if not metric:
        return DEFAULT_METRICS[task]
    check_numbers(metric, 0.0, 0, task)
    if n_tables > 1 and QUANTITIES[metric].of_spread:
        raise UserError(
            f"{metric} is in the unit of each table's own answers, so it has no mean over {n_tables} tables: choose r2, or one table."
        )
    return metric


def declared_rope(rope: float | None, metric: str, spreads: Iterable[float]) -> float:
    """Return the region of practical equivalence: the one that was named, or the metric's own.

    Parameters
    ----------
    rope : float or None
        Half-width in units of the metric; None for the metric's own.
    metric : str
        Primary metric.
    spreads : iterable of float
        Standard deviation of the answers of each table of amounts, of which an error's own half-width is a share.

    Examples
    --------
    >>> declared_rope(None, "accuracy", []), declared_rope(None, "rmse", [200.0]), declared_rope(0.5, "rmse", [200.0])
    (0.01, 2.0, 0.5)
    """
    if rope is not None:
        return rope
    quantity, found = QUANTITIES[metric], list(spreads)
    if not (quantity.of_spread and found):
        return quantity.rope
    # A size that somebody might have named: two digits.
    return float(f"{quantity.rope * sum(found) / len(found):.2g}")
