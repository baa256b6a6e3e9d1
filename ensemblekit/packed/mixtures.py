"""Mixtures of experts: a gate of one kind, a bank of experts of another, each packed by its own registered function."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.frozen import FrozenEstimator
from sklearn.utils._array_api import _estimator_with_converted_arrays
from sklearn.utils.validation import check_is_fitted

from ensemblekit.mixture.linear.namespaces import on_host
from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import (
    ONE_OUTPUT,
    Expert,
    LinearExpert,
    TreeExpert,
    expert_packers,
    on_columns,
    pack_expert,
    regressor_packers,
)
from ensemblekit.packed.gates import with_offset
from ensemblekit.packed.mixture_gates import gate_packers
from ensemblekit.packed.model import Combination, PackedModel
from ensemblekit.packed.packing import packers
from ensemblekit.trees.flat import Link, Tree, flatten
from ensemblekit.trees.lightgbm_text import booster_trees
from ensemblekit.trees.registry import Registry

Classes = npt.NDArray[Any] | None
bank_packers: Registry[Callable[[Any, Classes, int], list[Expert]]] = Registry("Packing experts")
COMBINATIONS: dict[str, Combination] = {"linear": "mean", "product": "product", "additive": "additive"}


@packers.register("ensemblekit.MixtureOfExpertsClassifier", "ensemblekit.MixtureOfExpertsRegressor")
def pack_mixture(model: Any) -> PackedModel:
    """Pack gate and experts.

    Parameters
    ----------
    model : fitted MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
        Its gate and experts must be of registered kinds; any routing but "random".

    Returns
    -------
    PackedModel
        Which runs the experts that the mixture routes to.

    Raises
    ------
    TypeError
        For a gate or experts that no function packs.
    ValueError
        For routing "random": a packed model gives the same answer every time.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ensemblekit.mixture import MixtureOfExpertsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mixture = MixtureOfExpertsClassifier(n_experts=2, n_init=1, random_state=0).fit(X, y)
    >>> pack_mixture(mixture).n_experts
    2
    """
    check_is_fitted(model)
    model._check_mixing()
    if model.routing_ == "random":
        raise ValueError(
            "routing='random' cannot be packed, since a packed model draws nothing; valid: 'soft', 'top_k', 'threshold', 'feedback'. "
            "Set one of them on the fitted mixture."
        )
    model = _on_host(model)
    classes = model.classes_ if hasattr(model, "classes_") else None
    d = int(model.n_features_in_)
    gate = gate_packers.find(model.gate_)(model.gate_, model.gate_columns_, d)
    densities = classes is None and model.combination_ == "product"
    return assemble(
        with_offset(gate, np.log(model.success_)) if model.routing_ == "feedback" else gate,
        bank_packers.find(model.experts_)(model.experts_, classes, d),
        kind=type(model).__name__,
        classes=classes,
        n_features=d,
        top_k=_top_k(model, len(gate.path)),
        threshold=model.threshold if model.routing_ == "threshold" else 0.0,
        combination="mean" if densities else COMBINATIONS[model.combination_],
        precision=(model.experts_.deviation_.min() / model.experts_.deviation_) ** 2 if densities else 1.0,
    )


@bank_packers.register("ensemblekit.LogisticExperts")
def pack_logistic_bank(bank: Any, classes: Classes, n_features: int) -> list[Expert]:  # noqa: ARG001  # they know both themselves
    """Take each expert's coefficients, one row for each class.

    Parameters
    ----------
    bank : fitted LogisticExperts
        With ``coef_`` (K, C, d) and ``intercept_`` (K, C).
    classes : ndarray, shape (C,)
        The mixture's labels.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    list of LinearExpert
        K experts.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> bank = SimpleNamespace(coef_=np.ones((2, 3, 4)), intercept_=np.zeros((2, 3)))
    >>> len(pack_logistic_bank(bank, np.arange(3), 4))
    2
    """
    columns = np.arange(bank.coef_.shape[1])
    return [
        LinearExpert(np.asarray(coef, np.float64), np.asarray(intercept, np.float64), columns)
        for coef, intercept in zip(bank.coef_, bank.intercept_, strict=True)
    ]


@bank_packers.register("ensemblekit.LinearExperts")
def pack_linear_bank(bank: Any, classes: Classes, n_features: int) -> list[Expert]:  # noqa: ARG001
    """Take each expert's coefficients for the mean.

    Parameters
    ----------
    bank : fitted LinearExperts
        With ``coef_`` (K, d) and ``intercept_`` (K,).
    classes : None
        There are none.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    list of LinearExpert
        K experts.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> len(pack_linear_bank(SimpleNamespace(coef_=np.ones((2, 4)), intercept_=np.zeros(2)), None, 4))
    2
    """
    return [
        LinearExpert(np.asarray(coef, np.float64)[None], np.array([intercept], np.float64), ONE_OUTPUT, link="identity")
        for coef, intercept in zip(bank.coef_, bank.intercept_, strict=True)
    ]


@bank_packers.register("ensemblekit.EstimatorExperts")
def pack_estimator_bank(bank: Any, classes: Classes, n_features: int) -> list[Expert]:
    """Pack each estimator, on the columns that it reads.

    Parameters
    ----------
    bank : fitted EstimatorExperts
        Of estimators that can be packed.
    classes : ndarray, shape (C,), or None
        The mixture's labels; None for regression.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    list of LinearExpert and TreeExpert
        K experts.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from types import SimpleNamespace
    >>> tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    >>> bank = SimpleNamespace(estimators_=[tree], columns=[[2]])
    >>> pack_estimator_bank(bank, np.array(["no", "yes"]), 3)[0].trees.n_features
    3
    """
    columns = bank.columns or [None] * len(bank.estimators_)
    return [
        on_columns(pack_expert(estimator, _spoken(estimator, classes)), own, n_features)
        for estimator, own in zip(bank.estimators_, columns, strict=True)
    ]


def _spoken(estimator: Any, classes: Classes) -> Classes:
    """Classes as the expert names them: fitted experts speak of codes, frozen ones of labels."""
    if classes is None:
        return None
    return classes if isinstance(estimator, FrozenEstimator) else np.arange(len(classes))


@expert_packers.register("ensemblekit.SingleClassifier")
def _pack_single_classifier(estimator: Any, columns: npt.NDArray[np.intp]) -> Expert:
    """Take one expert out of the bank of another mixture; it names its classes by their place among those."""
    bank = estimator.bank
    expert = bank_packers.find(bank)(bank, estimator.classes, estimator.n_features)[estimator.k]
    return expert._replace(columns=columns[expert.columns])


@regressor_packers.register("ensemblekit.SingleRegressor")
def _pack_single_regressor(estimator: Any) -> Expert:
    bank = estimator.bank
    return bank_packers.find(bank)(bank, None, estimator.n_features)[estimator.k]


@bank_packers.register("ensemblekit.BoostedExperts")
def pack_boosted_bank(bank: Any, classes: Classes, n_features: int) -> list[Expert]:
    """Pack each expert's booster; trees that all share are copied to each, and counted for each.

    Parameters
    ----------
    bank : fitted BoostedExperts
        With ``boosters_``, ``base_`` (K, n_scores) and perhaps ``shared_booster_``.
    classes : ndarray, shape (C,), or None
        The mixture's labels; None for regression.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    list of TreeExpert, or LinearExpert for an expert without trees
        K experts.

    Raises
    ------
    ValueError
        When a column has cells that float32 does not hold.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ensemblekit.mixture import MixtureOfExpertsClassifier
    >>> mixture = MixtureOfExpertsClassifier(n_experts=2, experts="boosted", n_init=1, random_state=0)
    >>> len(pack_boosted_bank(mixture.fit(*load_iris(return_X_y=True)).experts_, np.arange(3), 4))
    2
    """
    if bank.exponents_.any():
        extreme = np.flatnonzero(bank.exponents_).tolist()
        raise ValueError(f"Packed rows are float32, which does not hold the cells of columns {extreme}: scale these before fitting.")
    shared = _trees(bank.shared_booster_)
    return [
        _boosted_expert(bank, shared + _trees(booster), base, classes, n_features)
        for booster, base in zip(bank.boosters_, bank.base_, strict=True)
    ]


def _trees(booster: Any) -> list[Tree]:
    return [] if booster is None else booster_trees(booster)[1]


def _boosted_expert(bank: Any, trees: list[Tree], base: npt.NDArray[np.float64], classes: Classes, n_features: int) -> Expert:
    if classes is None:
        return _boosted_regression(bank, trees, base, n_features)
    columns = np.arange(len(classes))
    link: Link = "sigmoid" if len(base) == 1 else "softmax"
    if not trees:
        return LinearExpert(np.zeros((len(classes), n_features)), np.append(0.0, base) if len(base) == 1 else base, columns)
    return TreeExpert(flatten(trees, n_features=n_features, n_outputs=len(base), link=link, base=base), columns)


def _boosted_regression(bank: Any, trees: list[Tree], base: npt.NDArray[np.float64], n_features: int) -> Expert:
    mean = bank.location_ + bank.unit_ * base
    if not trees:
        return LinearExpert(np.zeros((1, n_features)), mean, ONE_OUTPUT, link="identity")
    forest = flatten(trees, n_features=n_features, n_outputs=1, link="identity", scale=bank.unit_, base=mean)
    return TreeExpert(forest, ONE_OUTPUT, is_regression=True)


def _on_host(model: Any) -> Any:
    """Bring what was fitted to an array of another library to NumPy."""
    host = copy(model)
    for name in ("classes_", "gate_", "experts_", "success_"):
        if hasattr(model, name) and not isinstance(model.success_, np.ndarray):
            setattr(host, name, _estimator_with_converted_arrays(getattr(model, name), on_host))
    return host


def _top_k(model: Any, n_experts: int) -> int | None:
    if model.routing_ in ("soft", "threshold"):
        return None
    everyone = 1 if model.routing_ == "top_k" else n_experts
    return everyone if model.top_k_ is None else min(int(model.top_k_), n_experts)
