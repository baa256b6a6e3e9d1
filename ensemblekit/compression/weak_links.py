"""What could go, and what each part is worth: the loss that it saves against the work that it takes.

Weakest-link pruning (Breiman, Friedman, Olshen and Stone, 1984, Classification and Regression Trees, chapter 3) takes the branch whose
loss grows least for each node that goes. Here the branch may stand in any tree of any expert, and its worth is what the whole model's
answers would become, gate, link and combination included; its work is the splits that rows test below it. A branch down to the root is a
whole tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.combined import Combined, Floats, ask, leaf_sums
from ensemblekit.packed import PackedModel, reference
from ensemblekit.packed.experts import TreeExpert
from ensemblekit.packed.taking_apart import experts_of
from ensemblekit.trees.flat import TreeEnsemble

#: (row, tree) pairs that are judged at a time: bounds the memory.
PAIRS = 1 << 19
#: Rows that must reach a branch before it may go: of fewer, all may have taken the same way by chance.
FEWEST_ROWS = 5


@dataclass(frozen=True, eq=False)
class Candidates:
    """Parts that could go, one entry for each.

    Attributes
    ----------
    expert : ndarray of int64
        Which expert.
    node : ndarray of int64
        Which node of its flat trees becomes a leaf.
    change : ndarray of float64
        What the mean divergence from the old answers would grow by, if it alone went.
    saved : ndarray of float64
        Operations that an average row would no longer take; positive.
    values : tuple of ndarray of float64, shape (n_nodes, width)
        For each expert what a leaf at each node would hold.

    Examples
    --------
    >>> none = np.zeros(0)
    >>> len(Candidates(none, none, none, none, ()).change)
    0
    """

    expert: npt.NDArray[np.int64]
    node: npt.NDArray[np.int64]
    change: Floats
    saved: Floats
    values: tuple[Floats, ...]


def find_candidates(model: PackedModel, made: npt.NDArray[np.float32], original: Floats) -> Candidates:
    """Judge all branches and trees, each alone.

    Parameters
    ----------
    model : PackedModel
        The model.
    made : ndarray of float32, shape (n, d)
        Rows; no labels are needed.
    original : ndarray of float64, shape (n, C)
        What the model said to them before anything went.

    Returns
    -------
    Candidates

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> X, y = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]], np.float32), [0, 0, 0, 1, 1]
    >>> model = pack(DecisionTreeClassifier().fit(X, y))
    >>> found = find_candidates(model, X, model.predict_proba(X))
    >>> found.node, found.saved, found.values[0][0]
    (array([0]), array([1.]), array([0.6, 0.4]))
    """
    experts = experts_of(model)
    combined = Combined(model, [ask(expert, made) for expert in experts], reference.gate_proba(model, made))
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
    values = [np.zeros((0, 0))] * len(experts)
    for k, expert in enumerate(experts):
        if isinstance(expert, TreeExpert):
            values[k], change, saved = _branches(expert.trees, k, combined, original)
            reached = np.flatnonzero(saved > 0)
            found.append((np.full(len(reached), k), reached, change[reached], saved[reached]))
    expert_, node, change, saved = (np.concatenate(one) for one in zip(*found, strict=True))
    return Candidates(expert_, node, change, saved, tuple(values))


def is_average(trees: TreeEnsemble) -> bool:
    """Tell a forest, whose trees are averaged, from a booster, whose trees are added up.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.

    Returns
    -------
    bool

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from ensemblekit.trees import read_trees
    >>> is_average(read_trees(RandomForestRegressor(3, random_state=0).fit([[0.0], [1.0]], [3.0, 5.0])))
    True
    """
    return trees.n_trees > 1 and len(np.unique(trees.outputs)) == 1 and abs(trees.scale * trees.n_trees - 1.0) < 1e-9


def _branches(trees: TreeEnsemble, k: int, combined: Combined, original: Floats) -> tuple[Floats, Floats, Floats]:
    """For each node the value of a leaf in its place, what its answers would lose, and the visits saved."""
    before, sums = combined.divergence(original), combined.sums()
    rows = np.flatnonzero(combined.weights[:, k] > 0)
    leaves = combined.asked[k].leaves[rows]
    n_nodes, width = len(trees.left), trees.leaf_values.shape[1]
    count, total, saved, change = np.zeros(n_nodes), np.zeros((n_nodes, width)), np.zeros(n_nodes), np.zeros(n_nodes)
    for pair in _climb(trees, leaves):
        value = trees.leaf_values[trees.leaf[pair.leaf]]
        count += np.bincount(pair.node, minlength=n_nodes)
        saved += np.bincount(pair.node, trees.depth[pair.leaf] - trees.depth[pair.node], minlength=n_nodes)
        total += np.stack([np.bincount(pair.node, value[:, w], minlength=n_nodes) for w in range(width)], axis=1)
    values = total / np.maximum(count, 1)[:, None]
    whole = leaf_sums(trees, leaves) if is_average(trees) else None
    for pair in _climb(trees, leaves):
        value = trees.leaf_values[trees.leaf[pair.leaf]]
        # the leaf in the node's place is judged by rows that it was not made of
        instead = (total[pair.node] - value) / np.maximum(count[pair.node] - 1, 1)[:, None]
        if whole is not None:  # a tree of a forest that goes leaves the mean of the others
            at_root = trees.depth[pair.node] == 0
            others = whole if width > 1 else whole[:, trees.outputs[:1]]
            instead[at_root] = (others[pair.row[at_root]] - value[at_root]) / (trees.n_trees - 1)
        margins = combined.asked[k].margins[rows[pair.row]]
        if trees.outputs[0] < 0:
            margins += trees.scale * (instead - value)
        else:
            margins[np.arange(len(margins)), trees.outputs[pair.tree]] += trees.scale * (instead - value)[:, 0]
        after = combined.divergence_if(k, rows[pair.row], margins, trees.link, sums, original)
        change += np.bincount(pair.node, after - before[rows[pair.row]], minlength=n_nodes)
    n = len(combined.weights)
    return values, change / n, np.where(count >= FEWEST_ROWS, saved, 0.0) / n


class _Pairs(NamedTuple):
    """Rows, trees, the leaves that the rows reach there, and one node above each."""

    row: npt.NDArray[np.intp]
    tree: npt.NDArray[np.intp]
    leaf: npt.NDArray[np.int32]
    node: npt.NDArray[np.int32]


def _climb(trees: TreeEnsemble, leaves: npt.NDArray[np.int32]) -> Iterator[_Pairs]:
    """Meet every row at every node above its leaf in every tree, once."""
    parent = np.full(len(trees.left), -1, np.int32)
    split = np.flatnonzero(trees.feature >= 0).astype(np.int32)
    parent[trees.left[split]] = parent[trees.right[split]] = split
    step = max(1, PAIRS // max(1, len(leaves)))
    for first in range(0, trees.n_trees, step):
        leaf = leaves[:, first : first + step]
        row, tree = (axis.ravel() for axis in np.indices(leaf.shape))
        at = _Pairs(row, tree + first, leaf.ravel(), parent[leaf.ravel()])
        while len(at.node):
            inside = at.node >= 0
            at = _Pairs(at.row[inside], at.tree[inside], at.leaf[inside], at.node[inside])
            if len(at.node):
                yield at
            at = at._replace(node=parent[at.node])
