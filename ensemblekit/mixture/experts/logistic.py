"""Logistic experts: each is a penalised multinomial logistic regression."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import safe_sparse_dot

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.families import Categorical
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import maximise


class LogisticExperts(BaseEstimator):
    """A bank of multinomial logistic regressions.

    Parameters
    ----------
    n_classes : int
        At least 2.
    alpha : float, default=1.0
        L2 penalty on the coefficients of the raw columns, intercepts free: one expert alone is scikit-learn's
        ``LogisticRegression(C=1 / alpha)``.
    max_iter : int, default=100
        Newton steps of one M-step, at most.
    tol : float, default=1e-4
        Gradient of the mean log-likelihood at which an M-step stops.

    Attributes
    ----------
    coef_ : ndarray of shape (n_experts, n_classes, n_features)
        Coefficients of the logit of each class. With two classes those of the first are zero; with more, they sum to zero over classes.
    intercept_ : ndarray of shape (n_experts, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([0, 1, 0, 1])
    >>> bank = LogisticExperts(n_classes=2).fit(X, y, np.ones((4, 1)), np.ones(4))
    >>> bank.predict(X).shape
    (4, 1, 2)
    """

    def __init__(self, n_classes: int, alpha: float = 1.0, *, max_iter: int = 100, tol: float = 1e-4) -> None:
        self.n_classes = n_classes
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol

    @property
    def family(self) -> Categorical:
        """The density of the answers."""
        return Categorical(self.n_classes)

    def targets(self, y: NDArray[Any]) -> Float:
        """Turn class codes into the rows that the family reads, (n_classes - 1, n_samples)."""
        targets: Float = (y == np.arange(1, self.n_classes)[:, None]).astype(np.float64)
        return targets

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:
        """Fit each expert to the rows that it is responsible for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ndarray of int of shape (n_samples,)
            Class codes.
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        design, targets = make_design(X, sample_weight), self.targets(y)
        n_experts = responsibilities.shape[1]
        logits = [self._fit_one(design, targets, k, responsibilities[:, k]) for k in range(n_experts)]
        return self.set_coefficients(*(np.stack(parts) for parts in zip(*logits, strict=True)))

    def _fit_one(self, design: Design, targets: Float, k: int, responsibility: Float) -> tuple[Float, Float]:
        mine = design.reweighted(design.sample_weight * responsibility)
        objective = LinearMixture(mine, self.family, targets, n_experts=1, alpha=self.alpha)
        start = np.zeros(objective.size)
        if hasattr(self, "coef_"):
            contrasts = self.coef_[k, 1:] - self.coef_[k, 0], self.intercept_[k, 1:] - self.intercept_[k, 0]
            start = objective.parameters(design.standardised_coefficients(*contrasts))
        solution = maximise(objective, start, max_iter=self.max_iter, tol=self.tol)
        return design.raw_coefficients(objective.coefficients(solution.theta))

    def set_coefficients(self, contrasts: Float, intercepts: Float) -> Self:
        """Take over coefficients found elsewhere.

        Parameters
        ----------
        contrasts : ndarray of shape (n_experts, n_classes - 1, n_features)
            Coefficients of all classes but the first, relative to the first.
        intercepts : ndarray of shape (n_experts, n_classes - 1)

        Returns
        -------
        self
        """
        coef = np.concatenate([np.zeros_like(contrasts[:, :1]), contrasts], axis=1)
        intercept = np.concatenate([np.zeros_like(intercepts[:, :1]), intercepts], axis=1)
        if self.n_classes > 2:
            coef = coef - coef.mean(axis=1, keepdims=True)
            intercept = intercept - intercept.mean(axis=1, keepdims=True)
        self.coef_, self.intercept_ = coef, intercept
        return self

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Log-probability of each row's class under each expert, (n_samples, n_experts)."""
        log_proba = self._log_proba(X)
        result: Float = np.take_along_axis(log_proba, y[:, None, None], axis=2)[:, :, 0]
        return result

    def predict(self, X: Any) -> Float:
        """Class probabilities of each expert, (n_samples, n_experts, n_classes)."""
        return np.exp(self._log_proba(X))

    def _log_proba(self, X: Any) -> Float:
        n_experts, n_classes, n_features = self.coef_.shape
        flat = self.coef_.reshape(-1, n_features)
        logits = safe_sparse_dot(X, flat.T) + self.intercept_.ravel()
        logits = logits.reshape(-1, n_experts, n_classes)
        logits -= logits.max(axis=2, keepdims=True)
        result: Float = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return result

    def penalty(self) -> float:
        """Half of ``alpha`` times the sum of squared coefficients."""
        return 0.5 * self.alpha * float(np.sum(np.square(self.coef_)))
