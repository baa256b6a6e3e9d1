"""Linear experts: each is a penalised linear regression with a variance of its own."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.experts.normal import normal_log_density
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.families import Gaussian
from ensemblekit.mixture.linear.kinds import NO_ROWS, LinearBank
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import maximise

#: Smallest standard deviation of an expert, relative to that of the answers.
DEVIATION_FLOOR = 1e-3


class LinearExperts(LinearBank, BaseEstimator):
    """A bank of Gaussian linear regressions.

    The answers are measured in units of their standard deviation s, so that the fit does not depend on their unit: the penalty is
    ``alpha / (2 s ** 2)`` times the sum of squared coefficients.

    Parameters
    ----------
    alpha : float, default=1.0
        L2 penalty on the coefficients of the raw columns, intercepts free.
    columns : list of (list of int or None) or None, default=None
        Columns that each expert reads; None for all.
    max_iter : int, default=100
        Newton steps of one M-step, at most.
    tol : float, default=1e-4
        Gradient of the mean log-likelihood at which an M-step stops.

    Attributes
    ----------
    coef_ : ndarray of shape (n_experts, n_features)
    intercept_ : ndarray of shape (n_experts,)
    deviation_ : ndarray of shape (n_experts,)
        Standard deviation of each expert's answers; at least a thousandth of that of all answers, since an expert that shrinks onto one
        row would have an infinite likelihood.
    location_, unit_ : float
        Mean and standard deviation of the training answers.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(4.0)[:, None]
    >>> bank = LinearExperts(alpha=1e-6).fit(X, 2 * X.ravel() + 1, np.ones((4, 1)), np.ones(4))
    >>> bank.coef_.round(3), bank.intercept_.round(3)
    (array([[2.]]), array([1.]))
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        columns: Sequence[Sequence[int] | None] | None = None,
        max_iter: int = 100,
        tol: float = 1e-4,
    ) -> None:
        self.alpha = alpha
        self.columns = columns
        self.max_iter = max_iter
        self.tol = tol

    @property
    def log_unit(self) -> float:
        """Logarithm of the standard deviation of the answers."""
        return float(np.log(self.unit_))

    @property
    def reads(self) -> Sequence[Sequence[int] | None] | None:
        """Columns of each expert."""
        return self.columns

    def start(self, y: NDArray[Any], sample_weight: Float) -> tuple[Gaussian, Float]:
        """Return the family and the standardised answers, (1, n_samples)."""
        if not hasattr(self, "unit_"):
            xp = namespace(y)
            share = sample_weight / xp.sum(sample_weight)
            largest = max(float(xp.max(xp.abs(y))), np.finfo(float).tiny)  # so that no square overflows
            scaled = y / largest
            mean = float(share @ scaled)
            self.location_ = mean * largest
            self.unit_ = float(xp.sqrt(share @ xp.square(scaled - mean))) * largest or 1.0
        return Gaussian(DEVIATION_FLOOR**2), (y - self.location_)[None, :] / self.unit_

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:
        """Fit each expert to the rows that it is responsible for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        design, (family, targets) = make_design(X, sample_weight), self.start(y, sample_weight)
        n_experts = responsibilities.shape[1]
        parts = []
        columns = self.columns or [None] * n_experts
        before = np.split(self.predictors(design), n_experts, axis=1) if hasattr(self, "coef_") else None
        for k in range(n_experts):
            mine = design.reweighted(sample_weight * responsibilities[:, k])
            objective = LinearMixture(mine, family, targets, n_experts=1, alpha=self.alpha, expert_columns=[columns[k]])
            start = _least_squares(objective) if before is None else before[k]
            if objective.total_weight < NO_ROWS:
                parts.append(start)
                continue
            solution = maximise(objective, objective.parameters(start), max_iter=self.max_iter, tol=self.tol)
            parts.append(objective.coefficients(solution.theta))
        return self.set_predictors(design, np.hstack(parts), n_experts)

    def set_predictors(self, design: Design, W: Float, n_experts: int) -> Self:
        """Take over means and logarithms of variances above the floor, on standardised columns and answers.

        Parameters
        ----------
        design : Design
        W : ndarray of shape (n_features + 1, 2 * n_experts)
        n_experts : int

        Returns
        -------
        self
        """
        coef, intercept = design.raw_coefficients(W[:, ::2])
        self.coef_ = coef.reshape(n_experts, -1) * self.unit_
        self.intercept_ = intercept * self.unit_ + self.location_
        self.deviation_ = np.sqrt(DEVIATION_FLOOR**2 + np.exp(W[-1, 1::2])) * self.unit_
        return self

    def predictors(self, design: Design) -> Float:
        """Undo :meth:`set_predictors`."""
        coef, intercept = on_host(self.coef_), on_host(self.intercept_)
        W = np.zeros((design.n_features + 1, 2 * intercept.size))
        W[:, ::2] = design.standardised_coefficients(coef / self.unit_, (intercept - self.location_) / self.unit_)
        excess = np.square(on_host(self.deviation_) / self.unit_) - DEVIATION_FLOOR**2
        W[-1, 1::2] = np.log(np.maximum(excess, DEVIATION_FLOOR**4))
        return W

    def bound_deviations(self, X: Any, y: NDArray[Any]) -> Self:
        """Bring deviations down to the largest error that each expert makes on any row.

        The best deviation is a mean of errors, and never above it. An expert that answers for no row is not held by any: its variance
        may grow without end, and would swamp the mixture's, however little the gate thinks of it. No row's density falls by this.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows that were fitted.
        y : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        means = self.predict(X)[:, :, 0]
        xp, deviation = namespace(means), beside(self.deviation_, means)
        largest = xp.max(xp.abs(y[:, None] - means), axis=0)
        floor = xp.full_like(largest, DEVIATION_FLOOR * self.unit_)
        largest = xp.where(largest > floor, largest, floor)
        self.deviation_ = xp.where(deviation > largest, largest, deviation)
        return self

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Natural log-density of each answer under each expert, (n_samples, n_experts)."""
        means = self.predict(X)[:, :, 0]
        return normal_log_density(y[:, None], means, beside(self.deviation_, X))

    def predict(self, X: Any) -> Float:
        """Mean of each expert, (n_samples, n_experts, 1)."""
        means: Float = (X @ beside(self.coef_, X).T + beside(self.intercept_, X))[:, :, None]
        return means

    def judge(self, X: Any, y: NDArray[Any]) -> Float:
        """Log-density of the rows just fitted: linear experts cannot learn them by heart."""
        return self.log_likelihood(X, y)

    def predict_one(self, X: Any, k: int) -> Float:
        """Answers of expert ``k`` alone, (n_samples, n_outputs)."""
        alone = copy(self)
        alone.coef_, alone.intercept_ = self.coef_[k : k + 1, :], self.intercept_[k : k + 1]
        return alone.predict(X)[:, 0, :]

    def penalty(self) -> float:
        """Half of ``alpha`` times the sum of squared coefficients in units of the answers' standard deviation."""
        return 0.5 * self.alpha * float(np.sum(np.square(on_host(self.coef_) / self.unit_)))


def _least_squares(objective: LinearMixture) -> Float:
    """Ridge regression and its residual variance: where Newton on mean and variance together begins well."""
    group = objective.groups[0]
    share = objective.design.sample_weight / objective.total_weight
    Z, y = take_rows(objective.design.Z, group.columns, axis=1), objective.targets[0, :]
    weighted = Z.T.multiply(share).tocsr() if sp.issparse(Z) else Z.T * share
    gram = weighted @ Z
    gram = gram.toarray() if sp.issparse(gram) else on_host(gram)
    slopes = scipy.linalg.lstsq(gram + np.diag(group.penalty), on_host(weighted @ y))[0]
    W = np.zeros((objective.design.n_features + 1, 2))
    W[group.columns, 0] = slopes
    error = y - Z @ beside(slopes, Z)
    variance = float(share @ (error * error))
    W[-1, 1] = np.log(max(variance, DEVIATION_FLOOR**2))
    return W
