"""What the scores of boosted experts mean: log-density of the answer, its derivatives, and where the scores begin.

Scores put the row last, (..., n_experts, n_scores, n_samples), so that sums over experts or classes run along contiguous rows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ensemblekit.mixture.experts.normal import normal_log_density

Float = NDArray[np.float64]

#: Rows' worth of the whole table that an expert's first guess is mixed with: a class that an expert never saw is rare, not impossible.
_PRIOR_ROWS = 1.0
#: Smallest curvature: a row that is already certain must not be divided by zero.
_LEAST_CURVATURE = 1e-6
#: Smallest standard deviation of an expert, relative to that of the answers.
DEVIATION_FLOOR = 1e-3


class Loss(Protocol):
    """The density of an expert's answers, given its scores."""

    n_scores: int

    def begin(self, responsibilities: Float, sample_weight: Float) -> Float:
        """Constant scores (n_experts, n_scores) from which boosting starts."""

    def spread(self, scores: Float, responsibilities: Float, sample_weight: Float) -> Float:
        """Each expert's standard deviation (n_experts,), in the unit of the scores; ones where the density has none."""

    def log_density(self, scores: Float, spread: Float) -> Float:
        """Natural log-density of the training answers, (n_experts, n_samples)."""

    def derivatives(self, scores: Float) -> tuple[Float, Float]:
        """Gradient and positive curvature of minus the log-density in the scores, up to a factor for each expert."""


class ClassLoss:
    """Softmax over the classes; with two classes one score, the logit of the second.

    The curvature of the softmax is its diagonal times C / (C - 1), which makes up for the classes moving together (Friedman, 2001,
    section 4.6).

    Parameters
    ----------
    y : ndarray of int of shape (n_samples,)
        Class codes 0 .. n_classes - 1.
    n_classes : int

    References
    ----------
    J. H. Friedman (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29(5), 1189-1232.

    Examples
    --------
    >>> loss = ClassLoss(np.array([0, 1]), n_classes=2)
    >>> loss.derivatives(np.zeros((1, 1, 2)))[0]
    array([[[ 0.5, -0.5]]])
    """

    def __init__(self, y: NDArray[np.intp], n_classes: int) -> None:
        self.y = y
        self.n_classes = n_classes
        self.n_scores = 1 if n_classes == 2 else n_classes
        self._is_class = (y == np.arange(n_classes)[:, None]).astype(np.float64)

    def begin(self, responsibilities: Float, sample_weight: Float) -> Float:
        """Logarithms of each expert's class frequencies, drawn a little towards those of the whole table."""
        overall = self._is_class @ sample_weight / sample_weight.sum()
        counts = (responsibilities * sample_weight) @ self._is_class.T + _PRIOR_ROWS * overall
        logs = np.log(counts / counts.sum(axis=1, keepdims=True))
        return logs[:, 1:] - logs[:, :1] if self.n_classes == 2 else logs

    def spread(self, scores: Float, responsibilities: Float, sample_weight: Float) -> Float:  # noqa: ARG002 (a class has none)
        """Ones."""
        return np.ones(scores.shape[-3])

    def log_density(self, scores: Float, spread: Float) -> Float:  # noqa: ARG002 (a class has none)
        """Log-probability of each row's class."""
        if self.n_classes == 2:
            against = np.where(self.y == 1, -scores[..., 0, :], scores[..., 0, :])
            return -np.logaddexp(0.0, against)
        chosen = np.broadcast_to(self.y, (*scores.shape[:-2], 1, self.y.size))
        log_proba: Float = np.take_along_axis(scores, chosen, axis=-2)[..., 0, :] - _log_norm(scores)[..., 0, :]
        return log_proba

    def derivatives(self, scores: Float) -> tuple[Float, Float]:
        """Probabilities minus class indicators, and the scaled diagonal of their covariance."""
        if self.n_classes == 2:
            proba: Float = expit(scores)
            return proba - self.y, np.maximum(proba * (1 - proba), _LEAST_CURVATURE)
        proba = np.exp(scores - _log_norm(scores))
        factor = self.n_classes / (self.n_classes - 1)
        return proba - self._is_class, np.maximum(factor * proba * (1 - proba), _LEAST_CURVATURE)


class NormalLoss:
    """A normal answer around the score.

    The derivatives leave out the expert's variance, which scales both alike, so that a row's curvature is its weight.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Answers of standard deviation about one.

    Examples
    --------
    >>> loss = NormalLoss(np.array([1.0, -1.0]))
    >>> loss.derivatives(np.zeros((1, 1, 2)))[0]
    array([[[-1.,  1.]]])
    """

    n_scores = 1

    def __init__(self, y: Float) -> None:
        self.y = y

    def begin(self, responsibilities: Float, sample_weight: Float) -> Float:
        """Each expert's mean, drawn a little towards that of the whole table."""
        weights = responsibilities * sample_weight
        overall = sample_weight @ self.y / sample_weight.sum()
        means: Float = (weights @ self.y + _PRIOR_ROWS * overall) / (weights.sum(axis=1) + _PRIOR_ROWS)
        return means[:, None]

    def spread(self, scores: Float, responsibilities: Float, sample_weight: Float) -> Float:
        """Root mean square error over the rows that an expert answers for, not below the floor."""
        errors = np.square(self.y - scores[..., 0, :])
        weights = responsibilities * sample_weight
        everywhere = errors @ sample_weight / sample_weight.sum()
        mean = ((weights * errors).sum(axis=-1) + _PRIOR_ROWS * everywhere) / (weights.sum(axis=-1) + _PRIOR_ROWS)
        return np.sqrt(np.maximum(mean, DEVIATION_FLOOR**2))

    def log_density(self, scores: Float, spread: Float) -> Float:
        """Log-density of each answer."""
        return normal_log_density(self.y, scores[..., 0, :], spread[:, None])

    def derivatives(self, scores: Float) -> tuple[Float, Float]:
        """Score minus answer, and one."""
        return scores - self.y, np.ones_like(scores)


def _log_norm(scores: Float) -> Float:
    """Log of the sum of exponentials over the scores of an expert, kept as an axis of length one."""
    top = scores.max(axis=-2, keepdims=True)
    total: Float = top + np.log(np.exp(scores - top).sum(axis=-2, keepdims=True))
    return total


def class_probabilities(scores: Float) -> Float:
    """Turn scores into class probabilities.

    Parameters
    ----------
    scores : ndarray of shape (..., n_scores)
        One score is the logit of the second of two classes.

    Returns
    -------
    ndarray of shape (..., n_classes)

    Examples
    --------
    >>> class_probabilities(np.array([[0.0]]))
    array([[0.5, 0.5]])
    """
    if scores.shape[-1] == 1:
        return np.concatenate([expit(-scores), expit(scores)], axis=-1)
    proba = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Float = proba / proba.sum(axis=-1, keepdims=True)
    return result
