"""Gate and linear experts: small matrix products with a softmax, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.compiled import compiled
from ensemblekit.packed.gates import FLOOR

ADDITIVE = 3


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


@compiled
def gate_logits(row: Any, given: Any, gate: Any, branches: Any, out: Any) -> None:
    """Logits of one row for every expert.

    Parameters
    ----------
    row : ndarray of float32, shape (d,)
        The row.
    given : ndarray of float64, shape (K,) or (0,)
        Probabilities that a classifier gave the experts; then nothing else is looked at.
    gate : tuple
        ``(gate, gate_node, gate_path, gate_mean, gate_factor, gate_offset)`` of a packed model.
    branches : ndarray of float64, shape (M,)
        Room to work.
    out : ndarray of float64, shape (K,)
        Receives the logits.

    Examples
    --------
    >>> table, index, no_mean = np.zeros((1, 2)), np.zeros(2, np.int32), np.empty((0, 1))
    >>> gate = (table, index, np.array([[0], [1]], np.int32), no_mean, np.empty((0, 1, 1)), np.array([0.5, 0.0]))
    >>> out = np.empty(2)
    >>> gate_logits(np.zeros(1, np.float32), np.empty(0), gate, np.empty(2), out)
    >>> out
    array([0.5, 0. ])
    """
    table, node, path, mean, factor, offset = gate
    n_experts = out.shape[0]
    if given.shape[0]:
        for k in range(n_experts):
            out[k] = np.log(max(given[k], FLOOR)) + offset[k]
        return
    linear_margins(row, table, branches)
    for k in range(mean.shape[0]):
        branches[k] -= 0.5 * squared_distance(row, mean[k], factor[k])
    if path.shape[1] > 1:
        normalise_nodes(branches, node)
    for k in range(n_experts):
        out[k] = offset[k]
        for level in range(path.shape[1]):
            out[k] += branches[path[k, level]]


@compiled
def squared_distance(row: Any, mean: Any, factor: Any) -> float:
    """Squared length of ``(row - mean) @ factor``.

    Parameters
    ----------
    row : ndarray of float32, shape (d,)
        The row.
    mean : ndarray of float64, shape (d,)
        The centre.
    factor : ndarray of float64, shape (d, d), or (1, d) for a diagonal
        Whitening matrix.

    Returns
    -------
    float
        In squared standard deviations.

    Examples
    --------
    >>> squared_distance(np.array([3.0, 0.0], np.float32), np.array([1.0, 0.0]), np.array([[0.5, 1.0]]))
    1.0
    """
    total = 0.0
    if factor.shape[0] == 1:
        for j in range(mean.shape[0]):
            z = (np.float64(row[j]) - mean[j]) * factor[0, j]
            total += z * z
        return total
    for c in range(factor.shape[1]):
        z = 0.0
        for j in range(mean.shape[0]):
            z += (np.float64(row[j]) - mean[j]) * factor[j, c]
        total += z * z
    return total


@compiled
def normalise_nodes(branches: Any, node: Any) -> None:
    """Replace the logits of each node by their log-softmax.

    Parameters
    ----------
    branches : ndarray of float64, shape (M,)
        Logits; those of a node lie side by side.
    node : ndarray of int32, shape (M,)
        Node of each.

    Examples
    --------
    >>> branches = np.zeros(3)
    >>> normalise_nodes(branches, np.array([0, 0, 1]))
    >>> np.exp(branches)
    array([0.5, 0.5, 1. ])
    """
    first = 0
    while first < branches.shape[0]:
        stop = first + 1
        top = branches[first]
        while stop < branches.shape[0] and node[stop] == node[first]:
            top = max(top, branches[stop])
            stop += 1
        total = 0.0
        for m in range(first, stop):
            total += np.exp(branches[m] - top)
        for m in range(first, stop):
            branches[m] -= top + np.log(total)
        first = stop


@compiled
def route(p: Any, top_k: int, threshold: float, mode: int, precision: Any) -> None:
    """Turn a row's logits into the weights of the experts that run; the others get zero.

    Parameters
    ----------
    p : ndarray of float64, shape (K,)
        Logits; receives the weights.
    top_k : int
        How many run at most.
    threshold : float
        Share below which an expert does not run, except the best one.
    mode : int
        Combination; 3 gives all that run the same weight.
    precision : ndarray of float64, shape (K,)
        Factor on each weight.

    Examples
    --------
    >>> p = np.log(np.array([0.6, 0.3, 0.1]))
    >>> route(p, 3, 0.2, 3, np.ones(3))
    >>> p
    array([0.5, 0.5, 0. ])
    """
    keep_largest(p, top_k)
    softmax_in_place(p)
    if threshold == 0.0 and mode != ADDITIVE and precision.min() == precision.max():
        return
    best = np.argmax(p)
    total = 0.0
    for k in range(p.shape[0]):
        if p[k] < threshold and k != best:
            p[k] = 0.0
        if mode == ADDITIVE and p[k] > 0.0:
            p[k] = 1.0
        p[k] *= precision[k]
        total += p[k]
    for k in range(p.shape[0]):
        p[k] /= total
