"""What experts cost and how much they may cost together, as a caller says it."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: What sums may add to a cost that meets the budget exactly, as a share of it.
_ROUNDING = 1e-9


def prices(n_experts: int, costs: ArrayLike) -> NDArray[np.float64]:
    """Check the cost of each expert.

    Parameters
    ----------
    n_experts : int
    costs : array-like of shape (n_experts,)
        In any unit.

    Returns
    -------
    ndarray of shape (n_experts,)

    Raises
    ------
    ValueError
        For another number of them, or what is negative, infinite or no number.

    Examples
    --------
    >>> prices(2, [1, 3])
    array([1., 3.])
    """
    try:
        price = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError):
        price = np.empty(0)
    if price.shape != (n_experts,) or not np.all((price >= 0) & np.isfinite(price)):
        raise ValueError(f"costs must hold a finite number that is not negative for each of {n_experts} experts; got {costs!r}.")
    return price


def check_budget(max_cost: Any, meaning: str) -> float:
    """Check a budget.

    Parameters
    ----------
    max_cost : float
        May be infinite.
    meaning : str
        What it is a budget for, for the error.

    Returns
    -------
    float
        The most that a sum of costs may be: the budget, and what rounding may add to a sum that meets it exactly.

    Raises
    ------
    ValueError
        For NaN.
    TypeError
        For what is no number.

    Examples
    --------
    >>> 0.1 + 0.2 <= check_budget(0.3, "the cost of all experts")
    True
    >>> check_budget("3", "the cost of all experts")
    Traceback (most recent call last):
    TypeError: max_cost must be a number, the cost of all experts; got '3'.
    """
    if isinstance(max_cost, bool) or not isinstance(max_cost, Real):
        raise TypeError(f"max_cost must be a number, {meaning}; got {max_cost!r}.")
    if math.isnan(max_cost):
        raise ValueError(f"max_cost must be a number, {meaning}; got NaN.")
    return float(max_cost) * (1 + _ROUNDING)
