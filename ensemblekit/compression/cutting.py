"""Flat trees with some branches cut down to leaves, and some trees left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import TreeEnsemble, freeze


def cut(
    trees: TreeEnsemble,
    collapsed: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    kept: npt.NDArray[np.bool_],
) -> TreeEnsemble:
    """Make leaves of nodes, and leave whole trees out.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    collapsed : ndarray of bool, shape (n_nodes,)
        Nodes that become leaves; what is below them goes.
    values : ndarray of float64, shape (n_nodes, width)
        What such a leaf holds.
    kept : ndarray of bool, shape (n_trees,)
        Trees that stay, at least one.

    Returns
    -------
    TreeEnsemble
        With the same scale and base.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.trees import read_trees
    >>> tree = read_trees(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0]))
    >>> cut(tree, np.array([True, False, False]), np.full((3, 1), 4.0), np.array([True])).leaf_values
    array([[4.]])
    """
    ends = (trees.feature < 0) | collapsed
    alive = _reachable(trees, ends, trees.roots[kept])
    new = (np.cumsum(alive) - 1).astype(np.int32)
    leaf = ends[alive]
    here = np.arange(int(alive.sum()), dtype=np.int32)
    value = np.where((trees.leaf >= 0)[:, None], trees.leaf_values[trees.leaf], values)[alive]
    feature = np.where(leaf, -1, trees.feature[alive]).astype(np.int32)
    category_set = np.where(leaf, -1, trees.category_set[alive]).astype(np.int32)
    smaller = replace(
        trees,
        roots=new[trees.roots[kept]],
        outputs=trees.outputs[kept],
        feature=feature,
        threshold=trees.threshold[alive],
        left=np.where(leaf, here, new[trees.left[alive]]),
        right=np.where(leaf, here, new[trees.right[alive]]),
        missing_left=trees.missing_left[alive],
        unknown_left=trees.unknown_left[alive],
        category_set=category_set,
        leaf=np.where(leaf, np.cumsum(leaf) - 1, -1).astype(np.int32),
        leaf_values=value[leaf],
        depth=trees.depth[alive],
        categorical_features=np.unique(feature[category_set >= 0]),
    )
    freeze(vars(smaller))
    return smaller


def _reachable(trees: TreeEnsemble, ends: npt.NDArray[np.bool_], roots: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    alive, level = np.zeros(len(ends), bool), roots
    while len(level):
        alive[level] = True
        split = level[~ends[level]]
        level = np.concatenate([trees.left[split], trees.right[split]])
    return alive
