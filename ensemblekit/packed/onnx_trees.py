"""Packed trees as an ONNX tree operator: the same float32 thresholds, compared in the same direction, so the same leaves.

The operator compares ``x <= threshold`` in float32 (BRANCH_LEQ), as packed nodes do, whose thresholds were rounded so that this is exact
for float32 rows (`ensemblekit.trees.rounding`). Padding goes: a padded node becomes the leaf that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.packed import perfect_layout as perfect
from ensemblekit.packed import sparse_layout as sparse
from ensemblekit.packed.model import PERFECT
from ensemblekit.packed.reference import trees_of

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

Ints = npt.NDArray[np.int64]


class PlainTree(NamedTuple):
    """One packed tree without padding, in breadth-first order.

    Attributes
    ----------
    feature : ndarray of int64, shape (n_nodes,)
        Tested column; 0 at a leaf.
    threshold : ndarray of float32, shape (n_nodes,)
        ``x <= threshold`` goes left; 0 at a leaf.
    left, right : ndarray of int64, shape (n_nodes,)
        Children; 0 at a leaf.
    missing_left : ndarray of bool, shape (n_nodes,)
        Where NaN goes.
    value_index : ndarray of int64, shape (n_nodes,)
        First entry of a leaf in the model's `leaf_values`; -1 at a split.

    Examples
    --------
    >>> PlainTree._fields[:2]
    ('feature', 'threshold')
    """

    feature: Ints
    threshold: npt.NDArray[np.float32]
    left: Ints
    right: Ints
    missing_left: npt.NDArray[np.bool_]
    value_index: Ints


def plain_tree(model: PackedModel, k: int, tree: int) -> PlainTree:
    """Take one tree out of a packed model.

    Parameters
    ----------
    model : PackedModel
        The model.
    k : int
        The expert that owns the tree.
    tree : int
        The tree.

    Returns
    -------
    PlainTree
        Its nodes.

    Raises
    ------
    ValueError
        For categorical splits.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> plain_tree(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), 0, 0).value_index
    array([-1,  0,  2])
    """
    return _from_heap(model, k, tree) if model.form[k] == PERFECT else _from_links(model, tree)


def _breadth_first(root: int, is_leaf: Callable[[Ints], npt.NDArray[np.bool_]], left_of: Callable[[Ints], tuple[Ints, Ints]]) -> Ints:
    levels = [np.array([root], np.int64)]
    while len(levels[-1]):
        split = levels[-1][~is_leaf(levels[-1])]
        levels.append(np.stack(left_of(split), axis=1).ravel())
    return np.concatenate(levels)


def _from_heap(model: PackedModel, k: int, tree: int) -> PlainTree:
    slots, width = 1 << int(model.depth[k]), model.n_outputs if model.vector[k] else 1
    heap = model.perfect_nodes[model.node_start[tree] :][:slots]
    word = heap[:, 1].view(np.uint32)

    def is_leaf(at: Ints) -> npt.NDArray[np.bool_]:
        return (at >= slots) | ((word[np.minimum(at, slots - 1)] & perfect.PADDING) > 0)

    at = _breadth_first(1, is_leaf, lambda split: (2 * split, 2 * split + 1))
    leaf = is_leaf(at)
    first = at.copy()  # of the leaves below a padded node all hold its value: take the first
    while (first < slots).any():
        first = np.where(first < slots, 2 * first, first)
    inside = np.where(leaf, 0, at)
    value = np.where(leaf, model.leaf_start[tree] + (first - slots) * width, -1)
    missing_left = (word[inside] & perfect.MISSING_LEFT) > 0
    return _renumbered(leaf, word[inside] & perfect.FEATURE, heap[inside, 0].view(np.float32), missing_left, value)


def _from_links(model: PackedModel, tree: int) -> PlainTree:
    nodes, word = model.sparse_nodes, model.sparse_nodes[:, 2].view(np.uint32)

    def is_leaf(at: Ints) -> npt.NDArray[np.bool_]:
        return (word[at] & sparse.LEAF) > 0

    at = _breadth_first(int(model.node_start[tree]), is_leaf, lambda split: (nodes[split, 1].astype(np.int64), nodes[split, 1] + 1))
    leaf = is_leaf(at)
    if (word[at] & sparse.CATEGORICAL).any():
        raise ValueError(
            "Categorical splits cannot be exported to ONNX, whose tree operator does not send unknown categories where the model does. "
            "Fit on one-hot columns instead."
        )
    missing_left = (word[at] & sparse.MISSING_LEFT) > 0
    return _renumbered(leaf, word[at] & sparse.FEATURE, nodes[at, 0].view(np.float32), missing_left, np.where(leaf, nodes[at, 3], -1))


def _renumbered(leaf: npt.NDArray[np.bool_], feature: Any, threshold: Any, missing_left: Any, value: Any) -> PlainTree:
    """Children follow in the order of their parents: the i-th split has the nodes 2i + 1 and 2i + 2."""
    left = np.where(leaf, 0, 2 * (np.cumsum(~leaf) - 1) + 1)
    return PlainTree(
        feature=np.where(leaf, 0, feature).astype(np.int64),
        threshold=np.where(leaf, np.float32(0), threshold),
        left=left,
        right=np.where(leaf, 0, left + 1),
        missing_left=missing_left & ~leaf,
        value_index=value.astype(np.int64),
    )


def tree_attributes(model: PackedModel, k: int) -> dict[str, Any]:
    """Write an expert's trees as attributes of ONNX's TreeEnsembleRegressor.

    Parameters
    ----------
    model : PackedModel
        The model.
    k : int
        A tree expert.

    Returns
    -------
    dict
        Attributes; its outputs are sums of leaves, before scale and base.

    Raises
    ------
    ValueError
        For categorical splits.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> tree_attributes(stump, 0)["nodes_modes"]
    ['BRANCH_LEQ', 'LEAF', 'LEAF']
    """
    owned = trees_of(model, k)
    trees = [plain_tree(model, k, tree) for tree, _ in owned]
    sizes = [len(tree.left) for tree in trees]
    owner, number = np.repeat(np.arange(len(trees)), sizes), np.concatenate([np.arange(size) for size in sizes])
    joined = PlainTree(*(np.concatenate(parts) for parts in zip(*trees, strict=True)))
    leaf = joined.value_index >= 0
    width = model.n_outputs if model.vector[k] else 1
    values = model.leaf_values[joined.value_index[leaf][:, None] + np.arange(width)]
    column = np.array([c for _, c in owned])[owner[leaf]][:, None] + np.arange(width)
    return {
        "n_targets": model.n_outputs,
        "nodes_treeids": owner.tolist(),
        "nodes_nodeids": number.tolist(),
        "nodes_featureids": joined.feature.tolist(),
        "nodes_values": joined.threshold.tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_truenodeids": joined.left.tolist(),
        "nodes_falsenodeids": joined.right.tolist(),
        "nodes_missing_value_tracks_true": joined.missing_left.astype(int).tolist(),
        "target_treeids": np.repeat(owner[leaf], width).tolist(),
        "target_nodeids": np.repeat(number[leaf], width).tolist(),
        "target_ids": column.ravel().tolist(),
        "target_weights": values.ravel().tolist(),
    }
