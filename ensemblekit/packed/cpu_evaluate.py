"""Gate, chosen experts, combination: one pass over a range of rows, compiled as a whole.

Rows are gathered by expert, so that an expert runs only on the rows that the gate sends to it, and a tree stays in the
cache while a block of rows passes through it. How long a block is, the engine says for each expert.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.compiled import compiled
from ensemblekit.packed.cpu_gate import gate_logits, linear_margins, route, softmax_in_place
from ensemblekit.packed.cpu_trees import BLOCK, add_block, add_row

FEW = 8  # with fewer rows than this, lanes are trees
SOFTMAX, ONE_VS_ALL = 1, 2
VOTE, PRODUCT = 1, 2


@compiled
def evaluate(x: Any, begin: int, end: int, given: Any, gate: Any, routing: Any, experts: Any, trees: Any, out: Any) -> None:
    """Fill the answers to rows `begin` to `end`.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
        Rows.
    begin, end : int
        The rows to answer.
    given : ndarray of float64, shape (n, K) or (n, 0)
        Probabilities that a classifier as gate gave the experts.
    gate : tuple
        See `ensemblekit.packed.cpu_gate.gate_logits`.
    routing : tuple
        ``(top_k, threshold, mode, precision)``; mode 0 mean, 1 vote, 2 product, 3 additive.
    experts : tuple
        ``(form, link, scale, base, vector, depth, linear_slot, linear, blocks)``; blocks are the rows that pass a tree at a time.
    trees : tuple
        ``(tree_start, node_start, leaf_start, perfect nodes, sparse nodes, leaf_values, category_words)``, nodes as a pair
        of a float32 and a uint32 view.
    out : ndarray of float64, shape (n, C)
        Receives the answers.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])).predict_proba([[0.9]])
    array([[0., 1.]])
    """
    top_k, threshold, mode, precision = routing
    n_experts, n_classes = experts[3].shape
    count, blocks = end - begin, experts[8]
    lanes = min(count, blocks.max())
    gates, branches = np.empty((count, n_experts)), np.empty(gate[0].shape[1])
    for r in range(count):
        gate_logits(x[begin + r], given[begin + r], gate, branches, gates[r])
        route(gates[r], top_k, threshold, mode, precision)
    out[begin:end] = 0.0
    chosen = np.empty(count, np.int64)
    sums, rows = np.empty((lanes, n_classes)), np.empty((lanes, x.shape[1]), np.float32)
    work = (np.empty(max(lanes, BLOCK), np.uint32), np.empty(max(lanes, BLOCK), np.uint32))
    for k in range(n_experts):
        n_chosen = 0
        for r in range(count):
            chosen[n_chosen] = r
            n_chosen += gates[r, k] > 0.0
        for first in range(0, n_chosen, blocks[k]):
            block = chosen[first : min(first + blocks[k], n_chosen)]
            missing = gather(x, begin, block, rows)
            expert_margins(rows, block.shape[0], missing, k, experts, trees, work, sums)
            for i in range(block.shape[0]):
                add_answer(sums[i], experts[1][k], mode, gates[block[i], k], out[begin + block[i]])
    for r in range(begin, end):
        finish_answer(mode, out[r])


@compiled
def gather(x: Any, begin: int, block: Any, rows: Any) -> bool:
    """Copy chosen rows side by side, and look for missing values on the way.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
        All rows.
    begin : int
        Where counting begins.
    block : ndarray of int64
        Which rows.
    rows : ndarray of float32, shape (at least len(block), d)
        Receives them.

    Returns
    -------
    bool
        Whether any cell is NaN.

    Examples
    --------
    >>> rows = np.empty((1, 2), np.float32)
    >>> bool(gather(np.array([[1, 2], [3, np.nan]], "f4"), 0, np.array([1]), rows)), rows
    (True, array([[ 3., nan]], dtype=float32))
    """
    missing = False
    for i in range(block.shape[0]):
        for j in range(x.shape[1]):
            value = x[begin + block[i], j]
            missing |= value != value  # noqa: PLR0124
            rows[i, j] = value
    return missing


@compiled
def expert_margins(rows: Any, count: int, missing: bool, k: int, experts: Any, trees: Any, work: Any, sums: Any) -> None:
    """Margins of one expert for gathered rows.

    Parameters
    ----------
    rows : ndarray of float32, shape (at least `count`, d)
        Gathered rows.
    count : int
        How many.
    missing, k, experts, trees, work
        As in `ensemblekit.packed.cpu_trees.add_block`.
    sums : ndarray of float64, shape (at least `count`, C)
        Receives the margins.

    Examples
    --------
    >>> callable(expert_margins)
    True
    """
    scale, base, slot, linear = experts[2][k], experts[3][k], experts[6][k], experts[7]
    if slot >= 0:
        for i in range(count):
            linear_margins(rows[i], linear[slot], sums[i])
        return
    sums[:count] = 0.0
    if count < FEW:
        for i in range(count):
            add_row(rows[i], missing, k, experts, trees, work, sums[i])
    else:
        add_block(rows.reshape(-1), rows.shape[1], missing, count, k, experts, trees, work, sums)
    for i in range(count):
        for c in range(base.shape[0]):
            sums[i, c] = scale * sums[i, c] + base[c]


@compiled
def add_answer(margin: Any, link: int, mode: int, weight: float, answer: Any) -> None:
    """Turn one expert's margins into its answer, its vote, or the logarithm of its answer, and add it under the gate's weight.

    Parameters
    ----------
    margin : ndarray of float64, shape (C,)
        Overwritten.
    link : int
        0 identity, 1 softmax, 2 one-vs-all.
    mode : int
        1: the best class takes all; 2: logarithms.
    weight : float
        Gate value.
    answer : ndarray of float64, shape (C,)
        Receives the sum.

    Examples
    --------
    >>> answer = np.zeros(2)
    >>> add_answer(np.zeros(2), 1, 0, 0.5, answer)
    >>> answer
    array([0.25, 0.25])
    """
    if link == SOFTMAX:
        softmax_in_place(margin)
    elif link == ONE_VS_ALL:
        for c in range(margin.shape[0]):
            margin[c] = 1.0 / (1.0 + np.exp(-margin[c]))
    if mode == VOTE:
        answer[np.argmax(margin)] += weight
    elif mode == PRODUCT:
        for c in range(margin.shape[0]):
            answer[c] += weight * np.log(margin[c])
    else:
        for c in range(margin.shape[0]):
            answer[c] += weight * margin[c]


@compiled
def finish_answer(mode: int, answer: Any) -> None:
    """Turn summed logarithms into probabilities, and let rounding take no probability beyond one, which metrics refuse.

    Parameters
    ----------
    mode : int
        2: logarithms.
    answer : ndarray of float64, shape (C,)
        Overwritten; an amount, C = 1, stays.

    Examples
    --------
    >>> answer = np.array([1.0 + 1e-15, 0.0])
    >>> finish_answer(0, answer)
    >>> answer
    array([1., 0.])
    """
    if mode == PRODUCT:
        if answer.max() == -np.inf:
            answer[:] = 0.0  # no class is possible: all alike
        softmax_in_place(answer)
    elif answer.shape[0] > 1:
        for c in range(answer.shape[0]):
            answer[c] = 1.0 if answer[c] > 1.0 else answer[c]  # noqa: FURB136 - NaN stays
