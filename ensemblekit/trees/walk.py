"""The reference walk from root to leaf in NumPy: slow, short, and what every faster engine is compared with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import TreeEnsemble

PAIRS = 1 << 20  # (row, tree) pairs walked at a time: bounds the memory


def leaf_nodes(trees: TreeEnsemble, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Find the leaf that each row reaches in each tree.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    rows : ndarray of float32, shape (n, n_features)
        From `as_rows`.

    Returns
    -------
    ndarray of int32, shape (n, n_trees)
        Node indices.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import as_rows, read_trees
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    >>> nodes = leaf_nodes(read_trees(tree), as_rows(X, 4))
    >>> bool((nodes[:, 0] == tree.apply(X)).all())
    True
    """
    out = np.empty((len(rows), trees.n_trees), np.int32)
    step = max(1, PAIRS // trees.n_trees)
    for begin in range(0, len(rows), step):
        out[begin : begin + step] = _walk(trees, rows[begin : begin + step])
    return out


def margins(trees: TreeEnsemble, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Sum the reached leaves, scale, add the base: what the link turns into probabilities.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    rows : ndarray of float32, shape (n, n_features)
        From `as_rows`.

    Returns
    -------
    ndarray of float64, shape (n, n_outputs)
        Margins.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from ensemblekit.trees import as_rows, read_trees
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    >>> bool(np.allclose(margins(read_trees(forest), as_rows(X, 4)), forest.predict_proba(X)))
    True
    """
    values = trees.leaf_values[trees.leaf[leaf_nodes(trees, rows)]]  # (n, n_trees, width)
    if values.shape[2] == trees.n_outputs and trees.outputs[0] < 0:
        total = values.sum(axis=1)
    else:
        total = np.stack([values[:, trees.outputs == c, 0].sum(axis=1) for c in range(trees.n_outputs)], axis=1)
    return np.asarray(trees.scale * total + trees.base)


def goes_left(trees: TreeEnsemble, nodes: npt.NDArray[np.int32], values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Decide one split for each pair of a node and the value that it tests.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    nodes : ndarray of int32
        Split nodes.
    values : ndarray of float32, the same shape
        The row's value in each node's column.

    Returns
    -------
    ndarray of bool, the same shape
        Whether the row goes to the left child.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> trees = read_trees(DecisionTreeClassifier(max_depth=1, random_state=0).fit(*load_iris(return_X_y=True)))
    >>> goes_left(trees, np.array([0, 0]), np.array([-np.inf, np.inf], np.float32))
    array([ True, False])
    """
    left = values <= trees.threshold[nodes]
    categorical = trees.category_set[nodes] >= 0
    if categorical.any():
        left[categorical] = _category_goes_left(trees, nodes[categorical], values[categorical])
    return np.where(np.isnan(values), trees.missing_left[nodes], left)


def _walk(trees: TreeEnsemble, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    at = np.tile(trees.roots, len(rows))
    row = np.repeat(np.arange(len(rows)), trees.n_trees)
    active = np.flatnonzero(trees.feature[at] >= 0)
    while len(active):
        nodes = at[active]
        left = goes_left(trees, nodes, rows[row[active], trees.feature[nodes]])
        at[active] = np.where(left, trees.left[nodes], trees.right[nodes])
        active = active[trees.feature[at[active]] >= 0]
    return at.reshape(len(rows), trees.n_trees)


def _category_goes_left(trees: TreeEnsemble, nodes: npt.NDArray[np.int32], values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    which = trees.category_set[nodes]
    begin, end = trees.category_start[which], trees.category_start[which + 1]
    known = (values >= 0) & (values < 32 * (end - begin))
    code = np.where(known, values, 0).astype(np.int64)
    bit = trees.category_words[begin + code // 32] >> (code % 32).astype(np.uint32) & np.uint32(1)
    return np.where(known, bit == 1, trees.unknown_left[nodes])
