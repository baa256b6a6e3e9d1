"""scikit-learn's bagged decision trees: each may read columns of its own, and may not have seen every class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.tree import BaseDecisionTree

from ensemblekit.trees.flat import Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import readers
from ensemblekit.trees.sklearn_forest import read_tree


@readers.register("sklearn.BaggingClassifier", "sklearn.BaggingRegressor")
def read_bagging(model: Any) -> TreeEnsemble:
    """Read bagged trees.

    Parameters
    ----------
    model : fitted BaggingClassifier or BaggingRegressor
        Of decision trees with one output.

    Returns
    -------
    TreeEnsemble
        Identity link: the mean of the trees' class fractions, or of their numbers.

    Raises
    ------
    TypeError
        For other estimators than decision trees.
    ValueError
        For several outputs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import BaggingClassifier
    >>> read_bagging(BaggingClassifier(n_estimators=3).fit(*load_iris(return_X_y=True))).n_trees
    3
    """
    for member in model.estimators_:
        if not isinstance(member, BaseDecisionTree):
            raise TypeError(f"{type(model).__name__} of {type(member).__name__} cannot be read; valid: of decision trees.")
        if member.n_outputs_ != 1:
            raise ValueError(f"Flat trees hold one output; this model was fitted with {member.n_outputs_}. Fit one for each.")
    classes = getattr(model, "classes_", None)
    n_outputs = 1 if classes is None else len(classes)
    members = zip(model.estimators_, model.estimators_features_, strict=True)
    return flatten(
        [_tree(member, np.asarray(columns), n_outputs) for member, columns in members],
        n_features=model.n_features_in_,
        n_outputs=n_outputs,
        link="identity",
        scale=1.0 / len(model.estimators_),
        classes=classes,
        accepts_missing=model.__sklearn_tags__().input_tags.allow_nan,
    )


def _tree(member: Any, columns: npt.NDArray[np.intp], n_outputs: int) -> Tree:
    known = getattr(member, "classes_", None)
    if known is None:
        tree = read_tree(member.tree_, member.tree_.value[:, 0], output=0)
    else:
        value = np.zeros((member.tree_.node_count, n_outputs))
        value[:, np.asarray(known, np.intp)] = member.tree_.value[:, 0, : len(known)]  # trees are fitted on the codes of the classes
        tree = read_tree(member.tree_, value, output=-1)
    return tree._replace(feature=columns[tree.feature])
