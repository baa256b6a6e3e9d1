"""scikit-learn's decision trees and the forests made of them: leaves hold one fraction per class, or a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.trees.flat import Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import readers
from ensemblekit.trees.rounding import at_most


@readers.register(
    "sklearn.RandomForestClassifier",
    "sklearn.ExtraTreesClassifier",
    "sklearn.DecisionTreeClassifier",
    "sklearn.ExtraTreeClassifier",
)
def read_forest(model: Any) -> TreeEnsemble:
    """Read a forest, or a single tree as a forest of one.

    Parameters
    ----------
    model : fitted classifier
        With one output.

    Returns
    -------
    TreeEnsemble
        Identity link: the mean of the trees' class fractions.

    Raises
    ------
    ValueError
        For several outputs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> read_forest(ExtraTreesClassifier(3).fit(*load_iris(return_X_y=True))).outputs
    array([-1, -1, -1], dtype=int32)
    """
    members = _members_of(model)
    n_classes = len(model.classes_)
    return flatten(
        [read_tree(member.tree_, member.tree_.value[:, 0, :n_classes], output=-1) for member in members],
        n_features=model.n_features_in_,
        n_outputs=n_classes,
        link="identity",
        scale=1.0 / len(members),
        classes=model.classes_,
        accepts_missing=members[0].__sklearn_tags__().input_tags.allow_nan,
    )


@readers.register(
    "sklearn.RandomForestRegressor",
    "sklearn.ExtraTreesRegressor",
    "sklearn.DecisionTreeRegressor",
    "sklearn.ExtraTreeRegressor",
)
def read_regression_forest(model: Any) -> TreeEnsemble:
    """Read a forest of regression trees, or a single tree as a forest of one.

    Parameters
    ----------
    model : fitted regressor
        With one output.

    Returns
    -------
    TreeEnsemble
        Identity link: the mean of the trees' numbers.

    Raises
    ------
    ValueError
        For several outputs.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> read_regression_forest(RandomForestRegressor(3).fit(*load_diabetes(return_X_y=True))).n_outputs
    1
    """
    members = _members_of(model)
    return flatten(
        [read_tree(member.tree_, member.tree_.value[:, 0], output=0) for member in members],
        n_features=model.n_features_in_,
        n_outputs=1,
        link="identity",
        scale=1.0 / len(members),
        accepts_missing=members[0].__sklearn_tags__().input_tags.allow_nan,
    )


def _members_of(model: Any) -> list[Any]:
    if model.n_outputs_ != 1:
        raise ValueError(f"Flat trees hold one output; this model was fitted with {model.n_outputs_}. Fit one for each.")
    # The fitted trees count, not n_estimators, which may have been changed since.
    return list(getattr(model, "estimators_", [model]))


def read_tree(tree: Any, value: Any, *, output: int) -> Tree:
    """Take the arrays of a ``sklearn.tree._tree.Tree``.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        The low-level tree.
    value : ndarray of shape (n_nodes, width)
        What its leaves add.
    output : int
        Column that they add to; -1 for all.

    Returns
    -------
    Tree
        scikit-learn casts rows to float32 and compares with a float64 threshold.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> fitted = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]).tree_
    >>> read_tree(fitted, fitted.value[:, 0], output=-1).threshold[0]
    np.float32(0.5)
    """
    return Tree(
        feature=np.maximum(tree.feature, 0),
        threshold=at_most(tree.threshold),
        left=tree.children_left,
        right=tree.children_right,
        missing_left=tree.missing_go_to_left.astype(bool),
        value=value,
        output=output,
    )
