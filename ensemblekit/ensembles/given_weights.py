"""Weights of members that the user gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array


def active_weights(weights: ArrayLike, members: list[tuple[str, Any]]) -> NDArray[np.float64]:
    """Given weights of the members that were not dropped.

    Parameters
    ----------
    weights : array-like of shape (n_members,)
        One for each member, dropped ones too.
    members : list of (str, estimator or "drop") tuples
        All members.

    Returns
    -------
    ndarray of shape (n_active_members,), float64
        Non-negative, not all zero.

    Raises
    ------
    ValueError
        If there are more or fewer weights than members, or weights that are negative or all zero.

    Examples
    --------
    >>> active_weights([1, 5, 3], [("a", object()), ("b", "drop"), ("c", object())])
    array([1., 3.])
    """
    given = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="weights")
    if given.shape != (len(members),):
        raise ValueError(f"weights has shape {given.shape}, but there are {len(members)} estimators: one for each.")
    active = np.asarray(given[[not isinstance(member, str) for _, member in members]], dtype=np.float64)
    if active.min() < 0 or active.sum() == 0:
        raise ValueError(f"weights must not be negative, and not all zero; got {active.tolist()}.")
    return active
