"""Node visits: the one cost of a forest that is the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import TreeEnsemble
from ensemblekit.trees.reading import read_trees
from ensemblekit.trees.rows import as_rows, check_rows
from ensemblekit.trees.walk import leaf_nodes


def node_visits(estimator: object, X: npt.ArrayLike) -> float:
    """Count the splits that an average row tests, over all trees of a fitted forest or booster.

    A visit is one comparison of a column with a threshold or a category set; the leaf is not counted.

    Parameters
    ----------
    estimator : fitted estimator or TreeEnsemble
        A kind that `read_trees` knows.
    X : array-like of shape (n, n_features)
        The rows to average over, already preprocessed.

    Returns
    -------
    float
        Mean visits a row; 0 for trees that are single leaves.

    Raises
    ------
    TypeError
        For an estimator that has no readable trees.
    ValueError
        For rows of the wrong shape, or none.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> node_visits(RandomForestClassifier(10, max_depth=1, random_state=0).fit(X, y), X)
    10.0
    """
    trees = estimator if isinstance(estimator, TreeEnsemble) else read_trees(estimator)
    rows = as_rows(X, trees.n_features)
    if not len(rows):
        raise ValueError("Counting node visits needs at least one row, received none.")
    check_rows(rows, accepts_missing=trees.accepts_missing, categorical_features=trees.categorical_features)
    return float(visits_per_row(trees, rows).mean())


def visits_per_row(trees: TreeEnsemble, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Count the splits that each row tests.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    rows : ndarray of float32, shape (n, n_features)
        From `as_rows`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Visits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> trees = read_trees(DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, y))
    >>> visits_per_row(trees, as_rows(X[:2], 4))
    array([1, 1])
    """
    visits: npt.NDArray[np.int64] = trees.depth[leaf_nodes(trees, rows)].sum(axis=1, dtype=np.int64)
    return visits
