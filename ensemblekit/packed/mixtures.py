"""Mixtures of experts: a gate of one kind, a bank of experts of another, each packed by its own registered function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import Expert, LinearExpert
from ensemblekit.packed.model import PackedModel
from ensemblekit.packed.packing import packers
from ensemblekit.trees.registry import Registry

gate_packers: Registry[Callable[[Any], npt.NDArray[np.float64]]] = Registry("Packing a gate")
bank_packers: Registry[Callable[[Any, npt.NDArray[Any]], list[Expert]]] = Registry("Packing experts")


@packers.register("ensemblekit.MixtureOfExpertsClassifier")
def pack_mixture(model: Any) -> PackedModel:
    """Pack gate and experts.

    Parameters
    ----------
    model : fitted MixtureOfExpertsClassifier
        Its gate and experts must be of registered kinds.

    Returns
    -------
    PackedModel
        Which runs all experts, or the `top_k` that the mixture routes to.

    Raises
    ------
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
    _check_setting(model, "routing", ("soft", "top-k"))
    _check_setting(model, "combination", ("linear",))
    experts = bank_packers.find(model.experts_)(model.experts_, model.classes_)
    return assemble(
        gate_packers.find(model.gate_)(model.gate_),
        experts,
        kind=type(model).__name__,
        classes=np.asarray(model.classes_),
        n_features=int(model.n_features_in_),
        top_k=getattr(model, "top_k", None) if getattr(model, "routing", "soft") == "top-k" else None,
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


def _check_setting(model: Any, name: str, valid: tuple[str, ...]) -> None:
    value = getattr(model, name, valid[0])
    if value not in valid:
        raise ValueError(f"{name}={value!r} cannot be packed; valid: {', '.join(map(repr, valid))}.")
