"""Several pairs compared at once: Holm's adjustment of their p values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that the chance of any false call among them stays at the level of one test.

    Parameters
    ----------
    p_values : sequence of float
        One for each compared pair; NaN where a pair could not be tested, which then counts for nothing.

    Returns
    -------
    list of float
        Adjusted values in the same order, NaN kept.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, float("nan"), 0.03])]
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.asarray(p_values, dtype=np.float64).copy()
    tested = ~np.isnan(adjusted)
    if tested.any():
        adjusted[tested] = _stepped(adjusted[tested])
    return [float(p) for p in adjusted]


def _stepped(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    # statsmodels' function, against which the tests hold this one, collects all garbage of the process at every call: a third of the time
    # that the report of twenty tables takes.
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
