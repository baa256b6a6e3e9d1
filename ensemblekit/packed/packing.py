"""`pack`: one registered function for each kind of model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import expert_packers, pack_expert, regressor_packers
from ensemblekit.packed.model import PackedModel
from ensemblekit.trees.registry import Registry

packers: Registry[Callable[[Any], PackedModel]] = Registry("Packing")


def pack(model: Any) -> PackedModel:
    """Turn a fitted classifier or regressor into plain arrays that one fast engine evaluates, on the CPU or on a GPU.

    Parameters
    ----------
    model : fitted estimator
        A mixture of experts, an averaging, weighted or voting ensemble, scikit-learn's `VotingClassifier` or
        `VotingRegressor`, a random forest, extra trees, gradient boosting, hist gradient boosting, decision tree, logistic or
        linear regression, an XGBoost or LightGBM classifier or regressor, a frozen one of these, or a pipeline that ends in one.

    Returns
    -------
    PackedModel
        With the same answers to float32 rows on the CPU: probabilities to 1e-6, and a regressor's to 1e-6 of the spread of its
        answers.

    Raises
    ------
    TypeError
        For a kind, or a member, that cannot be packed; the message lists the kinds.
    ValueError
        For settings that plain arrays cannot express.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X, y)
    >>> bool(abs(pack(model).predict_proba(X) - model.predict_proba(X.astype("f4"))).max() < 1e-6)
    True
    """
    return packers.find(model)(model)


def pack_single(model: Any) -> PackedModel:
    """Pack one classifier or regressor as a model of one expert.

    Parameters
    ----------
    model : fitted estimator
        A kind of `expert_packers` or `regressor_packers`.

    Returns
    -------
    PackedModel
        With K = 1.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> pack_single(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])).n_experts
    1
    """
    check_is_fitted(model)
    classes = None if is_regressor(model) else np.asarray(model.classes_)
    return assemble(
        constant_gate(np.ones(1)),
        [pack_expert(model, classes)],
        kind=type(model).__name__,
        classes=classes,
        n_features=int(model.n_features_in_),
    )


def register_single_kinds() -> None:
    """Offer every expert kind as a model of its own; called once all expert kinds are known.

    Examples
    --------
    >>> register_single_kinds()
    >>> "sklearn.DecisionTreeClassifier" in packers.names
    True
    """
    packers.register(*expert_packers.names, *regressor_packers.names)(pack_single)
    packers.register("sklearn.FrozenEstimator")(lambda model: pack(model.estimator))
