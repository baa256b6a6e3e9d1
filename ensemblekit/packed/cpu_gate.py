"""Gate and linear experts: small matrix products with a softmax, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.compiled import compiled


@compiled
def linear_margins(row: Any, table: Any, out: Any) -> None:
    """Logits of one row: the intercepts in the last row of the table plus the weighted columns.

    Parameters
    ----------
    row : ndarray of float32, shape (d,)
        The row.
    table : ndarray of float64, shape (d + 1, m) or (1, m)
        Coefficients by column, intercepts last.
    out : ndarray of float64, shape (m,)
        Receives the logits.

    Examples
    --------
    >>> out = np.empty(1)
    >>> linear_margins(np.array([2.0], np.float32), np.array([[3.0], [1.0]]), out)
    >>> out
    array([7.])
    """
    columns, m = table.shape[0] - 1, table.shape[1]
    for c in range(m):
        out[c] = table[columns, c]
    for j in range(columns):
        value = np.float64(row[j])
        for c in range(m):
            out[c] += value * table[j, c]


@compiled
def softmax_in_place(p: Any) -> None:
    """Replace logits by their softmax; minus infinity becomes zero.

    Parameters
    ----------
    p : ndarray of float64, shape (m,)
        Logits, at least one of them finite.

    Examples
    --------
    >>> p = np.array([0.0, 0.0, -np.inf])
    >>> softmax_in_place(p)
    >>> p
    array([0.5, 0.5, 0. ])
    """
    top = p[0]
    for c in range(1, p.shape[0]):
        top = max(top, p[c])
    total = 0.0
    for c in range(p.shape[0]):
        p[c] = np.exp(p[c] - top)
        total += p[c]
    for c in range(p.shape[0]):
        p[c] /= total


@compiled
def keep_largest(p: Any, top_k: int) -> None:
    """Set all but the `top_k` largest logits to minus infinity; of equal ones the first stays.

    Parameters
    ----------
    p : ndarray of float64, shape (K,)
        Logits.
    top_k : int
        How many stay.

    Examples
    --------
    >>> p = np.array([1.0, 2.0, 2.0])
    >>> keep_largest(p, 1)
    >>> p
    array([-inf,   2., -inf])
    """
    left = 0
    for k in range(p.shape[0]):
        left += p[k] > -np.inf
    while left > top_k:
        worst = -1
        for k in range(p.shape[0]):
            if p[k] > -np.inf and (worst < 0 or p[k] <= p[worst]):
                worst = k
        p[worst] = -np.inf
        left -= 1
