"""The softmax gate: the experts' probabilities are a multinomial logistic regression on the row."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical
from ensemblekit.mixture.linear.kinds import LinearGate
from ensemblekit.mixture.linear.namespaces import beside, on_host
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp
from ensemblekit.mixture.linear.solve import maximise


class SoftmaxGate(LinearGate, BaseEstimator):
    """Softmax of linear functions of the row (Jacobs, Jordan, Nowlan and Hinton, 1991).

    Parameters
    ----------
    alpha : float or None, default=None
        L2 penalty on the coefficients of the raw columns, intercepts free; None for the mixture's own ``alpha``.
    max_iter : int, default=100
        Newton steps of one M-step, at most.
    tol : float, default=1e-4
        Gradient of the mean log-likelihood at which an M-step stops.

    Attributes
    ----------
    coef_ : ndarray of shape (n_experts, n_features)
        Coefficients; each column sums to zero, since only differences count.
    intercept_ : ndarray of shape (n_experts,)

    References
    ----------
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton (1991). Adaptive mixtures of local experts. Neural Computation 3(1), 79-87.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-1.0], [0.0], [1.0]])
    >>> R = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]])
    >>> gate = SoftmaxGate(alpha=1e-6).fit(X, R, np.ones(3))
    >>> np.exp(gate.log_proba(X)).round(3)
    array([[0.9, 0.1],
           [0.5, 0.5],
           [0.1, 0.9]])
    """

    def __init__(self, alpha: float | None = None, *, max_iter: int = 100, tol: float = 1e-4) -> None:
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Fit a multinomial logistic regression to the responsibilities as soft targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        design = make_design(X, sample_weight)
        n_experts = responsibilities.shape[1]
        if n_experts == 1:
            return self.set_contrasts(np.zeros((0, design.n_features)), np.zeros(0))
        objective = LinearMixture(
            design,
            Categorical(n_experts, symmetric=True),
            responsibilities.T[1:, :],
            n_experts=1,
            alpha=self.strength,
        )
        start = np.zeros(objective.size)
        if hasattr(self, "coef_"):
            start = objective.parameters(design.standardised_coefficients(*self.contrasts()))
        solution = maximise(objective, start, max_iter=self.max_iter, tol=self.tol)
        return self.set_contrasts(*design.raw_coefficients(objective.coefficients(solution.theta)))

    def set_contrasts(self, contrasts: Float, intercepts: Float) -> Self:
        """Take over coefficients found elsewhere.

        Parameters
        ----------
        contrasts : ndarray of shape (n_experts - 1, n_features)
            Coefficients of all experts but the first, relative to the first.
        intercepts : ndarray of shape (n_experts - 1,)

        Returns
        -------
        self
        """
        coef = np.vstack([np.zeros((1, contrasts.shape[1])), contrasts])
        intercept = np.append(0.0, intercepts)
        self.coef_ = coef - coef.mean(axis=0)
        self.intercept_ = intercept - intercept.mean()
        return self

    def contrasts(self) -> tuple[Float, Float]:
        """Coefficients and intercepts of all experts but the first, relative to the first."""
        coef, intercept = on_host(self.coef_), on_host(self.intercept_)
        return coef[1:] - coef[0], intercept[1:] - intercept[0]

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the gate's probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        logits = X @ beside(self.coef_, X).T + beside(self.intercept_, X)
        result: Float = logits - logsumexp(logits.T)[:, None]
        return result

    def penalty(self) -> float:
        """Half of ``alpha`` times the sum of squared coefficients."""
        return 0.5 * self.strength * float(np.sum(np.square(on_host(self.coef_))))

    @property
    def strength(self) -> float:
        """The penalty in force."""
        return 0.0 if self.alpha is None else self.alpha

    @property
    def reads(self) -> None:
        """All columns that it is given."""
        return
