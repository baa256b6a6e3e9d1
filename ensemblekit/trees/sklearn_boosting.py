"""scikit-learn's gradient boosting: scalar leaves, shrunk by the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from ensemblekit.trees.flat import Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import readers
from ensemblekit.trees.sklearn_forest import read_tree


@readers.register("sklearn.GradientBoostingClassifier")
def read_gradient_boosting(model: Any) -> TreeEnsemble:
    """Read the fitted stages, early-stopped or not.

    Parameters
    ----------
    model : fitted GradientBoostingClassifier
        With the default start, or ``init="zero"``.

    Returns
    -------
    TreeEnsemble
        Sigmoid link for two classes, softmax for more.

    Raises
    ------
    ValueError
        When an estimator of its own starts the boosting: its prediction varies by row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> read_gradient_boosting(GradientBoostingClassifier(n_estimators=2).fit(*load_iris(return_X_y=True))).n_trees
    6
    """
    n_outputs = model.estimators_.shape[1]
    base = _start(model)
    # p = 1 / (1 + exp(-2 margin)) under the exponential loss (Friedman, Hastie and Tibshirani 2000, lemma 1).
    scale = 2.0 if model.loss == "exponential" else 1.0
    return flatten(
        _trees(model),
        n_features=model.n_features_in_,
        n_outputs=n_outputs,
        link="sigmoid" if n_outputs == 1 else "softmax",
        scale=scale,
        base=scale * base,
        classes=model.classes_,
        accepts_missing=False,
    )


@readers.register("sklearn.GradientBoostingRegressor")
def read_gradient_boosting_regressor(model: Any) -> TreeEnsemble:
    """Read the fitted stages, early-stopped or not.

    Parameters
    ----------
    model : fitted GradientBoostingRegressor
        With the default start, or ``init="zero"``.

    Returns
    -------
    TreeEnsemble
        Identity link.

    Raises
    ------
    ValueError
        When an estimator of its own starts the boosting: its prediction varies by row.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import GradientBoostingRegressor
    >>> read_gradient_boosting_regressor(GradientBoostingRegressor(n_estimators=2).fit(*load_diabetes(return_X_y=True))).n_trees
    2
    """
    return flatten(_trees(model), n_features=model.n_features_in_, n_outputs=1, link="identity", base=_start(model), accepts_missing=False)


def _trees(model: Any) -> list[Tree]:
    return [
        read_tree(member.tree_, member.tree_.value[:, 0] * model.learning_rate, output=column)
        for stage in model.estimators_  # n_estimators may say more when stopping was early
        for column, member in enumerate(stage)
    ]


def _start(model: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not (model.init_ == "zero" or isinstance(model.init_, DummyClassifier | DummyRegressor)):
        raise ValueError(
            f"{type(model).__name__}(init={model.init_!r}) starts from predictions that vary by row, "
            "which flat trees cannot hold. Valid: init=None or init='zero'."
        )
    row = np.zeros((1, model.n_features_in_), np.float32)
    return np.asarray(model._raw_predict_init(row)[0], np.float64)
