"""scikit-learn's GradientBoostingClassifier: scalar leaves, shrunk by the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier

from ensemblekit.trees.flat import TreeEnsemble, flatten
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
    stages = model.estimators_  # (n_stages, n_outputs); n_estimators may say more when stopping was early
    base = _start(model)
    # p = 1 / (1 + exp(-2 margin)) under the exponential loss (Friedman, Hastie and Tibshirani 2000, lemma 1).
    scale = 2.0 if model.loss == "exponential" else 1.0
    return flatten(
        [
            read_tree(member.tree_, member.tree_.value[:, 0] * model.learning_rate, output=column)
            for stage in stages
            for column, member in enumerate(stage)
        ],
        n_features=model.n_features_in_,
        n_outputs=stages.shape[1],
        link="sigmoid" if stages.shape[1] == 1 else "softmax",
        scale=scale,
        base=scale * base,
        classes=model.classes_,
        accepts_missing=False,
    )


def _start(model: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not (model.init_ == "zero" or isinstance(model.init_, DummyClassifier)):
        raise ValueError(
            f"GradientBoostingClassifier(init={model.init_!r}) starts from predictions that vary by row, "
            "which flat trees cannot hold. Valid: init=None or init='zero'."
        )
    row = np.zeros((1, model.n_features_in_), np.float32)
    return np.asarray(model._raw_predict_init(row)[0], np.float64)
