"""Which of several models no other one beats on two counts at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(losses: ArrayLike, costs: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points no other point is at least as good as in both, and better than in one.

    Parameters
    ----------
    losses, costs : array-like of shape (n_points,)
        Lower is better; a point with a NaN is not on the front and beats no other.

    Returns
    -------
    ndarray of shape (n_points,), bool

    Examples
    --------
    >>> pareto_front([0.3, 0.1, 0.2], [1.0, 5.0, 9.0])
    array([ True,  True, False])
    """
    loss, cost = np.asarray(losses, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    no_worse = (loss[:, None] <= loss) & (cost[:, None] <= cost)
    better = (loss[:, None] < loss) | (cost[:, None] < cost)
    beaten = np.any(no_worse & better, axis=0)
    front: NDArray[np.bool_] = ~beaten & ~np.isnan(loss) & ~np.isnan(cost)
    return front
