"""Mixtures of experts: a gate of one kind, a bank of experts of another, each packed by its own registered function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import Expert, LinearExpert, TreeExpert, pack_expert
from ensemblekit.packed.model import PackedModel
from ensemblekit.packed.packing import packers
from ensemblekit.trees.flat import Link, flatten
from ensemblekit.trees.lightgbm_text import booster_trees
from ensemblekit.trees.registry import Registry

gate_packers: Registry[Callable[[Any], npt.NDArray[np.float64]]] = Registry("Packing a gate")
bank_packers: Registry[Callable[[Any, npt.NDArray[Any]], list[Expert]]] = Registry("Packing experts")


@packers.register("ensemblekit.MixtureOfExpertsClassifier")
def pack_mixture(model: Any) -> PackedModel:
    """Pack gate and experts.

    Parameters
    ----------
    model : fitted MixtureOfExpertsClassifier
        Its gate and experts must be of registered kinds; routing "soft", "top_k" or "feedback", combination "linear".

    Returns
    -------
    PackedModel
        Which runs all experts, or the `top_k` that the mixture routes to.

    Raises
    ------
    TypeError
        For a gate or experts that no function packs.
    ValueError
        For a routing or combination that the engine does not have.

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
    _check_setting("routing", model.routing, ("soft", "top_k", "feedback"))
    _check_setting("combination", model.combination, ("linear",))
    d = int(model.n_features_in_)
    gate = _on_all_columns(gate_packers.find(model.gate_)(model.gate_), model.gate_columns_, d)
    if model.routing == "feedback":
        gate[-1] += np.log(model.success_)
    return assemble(
        gate,
        bank_packers.find(model.experts_)(model.experts_, model.classes_),
        kind=type(model).__name__,
        classes=np.asarray(model.classes_),
        n_features=d,
        top_k=_top_k(model, gate.shape[1]),
    )


@gate_packers.register("ensemblekit.SoftmaxGate")
def pack_softmax_gate(gate: Any) -> npt.NDArray[np.float64]:
    """Stack the gate's coefficients over its intercepts.

    Parameters
    ----------
    gate : fitted SoftmaxGate
        With ``coef_`` (K, d) and ``intercept_`` (K,).

    Returns
    -------
    ndarray of float64, shape (d + 1, K)
        Logits.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pack_softmax_gate(SimpleNamespace(coef_=np.ones((2, 3)), intercept_=np.zeros(2))).shape
    (4, 2)
    """
    return np.vstack([np.asarray(gate.coef_, np.float64).T, gate.intercept_])


@gate_packers.register("ensemblekit.ConstantGate")
def pack_constant_gate(gate: Any) -> npt.NDArray[np.float64]:
    """Take the proportions' logarithms.

    Parameters
    ----------
    gate : fitted ConstantGate
        With ``intercept_`` (K,).

    Returns
    -------
    ndarray of float64, shape (1, K)
        Logits that look at no column.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pack_constant_gate(SimpleNamespace(intercept_=np.log([0.25, 0.75]))).shape
    (1, 2)
    """
    return np.array(gate.intercept_, np.float64)[None]


@bank_packers.register("ensemblekit.LogisticExperts")
def pack_logistic_bank(bank: Any, classes: npt.NDArray[Any]) -> list[Expert]:
    """Take each expert's coefficients, one row for each class.

    Parameters
    ----------
    bank : fitted LogisticExperts
        With ``coef_`` (K, C, d) and ``intercept_`` (K, C).
    classes : ndarray, shape (C,)
        The mixture's labels.

    Returns
    -------
    list of LinearExpert
        K experts.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> bank = SimpleNamespace(coef_=np.ones((2, 3, 4)), intercept_=np.zeros((2, 3)))
    >>> len(pack_logistic_bank(bank, np.arange(3)))
    2
    """
    columns = np.arange(len(classes))
    return [
        LinearExpert(np.asarray(coef, np.float64), np.asarray(intercept, np.float64), columns)
        for coef, intercept in zip(bank.coef_, bank.intercept_, strict=True)
    ]


@bank_packers.register("ensemblekit.EstimatorExperts")
def pack_estimator_bank(bank: Any, classes: npt.NDArray[Any]) -> list[Expert]:
    """Pack each estimator.

    Parameters
    ----------
    bank : fitted EstimatorExperts
        Of estimators that can be packed, on all columns.
    classes : ndarray, shape (C,)
        The mixture's labels.

    Returns
    -------
    list of LinearExpert and TreeExpert
        K experts.

    Raises
    ------
    ValueError
        When experts read columns of their own.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from types import SimpleNamespace
    >>> tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    >>> len(pack_estimator_bank(SimpleNamespace(estimators_=[tree], columns=None), np.array(["no", "yes"])))
    1
    """
    if bank.columns is not None:
        raise ValueError("Experts with columns of their own (expert_features) cannot be packed; let all read all columns.")
    codes = np.arange(len(classes))  # fitted experts speak of codes, frozen ones of labels
    return [
        pack_expert(estimator.estimator, np.asarray(classes)) if isinstance(estimator, FrozenEstimator) else pack_expert(estimator, codes)
        for estimator in bank.estimators_
    ]


@bank_packers.register("ensemblekit.BoostedExperts")
def pack_boosted_bank(bank: Any, classes: npt.NDArray[Any]) -> list[Expert]:
    """Pack each expert's booster; trees that all share are copied to each, and counted for each.

    Parameters
    ----------
    bank : fitted BoostedExperts
        With ``boosters_``, ``base_`` (K, n_scores) and perhaps ``shared_booster_``.
    classes : ndarray, shape (C,)
        The mixture's labels.

    Returns
    -------
    list of TreeExpert
        K experts.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ensemblekit.mixture import MixtureOfExpertsClassifier
    >>> mixture = MixtureOfExpertsClassifier(n_experts=2, experts="boosted", n_init=1, random_state=0)
    >>> len(pack_boosted_bank(mixture.fit(*load_iris(return_X_y=True)).experts_, np.arange(3)))
    2
    """
    shared = [] if bank.shared_booster_ is None else booster_trees(bank.shared_booster_)[1]
    n_outputs = bank.base_.shape[1]
    link: Link = "sigmoid" if n_outputs == 1 else "softmax"
    forests = [
        flatten(shared + booster_trees(booster)[1], n_features=int(bank.n_features_in_), n_outputs=n_outputs, link=link, base=base)
        for booster, base in zip(bank.boosters_, bank.base_, strict=True)
    ]
    return [TreeExpert(trees, np.arange(len(classes))) for trees in forests]


def _on_all_columns(gate: npt.NDArray[np.float64], columns: list[int] | None, d: int) -> npt.NDArray[np.float64]:
    """Spread the coefficients of a gate that reads some of the columns."""
    if columns is None or len(gate) == 1:
        return gate
    table = np.zeros((d + 1, gate.shape[1]))
    np.add.at(table, [*columns, d], gate)  # a column that is named twice counts twice
    return table


def _top_k(model: Any, n_experts: int) -> int | None:
    if model.routing == "soft":
        return None
    everyone = 1 if model.routing == "top_k" else n_experts
    return everyone if model.top_k is None else min(int(model.top_k), n_experts)


def _check_setting(name: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise ValueError(f"{name}={value!r} cannot be packed; valid: {', '.join(map(repr, valid))}.")
