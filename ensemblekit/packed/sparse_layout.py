"""Deep or categorical trees as 16-byte nodes: breadth-first within a tree, siblings adjacent.

One load brings a whole node, and siblings are neighbours, so that one child index is enough. A leaf points at itself
and sends every row left, so that rows which arrived early can stand still while others walk on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import TreeEnsemble

MISSING_LEFT, CATEGORICAL, UNKNOWN_LEFT, LEAF = (np.uint32(1 << bit) for bit in (28, 29, 30, 31))
FEATURE = np.uint32(MISSING_LEFT - 1)


class SparseTrees(NamedTuple):
    """Trees as linked nodes.

    Attributes
    ----------
    nodes : ndarray of int32, shape (n_nodes, 4)
        Threshold bits; left child; feature and flags; row of the leaf, or where the category words begin.
    roots : ndarray of int32, shape (n_trees,)
        Root nodes.
    words : ndarray of uint32
        For each category set its number of words, then the words.

    Examples
    --------
    >>> SparseTrees(np.zeros((1, 4), np.int32), np.zeros(1, np.int32), np.zeros(0, np.uint32)).roots
    array([0], dtype=int32)
    """

    nodes: npt.NDArray[np.int32]
    roots: npt.NDArray[np.int32]
    words: npt.NDArray[np.uint32]


def sparse_trees(trees: TreeEnsemble) -> SparseTrees:
    """Lay the nodes out anew.

    Parameters
    ----------
    trees : TreeEnsemble
        Trees of one expert.

    Returns
    -------
    SparseTrees
        In the order of the trees.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> sparse_trees(read_trees(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))).nodes[:, 1]
    array([1, 1, 2], dtype=int32)
    """
    order, owner = _breadth_first(trees)
    new = np.empty(len(order), np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    is_leaf = trees.feature[order] < 0
    words, begin = _words(trees)
    which = trees.category_set[order]
    nodes = np.empty((len(order), 4), np.int32)
    nodes[:, 0] = np.where(is_leaf, np.float32(np.inf), trees.threshold[order]).view(np.int32)
    nodes[:, 1] = new[trees.left[order]]
    nodes[:, 2] = _flags(trees, order).view(np.int32)
    nodes[:, 3] = np.where(is_leaf, trees.leaf[order], np.where(which >= 0, begin[which], 0))
    return SparseTrees(nodes, np.searchsorted(owner, np.arange(trees.n_trees)).astype(np.int32), words)


def _breadth_first(trees: TreeEnsemble) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Old node of every new place, and the tree that owns it."""
    level, owner = trees.roots, np.arange(trees.n_trees)
    nodes, owners = [], []
    while len(level):
        nodes.append(level)
        owners.append(owner)
        split = trees.feature[level] >= 0
        level = np.stack([trees.left[level[split]], trees.right[level[split]]], axis=1).ravel()
        owner = np.repeat(owner[split], 2)
    tree_of = np.concatenate(owners)
    by_tree = np.argsort(tree_of, kind="stable")
    return np.concatenate(nodes)[by_tree], tree_of[by_tree]


def _flags(trees: TreeEnsemble, order: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    is_leaf = trees.feature[order] < 0
    flags = np.where(is_leaf, LEAF | MISSING_LEFT, trees.feature[order].astype(np.uint32))
    flags |= np.where(trees.missing_left[order] & ~is_leaf, MISSING_LEFT, np.uint32(0))
    flags |= np.where(trees.unknown_left[order], UNKNOWN_LEFT, np.uint32(0))
    return np.asarray(flags | np.where(trees.category_set[order] >= 0, CATEGORICAL, np.uint32(0)), np.uint32)


def _words(trees: TreeEnsemble) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Put the number of words before each set; give where each set now begins (one entry more, for no set)."""
    length = np.diff(trees.category_start)
    begin = trees.category_start.astype(np.int64) + np.arange(len(length) + 1)
    words = np.insert(trees.category_words, trees.category_start[:-1], length.astype(np.uint32))
    return words, begin
