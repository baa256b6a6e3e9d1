"""A table whose answers change at right angles: the home ground of trees, and no place for linear rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ensemblekit.datasets.regimes import DECIMALS


def make_boxes_classification(
    n_samples: int = 1000, n_features: int = 6, *, depth: int = 4, noise: float = 0.1, random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw a table from a random tree: each split halves its rows on some column, and sister leaves answer differently.

    A linear rule finds little in it, and a mixture of linear rules would need about as many experts as there are leaves.

    Parameters
    ----------
    n_samples : int, default=1000
        Rows.
    n_features : int, default=6
        Columns.
    depth : int, default=4
        Splits above each leaf, at least 1: there are ``2**depth`` boxes.
    noise : float, default=0.1
        Share of answers that are turned around, between 0 and 0.5.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        Uniform on [0, 1), rounded to 4 decimals.
    y : ndarray of shape (n_samples,), int64
        0 or 1.

    Raises
    ------
    ValueError
        When there are too few columns, rows or splits, or the noise is out of range.

    Examples
    --------
    >>> X, y = make_boxes_classification(32, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((32, 6), [0, 1])
    """
    if n_features < 1 or depth < 1 or n_samples < 2**depth:
        raise ValueError(f"needs a column, a split, and a row for each of the {2**depth} boxes; got {n_features}, {depth}, {n_samples}.")
    if not 0 <= noise <= 0.5:
        raise ValueError(f"noise must lie between 0 and 0.5, got {noise}.")
    random = check_random_state(random_state)
    X = random.uniform(size=(n_samples, n_features)).round(DECIMALS)
    y = np.zeros(n_samples, dtype=np.int64)
    _grow(random, X, y, np.arange(n_samples), depth)
    turned = random.uniform(size=n_samples) < noise
    return X, np.where(turned, 1 - y, y)


def _grow(random: np.random.RandomState, X: NDArray[np.float64], y: NDArray[np.int64], rows: NDArray[np.intp], depth: int) -> None:
    values = X[rows, random.randint(X.shape[1])]
    low, high = rows[values <= np.median(values)], rows[values > np.median(values)]
    if depth == 1:
        y[high] = 1
        return
    _grow(random, X, y, low, depth - 1)
    _grow(random, X, y, high, depth - 1)
