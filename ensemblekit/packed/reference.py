"""The packed model evaluated in NumPy: slow, short, and the judge of the engines, which read the same arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_softmax, softmax

from ensemblekit.packed import perfect_layout as perfect
from ensemblekit.packed import sparse_layout as sparse
from ensemblekit.packed.gates import FLOOR

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel, Work

Rows = npt.NDArray[np.float32]


class Walk(NamedTuple):
    """Where rows arrive in one tree.

    Attributes
    ----------
    value_index : ndarray of int64, shape (n,)
        First entry of the reached leaf in `leaf_values`.
    visits : ndarray of int64, shape (n,)
        Splits tested.

    Examples
    --------
    >>> Walk(np.zeros(1, int), np.ones(1, int)).visits
    array([1])
    """

    value_index: npt.NDArray[np.int64]
    visits: npt.NDArray[np.int64]


def predict_proba(model: PackedModel, rows: Rows) -> npt.NDArray[np.float64]:
    """Evaluate every expert that the gate chose.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n, C)
        Probabilities.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> predict_proba(stump, np.array([[0.2], [0.8]], np.float32))
    array([[1., 0.],
           [0., 1.]])
    """
    gates = gate_proba(model, rows)
    answers = np.stack([expert_proba(model, k, rows) for k in range(model.n_experts)], axis=1)
    if model.combination == "vote":
        answers = np.eye(model.n_outputs)[answers.argmax(axis=2)]
    if model.combination == "product":
        return _geometric_mean(gates, answers)
    return np.asarray(np.einsum("nk,nkc->nc", gates, answers))


def _geometric_mean(gates: npt.NDArray[np.float64], answers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Renormalise the weighted products; a row without any possible class is shared evenly."""
    weight = gates[:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        summed = np.where(weight > 0, weight * np.log(answers), 0.0).sum(axis=1)
    summed[np.isneginf(summed).all(axis=1)] = 0.0
    return np.asarray(softmax(summed, axis=1))


def gate_logits(model: PackedModel, rows: Rows) -> npt.NDArray[np.float64]:
    """Say how much the gate prefers each expert, up to a constant for each row.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Logits.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> gate_logits(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), np.zeros((1, 1), np.float32))
    array([[0.]])
    """
    if model.gate_model is not None:
        return np.asarray(np.log(np.maximum(predict_proba(model.gate_model, rows), FLOOR)) + model.gate_offset)
    logits = rows[:, : len(model.gate) - 1].astype(np.float64) @ model.gate[:-1] + model.gate[-1]
    for k in range(len(model.gate_mean)):
        centred = rows.astype(np.float64) - model.gate_mean[k]
        factor = model.gate_factor[k]
        logits[:, k] -= 0.5 * np.square(centred * factor[0] if len(factor) == 1 else centred @ factor).sum(axis=1)
    if model.gate_path.shape[1] > 1:
        for node in range(int(model.gate_node.max()) + 1):
            branches = model.gate_node == node
            logits[:, branches] = log_softmax(logits[:, branches], axis=1)
    return np.asarray(logits[:, model.gate_path].sum(axis=2) + model.gate_offset)


def gate_proba(model: PackedModel, rows: Rows) -> npt.NDArray[np.float64]:
    """Weights of the experts once routing is done: softmax of the gate's logits over those that run.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Zero for experts that do not run.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> gate_proba(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), np.zeros((2, 1), np.float32))
    array([[1.],
           [1.]])
    """
    logits = gate_logits(model, rows)
    best = np.argsort(-logits, axis=1, kind="stable")[:, : model.top_k]  # stable: the first of equals wins
    kept = np.full_like(logits, -np.inf)
    np.put_along_axis(kept, best, np.take_along_axis(logits, best, axis=1), axis=1)
    share = softmax(kept, axis=1)
    low = share < model.threshold
    low[np.arange(len(rows)), best[:, 0]] = False
    share[low] = 0.0
    weight = model.precision * ((share > 0) if model.combination == "additive" else share)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def expert_proba(model: PackedModel, k: int, rows: Rows) -> npt.NDArray[np.float64]:
    """Answer of one expert, also where the gate would not choose it.

    Parameters
    ----------
    model : PackedModel
        The model.
    k : int
        Which expert.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n, C)
        Zero for classes that it never saw.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> expert_proba(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), 0, np.zeros((1, 1), np.float32))
    array([[1., 0.]])
    """
    if model.linear_slot[k] >= 0:
        table = model.linear[model.linear_slot[k]]
        margins = rows.astype(np.float64) @ table[:-1] + table[-1]
    else:
        margins = model.scale[k] * _leaf_sums(model, k, rows) + model.base[k]
    if model.link[k] == 1:
        return np.asarray(softmax(margins, axis=1))
    return np.asarray(expit(margins)) if model.link[k] == 2 else margins


def node_visits(model: PackedModel, rows: Rows) -> Work:
    """Count the splits that an average row tests.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    Work
        With all experts, and with those that the gate chose.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> node_visits(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), np.zeros((1, 1), np.float32))
    Work(total=1.0, active=1.0)
    """
    from ensemblekit.packed.model import Work  # noqa: PLC0415  # the model imports this module

    visits = np.zeros((len(rows), model.n_experts))
    for k in range(model.n_experts):
        for tree, _ in trees_of(model, k):
            visits[:, k] += walk(model, k, tree, rows).visits
    active = visits * (gate_proba(model, rows) > 0)
    of_gate = 0.0 if model.gate_model is None else node_visits(model.gate_model, rows).active  # a gate always runs
    return Work(float(visits.sum(axis=1).mean()) + of_gate, float(active.sum(axis=1).mean()) + of_gate)


def trees_of(model: PackedModel, k: int) -> list[tuple[int, int]]:
    """List an expert's trees and the class that each adds to.

    Parameters
    ----------
    model : PackedModel
        The model.
    k : int
        Which expert.

    Returns
    -------
    list of (int, int)
        Tree and class; class 0 where leaves hold every class.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> trees_of(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), 0)
    [(0, 0)]
    """
    first = k * model.n_outputs
    start = model.tree_start[first : first + model.n_outputs + 1]
    return [(tree, c) for c in range(model.n_outputs) for tree in range(start[c], start[c + 1])]


def walk(model: PackedModel, k: int, tree: int, rows: Rows) -> Walk:
    """Walk all rows through one tree.

    Parameters
    ----------
    model : PackedModel
        The model.
    k : int
        The expert that owns the tree.
    tree : int
        The tree.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    Walk
        Reached leaves and visits.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> walk(stump, 0, 0, np.array([[0.2], [0.8]], np.float32)).value_index
    array([0, 2])
    """
    return _walk_perfect(model, k, tree, rows) if model.form[k] == 1 else _walk_sparse(model, tree, rows)


def _leaf_sums(model: PackedModel, k: int, rows: Rows) -> npt.NDArray[np.float64]:
    total = np.zeros((len(rows), model.n_outputs))
    for tree, c in trees_of(model, k):
        index = walk(model, k, tree, rows).value_index
        if model.vector[k]:
            total += model.leaf_values[index[:, None] + np.arange(model.n_outputs)]
        else:
            total[:, c] += model.leaf_values[index]
    return total


def _walk_perfect(model: PackedModel, k: int, tree: int, rows: Rows) -> Walk:
    slots, width = 1 << int(model.depth[k]), model.n_outputs if model.vector[k] else 1
    heap = model.perfect_nodes[model.node_start[tree] :][:slots]
    threshold, word = heap[:, 0].view(np.float32), heap[:, 1].view(np.uint32)
    at, visits = np.ones(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for _ in range(model.depth[k]):
        value = rows[np.arange(len(rows)), word[at] & perfect.FEATURE]
        left = np.where(np.isnan(value), (word[at] & perfect.MISSING_LEFT) > 0, value <= threshold[at])
        visits += (word[at] & perfect.PADDING) == 0
        at = 2 * at + ~left
    return Walk(model.leaf_start[tree] + (at - slots) * width, visits)


def _walk_sparse(model: PackedModel, tree: int, rows: Rows) -> Walk:
    threshold, left_child, words, extra = model.sparse_nodes.T
    threshold, words = threshold.view(np.float32), words.view(np.uint32)
    at, visits = np.full(len(rows), model.node_start[tree], np.int64), np.zeros(len(rows), np.int64)
    walking = np.flatnonzero((words[at] & sparse.LEAF) == 0)
    while len(walking):
        nodes = at[walking]
        word = words[nodes]
        value = rows[walking, word & sparse.FEATURE]
        left = value <= threshold[nodes]
        for i in np.flatnonzero(word & sparse.CATEGORICAL):
            left[i] = _category_goes_left(model.category_words, int(extra[nodes[i]]), word[i], value[i])
        left = np.where(np.isnan(value), (word & sparse.MISSING_LEFT) > 0, left)
        visits[walking] += 1
        at[walking] = left_child[nodes] + ~left
        walking = walking[(words[at[walking]] & sparse.LEAF) == 0]
    return Walk(extra[at].astype(np.int64), visits)


def _category_goes_left(category_words: npt.NDArray[np.uint32], begin: int, word: np.uint32, value: np.float32) -> bool:
    n_words = int(category_words[begin])
    if not 0 <= value < 32 * n_words:
        return bool(word & sparse.UNKNOWN_LEFT)
    code = int(value)
    return bool(int(category_words[begin + 1 + code // 32]) >> code % 32 & 1)
