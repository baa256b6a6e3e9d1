"""`pack`: one registered function for each kind of model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import expert_packers, pack_expert
from ensemblekit.packed.model import PackedModel
from ensemblekit.trees.registry import Registry

packers: Registry[Callable[[Any], PackedModel]] = Registry("Packing")


def pack(model: Any) -> PackedModel:
    """Turn a fitted classifier into plain arrays that one fast engine evaluates, on the CPU or on a GPU.

    Parameters
    ----------
    model : fitted classifier
        A mixture of experts, an averaging, weighted or voting ensemble, scikit-learn's `VotingClassifier`, a random
        forest, extra trees, gradient boosting, hist gradient boosting, decision tree or logistic regression, an XGBoost
        or LightGBM classifier, or a pipeline that ends in one of them.

    Returns
    -------
    PackedModel
        With the same probabilities for float32 rows: to 1e-6 on the CPU.

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
    """Pack one classifier as a model of one expert.

    Parameters
    ----------
    model : fitted classifier
        A kind of `expert_packers`.

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
    return assemble(
        constant_gate(np.ones(1)),
        [pack_expert(model, model.classes_)],
        kind=type(model).__name__,
        classes=np.asarray(model.classes_),
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
    packers.register(*expert_packers.names)(pack_single)
