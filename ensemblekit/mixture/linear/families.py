"""What an expert's linear predictors mean: the density of the answer, with its derivatives.

Arrays put the expert first and the row last, ``(n_experts, n_predictors, n_samples)``: sums over experts or classes then run along
contiguous rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.linear.namespaces import namespace

Float = NDArray[np.float64]


class Density(NamedTuple):
    """Log-density of the answer and its derivatives in the linear predictors.

    Parameters
    ----------
    value : ndarray of shape (n_experts, n_samples)
    score : ndarray of shape (n_experts, n_predictors, n_samples)
        First derivatives.
    """

    value: Float
    score: Float


class Family(Protocol):
    """A density whose parameters are linear predictors of the row."""

    @property
    def n_predictors(self) -> int:
        """Linear predictors of one expert."""

    @property
    def metric(self) -> Float:
        """Penalty metric (n_predictors, n_predictors): ``alpha / 2 * sum_j coef[:, j] @ metric @ coef[:, j]``."""

    @property
    def reads_columns(self) -> tuple[bool, ...]:
        """For each predictor, whether it reads the columns or has an intercept alone."""

    def density(self, eta: Float, targets: Float) -> Density:
        """Log-density and score."""

    def curvature(self, eta: Float, targets: Float) -> Float:
        """Second derivatives of the log-density, (n_experts, n_predictors, n_predictors, n_samples)."""


@dataclass(frozen=True)
class Categorical:
    """Class probabilities: softmax over ``n_classes - 1`` free logits, the first class being the reference with logit zero.

    The penalty is that of scikit-learn's ``LogisticRegression``: for two classes on the one logit; for more on one coefficient vector a
    class, which in contrasts to the reference is the metric ``I - 11' / n_classes`` (their best common shift put in).

    Targets are an array (n_classes - 1, n_samples) of class probabilities without the reference class: zeros and ones for labels, the
    responsibilities for a gate.

    Parameters
    ----------
    n_classes : int
        At least 2.
    symmetric : bool, default=False
        Use the many-class penalty for two classes also; a gate does, so that it treats its experts alike whatever their number.

    Examples
    --------
    >>> Categorical(3).metric.round(2)
    array([[ 0.67, -0.33],
           [-0.33,  0.67]])
    """

    n_classes: int
    symmetric: bool = False

    @property
    def n_predictors(self) -> int:
        """Free logits."""
        return self.n_classes - 1

    @property
    def metric(self) -> Float:
        """Penalty metric."""
        if self.n_classes == 2 and not self.symmetric:
            return np.ones((1, 1))
        free = self.n_classes - 1
        return np.eye(free) - 1.0 / self.n_classes

    @property
    def reads_columns(self) -> tuple[bool, ...]:
        """All logits read the columns."""
        return (True,) * self.n_predictors

    def density(self, eta: Float, targets: Float) -> Density:
        """Log-probability of the targets, and targets minus probabilities."""
        log_norm, proba = _log_normaliser(eta)
        return Density(namespace(eta).sum(eta * targets, axis=1) - log_norm, targets - proba)

    def curvature(self, eta: Float, targets: Float) -> Float:  # noqa: ARG002 (the same for every answer)
        """Minus the covariance of the class indicators."""
        _, proba = _log_normaliser(eta)
        curvature = proba[:, :, None] * proba[:, None]
        diagonal = np.arange(self.n_predictors)
        curvature[:, diagonal, diagonal] -= proba
        return curvature


def _log_normaliser(eta: Float) -> tuple[Float, Float]:
    """Return log(1 + sum exp(eta)) of shape (K, n) and the probabilities of the free classes, (K, C - 1, n)."""
    xp = namespace(eta)
    top = xp.max(eta, axis=1)
    top = xp.where(top > 0, top, xp.zeros_like(top))
    proba = xp.exp(eta - top[:, None, :])
    total = xp.sum(proba, axis=1) + xp.exp(-top)
    proba /= total[:, None, :]
    return top + xp.log(total), proba


@dataclass(frozen=True)
class Gaussian:
    """A normal answer: one predictor is the mean, the other the logarithm of the variance above its floor.

    ``variance = floor + exp(eta_1)`` keeps the likelihood of a mixture bounded: an expert that shrinks onto one row cannot win by it.

    Parameters
    ----------
    floor : float
        Smallest variance, in squared units of the targets.

    Examples
    --------
    >>> eta = np.zeros((1, 2, 1))
    >>> float(Gaussian(0.0).density(eta, np.zeros((1, 1))).value[0, 0].round(4))
    -0.9189
    """

    floor: float

    n_predictors = 2
    reads_columns = (True, False)

    @property
    def metric(self) -> Float:
        """Only the mean is penalised."""
        return np.diag([1.0, 0.0])

    def density(self, eta: Float, targets: Float) -> Density:
        """Return the normal log-density and its score; ``targets`` is (1, n_samples)."""
        excess, variance, error = self._parts(eta, targets)
        xp = namespace(eta)
        value = -0.5 * (xp.log(2 * np.pi * variance) + error**2 / variance)
        score = xp.stack([error / variance, excess * _variance_slope(variance, error)], axis=1)
        return Density(value, score)

    def curvature(self, eta: Float, targets: Float) -> Float:
        """Second derivatives in the mean and in the log excess variance."""
        excess, variance, error = self._parts(eta, targets)
        curvature = np.empty((eta.shape[0], 2, 2, eta.shape[2]))
        curvature[:, 0, 0] = -1.0 / variance
        curvature[:, 0, 1] = curvature[:, 1, 0] = -excess * error / variance**2
        bend = 0.5 / variance**2 - error**2 / variance**3
        curvature[:, 1, 1] = excess * (_variance_slope(variance, error) + excess * bend)
        return curvature

    def _parts(self, eta: Float, targets: Float) -> tuple[Float, Float, Float]:
        xp = namespace(eta)
        log_excess = eta[:, 1, :]
        bound = xp.full_like(log_excess, 80.0)  # finite in single precision, its cube in double
        excess = xp.exp(xp.where(log_excess < bound, log_excess, bound))
        return excess, self.floor + excess, targets[0, :] - eta[:, 0, :]


def _variance_slope(variance: Float, error: Float) -> Float:
    """Differentiate the normal log-density by its variance."""
    return (error**2 / variance - 1.0) / (2.0 * variance)
