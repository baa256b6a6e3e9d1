"""Shallow trees padded to a full binary heap: a step down is arithmetic, with no child to load.

Node i has the children 2i and 2i + 1; index 0 is unused, so that depth D takes 2^D slots. A leaf that ends early is
padded: its slots send every row left, and all leaves below it hold its value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import TreeEnsemble

MAX_DEPTH = 8
PADDING, MISSING_LEFT = np.uint32(1 << 30), np.uint32(1 << 31)
FEATURE = np.uint32(PADDING - 1)


class PerfectTrees(NamedTuple):
    """Trees of one depth as heaps.

    Attributes
    ----------
    nodes : ndarray of int32, shape (n_trees, 2^depth, 2)
        Threshold bits; feature and flags.
    leaves : ndarray of float64, shape (n_trees, 2^depth, width)
        Values from left to right.
    depth : int
        Levels of splits.

    Examples
    --------
    >>> PerfectTrees(np.zeros((1, 2, 2), np.int32), np.zeros((1, 2, 1)), depth=1).depth
    1
    """

    nodes: npt.NDArray[np.int32]
    leaves: npt.NDArray[np.float64]
    depth: int


def is_worth_padding(trees: TreeEnsemble) -> bool:
    """Tell whether heaps would serve: shallow, no categories, and not mostly padding.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees of one expert.

    Returns
    -------
    bool
        False for trees that are deeper than 8 or that fill less than an eighth of their heap.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> is_worth_padding(read_trees(DecisionTreeClassifier(max_depth=3).fit(*load_iris(return_X_y=True))))
    True
    """
    if trees.max_depth > MAX_DEPTH or len(trees.categorical_features):
        return False
    return 8 * len(trees.leaf_values) >= trees.n_trees << trees.max_depth


def perfect_trees(trees: TreeEnsemble, leaf_values: npt.NDArray[np.float64]) -> PerfectTrees:
    """Fill the heaps level by level, all trees at once.

    Parameters
    ----------
    trees : TreeEnsemble
        Trees without categorical splits.
    leaf_values : ndarray of float64, shape (n_leaves, width)
        The trees' leaf values, or what stands for them in the whole model.

    Returns
    -------
    PerfectTrees
        In the order of the trees.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> trees = read_trees(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> stump = perfect_trees(trees, trees.leaf_values)
    >>> stump.nodes[0, 1, 0].view(np.float32), stump.leaves[0].tolist()
    (np.float32(0.5), [[1.0, 0.0], [0.0, 1.0]])
    """
    depth = trees.max_depth
    nodes = np.zeros((trees.n_trees, 1 << depth, 2), np.int32)
    level = trees.roots[:, None]
    for above in range(depth):
        nodes[:, 1 << above : 2 << above] = _heap_nodes(trees, level)
        level = np.stack([trees.left[level], trees.right[level]], axis=2).reshape(trees.n_trees, -1)
    return PerfectTrees(nodes, leaf_values[trees.leaf[level]], depth)


def _heap_nodes(trees: TreeEnsemble, level: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    is_leaf = trees.feature[level] < 0
    threshold = np.where(is_leaf, np.float32(np.inf), trees.threshold[level])
    flags = np.where(trees.missing_left[level], MISSING_LEFT, np.uint32(0))
    word = np.where(is_leaf, PADDING | MISSING_LEFT, trees.feature[level].astype(np.uint32) | flags)
    return np.stack([threshold.view(np.int32), word.astype(np.uint32).view(np.int32)], axis=-1)
