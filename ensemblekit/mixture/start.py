"""Where a fit begins: nothing is drawn per row, so that a row of weight two and two equal rows begin alike.

Random directions are drawn in parameter space; on a long table the first, rough climbs use a part of it that the rows' own content
selects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.linear.namespaces import beside, namespace
from ensemblekit.mixture.row_hash import row_hash

#: Rows that are enough to rank starts; longer tables are thinned to about so many.
ROWS_TO_START = 10_000

Float = NDArray[np.float64]


def thin(X: Any, y: NDArray[Any], n_rows: int = ROWS_TO_START) -> NDArray[np.intp] | None:
    """Choose about ``n_rows`` rows by a hash of their content: equal rows are kept or left out together.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Part of the content.
    n_rows : int
        How many rows are wanted.

    Returns
    -------
    ndarray of int or None
        Row indices; None where the table has fewer than twice ``n_rows`` rows and is best used whole.

    Examples
    --------
    >>> X = np.repeat(np.arange(50.0), 2)[:, None]
    >>> rows = thin(X, np.zeros(100), n_rows=20)
    >>> bool(np.all(X[rows[::2]] == X[rows[1::2]]))  # pairs stay together
    True
    """
    if X.shape[0] < 2 * n_rows:
        return None
    digest = row_hash(X, y)
    return np.flatnonzero(digest <= np.partition(digest, n_rows - 1)[n_rows - 1])


def fold_of(X: Any, y: NDArray[Any], n_folds: int) -> NDArray[np.intp]:
    """Assign rows to folds by a hash of their content: equal rows fall into the same fold.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        A DataFrame may hold any columns.
    y : ndarray of shape (n_samples,)
    n_folds : int

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Fold numbers, 0 .. n_folds - 1; folds are of nearly equal size where rows differ.

    Examples
    --------
    >>> folds = fold_of(np.repeat(np.arange(50.0), 2)[:, None], np.zeros(100), 5)
    >>> bool(np.all(folds[::2] == folds[1::2]))
    True
    """
    digest = row_hash(X, y)
    _, rank = np.unique(digest, return_inverse=True)
    return np.asarray(rank % n_folds, dtype=np.intp)


def random_gate(X: Any, sample_weight: Float, n_experts: int, rng: np.random.Generator, sharpness: float = 2.0) -> Float:
    """Responsibilities of a softmax gate with random directions: a first division of the table into soft regions.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        Standardised columns.
    sample_weight : ndarray of shape (n_samples,)
    n_experts : int
    rng : numpy.random.Generator
    sharpness : float
        Standard deviation of each gate logit over the table.

    Returns
    -------
    ndarray of shape (n_samples, n_experts)
        Rows sum to one.

    Examples
    --------
    >>> R = random_gate(np.eye(3), np.ones(3), 2, np.random.default_rng(0))
    >>> bool(np.allclose(R.sum(axis=1), 1))
    True
    """
    logits = X @ beside(rng.normal(size=(X.shape[1], n_experts)), X)
    xp = namespace(logits)
    share = sample_weight / xp.sum(sample_weight)
    logits = logits - share @ logits
    spread = xp.sqrt(share @ xp.square(logits))
    logits = logits * (sharpness / xp.where(spread > 0, spread, xp.ones_like(spread)))
    proba = xp.exp(logits - xp.max(logits, axis=1, keepdims=True))
    result: Float = proba / xp.sum(proba, axis=1, keepdims=True)
    return result
