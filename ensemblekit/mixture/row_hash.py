"""A hash of what a row holds: chance that belongs to the row and not to its place in the table.

Where rows are divided or drawn for, equal rows must fare alike, whatever stands beside them: a row of weight two is then two rows, and a
row that is asked about alone gets the answer that it gets in a batch. SplitMix64's finaliser scrambles the bits.

References
----------
G. L. Steele, D. Lea and C. H. Flood (2014). Fast splittable pseudorandom number generators. OOPSLA, 453-472.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ensemblekit.mixture.linear.namespaces import on_host

#: The step of SplitMix64: 2 to the 64 over the golden ratio, made odd.
_STEP = np.uint64(0x9E3779B97F4A7C15)


def row_hash(X: Any, y: NDArray[Any] | None = None) -> NDArray[np.uint64]:
    """Hash each row to 64 bits: sums of scrambled cells, in integers, so that no rounding enters.

    Cells of zero add nothing, so that a sparse matrix and an array of the same numbers agree.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        A DataFrame may hold any columns; otherwise numbers.
    y : ndarray of shape (n_samples,) or None, default=None
        Answers that belong to the content.

    Returns
    -------
    ndarray of uint64 of shape (n_samples,)

    Examples
    --------
    >>> first, second, third = row_hash(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))
    >>> bool(first == third), bool(first == second)
    (True, False)
    """
    digest = np.zeros(X.shape[0], np.uint64) if y is None else _scramble(on_host(y), X.shape[1])
    if sp.issparse(X):
        X = sp.csr_array(X)
        cells = _scramble(X.data, X.indices)
        running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(cells, dtype=np.uint64)])
        return _mix(digest + running[X.indptr[1:]] - running[X.indptr[:-1]], 0)
    if hasattr(X, "columns"):  # a DataFrame is here, so pandas is
        hashed = import_module("pandas").util.hash_pandas_object(X, index=False)
        return _mix(digest + hashed.to_numpy(dtype=np.uint64), 0)
    X = on_host(X)
    for j in range(X.shape[1]):
        digest += _scramble(X[:, j], j)
    return _mix(digest, 0)


def uniform(digest: NDArray[np.uint64], n: int, seed: int) -> NDArray[np.float64]:
    """Draw ``n`` numbers for each hash, the same whenever it comes.

    Parameters
    ----------
    digest : ndarray of uint64 of shape (n_samples,)
        What :func:`row_hash` gave.
    n : int
        Numbers for each.
    seed : int
        Not negative; another one draws other numbers.

    Returns
    -------
    ndarray of shape (n_samples, n)
        Strictly between 0 and 1.

    Examples
    --------
    >>> drawn = uniform(row_hash(np.arange(1000.0)[:, None]), 2, seed=0)
    >>> drawn.shape, bool(abs(drawn.mean() - 0.5) < 0.05)
    ((1000, 2), True)
    """
    seeded = _mix(digest ^ _mix(np.array([seed], np.uint64), 0), 0)
    words = np.stack([_mix(seeded, k) for k in range(n)], axis=1)
    return np.asarray(((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _scramble(cells: NDArray[Any], position: Any) -> NDArray[np.uint64]:
    cells = np.ascontiguousarray(cells, dtype=np.float64)
    return np.where(cells == 0, np.uint64(0), _mix(cells.view(np.uint64), position))  # minus zero is zero, too


def _mix(bits: NDArray[np.uint64], position: Any) -> NDArray[np.uint64]:
    """Scramble 64-bit words, differently at each position."""
    z = bits + _STEP * (np.uint64(1) + np.atleast_1d(np.asarray(position, dtype=np.uint64)))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed
