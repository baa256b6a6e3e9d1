"""Logistic experts: each is a penalised multinomial logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.families import Categorical
from ensemblekit.mixture.linear.kinds import NO_ROWS, LinearBank
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import maximise


class LogisticExperts(LinearBank, BaseEstimator):
    """A bank of multinomial logistic regressions.

    Parameters
    ----------
    n_classes : int
        At least 2.
    alpha : float, default=1.0
        L2 penalty on the coefficients of the raw columns, intercepts free: one expert alone is scikit-learn's
        ``LogisticRegression(C=1 / alpha)``.
    columns : list of (list of int or None) or None, default=None
        Columns that each expert reads; None for all.
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

    def __init__(
        self,
        n_classes: int,
        alpha: float = 1.0,
        *,
        columns: Sequence[Sequence[int] | None] | None = None,
        max_iter: int = 100,
        tol: float = 1e-4,
    ) -> None:
        self.n_classes = n_classes
        self.alpha = alpha
        self.columns = columns
        self.max_iter = max_iter
        self.tol = tol

    @property
    def log_unit(self) -> float:
        """Classes have no unit."""
        return 0.0

    @property
    def reads(self) -> Sequence[Sequence[int] | None] | None:
        """Columns of each expert."""
        return self.columns

    def start(self, y: NDArray[Any], sample_weight: Float) -> tuple[Categorical, Float]:
        """Return the family and the class codes as indicators, (n_classes - 1, n_samples)."""
        xp = namespace(y)
        classes = beside(np.arange(1, self.n_classes), y)
        return Categorical(self.n_classes), xp.astype(y == classes[:, None], sample_weight.dtype)

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
        design, (family, targets) = make_design(X, sample_weight), self.start(y, sample_weight)
        n_experts = responsibilities.shape[1]
        start = self.predictors(design) if hasattr(self, "coef_") else np.zeros((design.n_features + 1, n_experts * family.n_predictors))
        parts = np.split(start, n_experts, axis=1)
        columns = self.columns or [None] * n_experts
        for k in range(n_experts):
            mine = design.reweighted(sample_weight * responsibilities[:, k])
            objective = LinearMixture(mine, family, targets, n_experts=1, alpha=self.alpha, expert_columns=[columns[k]])
            if objective.total_weight < NO_ROWS:
                continue
            solution = maximise(objective, objective.parameters(parts[k]), max_iter=self.max_iter, tol=self.tol)
            parts[k] = objective.coefficients(solution.theta)
        return self.set_predictors(design, np.hstack(parts), n_experts)

    def set_predictors(self, design: Design, W: Float, n_experts: int) -> Self:
        """Take over the logits of all classes but the first, relative to the first, on standardised columns.

        Parameters
        ----------
        design : Design
        W : ndarray of shape (n_features + 1, n_experts * (n_classes - 1))
        n_experts : int

        Returns
        -------
        self
        """
        flat, flat_intercepts = design.raw_coefficients(W)
        contrasts = flat.reshape(n_experts, self.n_classes - 1, -1)
        intercepts = flat_intercepts.reshape(n_experts, -1)
        coef = np.concatenate([np.zeros_like(contrasts[:, :1]), contrasts], axis=1)
        intercept = np.concatenate([np.zeros_like(intercepts[:, :1]), intercepts], axis=1)
        if self.n_classes > 2:
            coef = coef - coef.mean(axis=1, keepdims=True)
            intercept = intercept - intercept.mean(axis=1, keepdims=True)
        self.coef_, self.intercept_ = coef, intercept
        return self

    def predictors(self, design: Design) -> Float:
        """Undo :meth:`set_predictors`."""
        coef, intercept = on_host(self.coef_), on_host(self.intercept_)
        contrasts = (coef[:, 1:] - coef[:, :1]).reshape(-1, design.n_features)
        return design.standardised_coefficients(contrasts, (intercept[:, 1:] - intercept[:, :1]).ravel())

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Log-probability of each row's class under each expert, (n_samples, n_experts)."""
        log_proba = self._log_proba(X)
        xp = namespace(log_proba)
        which = xp.broadcast_to(y[:, None, None], (*log_proba.shape[:2], 1))
        result: Float = xp.take_along_axis(log_proba, which, axis=2)[:, :, 0]
        return result

    def predict(self, X: Any) -> Float:
        """Class probabilities of each expert, (n_samples, n_experts, n_classes)."""
        log_proba = self._log_proba(X)
        return namespace(log_proba).exp(log_proba)

    def _log_proba(self, X: Any) -> Float:
        n_experts, n_classes, n_features = self.coef_.shape
        xp = namespace(self.coef_)
        coef, intercept = xp.reshape(self.coef_, (-1, n_features)), xp.reshape(self.intercept_, (-1,))
        logits = X @ beside(coef, X).T + beside(intercept, X)
        xp = namespace(logits)
        logits = xp.reshape(logits, (-1, n_experts, n_classes))
        logits -= xp.max(logits, axis=2, keepdims=True)
        result: Float = logits - xp.log(xp.sum(xp.exp(logits), axis=2, keepdims=True))
        return result

    def judge(self, X: Any, y: NDArray[Any]) -> Float:
        """Log-density of the rows just fitted: linear experts cannot learn them by heart."""
        return self.log_likelihood(X, y)

    def predict_one(self, X: Any, k: int) -> Float:
        """Answers of expert ``k`` alone, (n_samples, n_outputs)."""
        alone = copy(self)
        alone.coef_, alone.intercept_ = self.coef_[k : k + 1, :, :], self.intercept_[k : k + 1, :]
        return alone.predict(X)[:, 0, :]

    def penalty(self) -> float:
        """Half of ``alpha`` times the sum of squared coefficients."""
        return 0.5 * self.alpha * float(np.sum(np.square(on_host(self.coef_))))
