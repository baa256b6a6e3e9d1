"""The two contracts of a mixture: what a gate and a bank of experts must offer. The EM loop knows nothing else of them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


class Gate(Protocol):
    """Gives every row a distribution over the experts."""

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Climb the expected log-probability of the experts; start from the present parameters, if any.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        sample_weight : ndarray of shape (n_samples,)
            Positive.
        """

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the gate's probabilities, shape (n_samples, n_experts)."""

    def penalty(self) -> float:
        """Return what the penalised log-likelihood loses by the present parameters; zero without a penalty."""


class ExpertBank(Protocol):
    """All the experts of a mixture; one object, so that they can move in one step."""

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:
        """Climb every expert's expected log-likelihood; start from the present parameters, if any.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class codes 0 .. n_classes - 1, or real answers.
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)
            Positive.
        """

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Natural log-density of each answer under each expert, shape (n_samples, n_experts)."""

    def judge(self, X: Any, y: NDArray[Any]) -> Float:
        """Log-density of the rows just fitted, on which responsibilities rest.

        The same as :meth:`log_likelihood`, unless the experts could have learnt their rows by heart: then by experts that did not see
        them.
        """

    def predict_one(self, X: Any, k: int) -> Float:
        """Answers of expert ``k`` alone, shape (n_samples, n_outputs)."""

    def predict(self, X: Any) -> Float:
        """Each expert's answer, shape (n_samples, n_experts, n_outputs): class probabilities, or one column of means."""

    def penalty(self) -> float:
        """Return what the penalised log-likelihood loses by the present parameters."""


class Data(NamedTuple):
    """What a mixture is fitted to.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        What the experts see.
    X_gate : array-like of shape (n_samples, n_gate_features)
        What the gate sees.
    y : ndarray of shape (n_samples,)
        Class codes, or real answers.
    sample_weight : ndarray of shape (n_samples,)
        Positive.
    """

    X: Any
    X_gate: Any
    y: NDArray[Any]
    sample_weight: Float
