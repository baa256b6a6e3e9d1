"""Weights on the simplex: the convex problem behind a weighted ensemble, solved to an optimum that is checked.

Both losses are convex in the weights, so the gap ``w . g - min(g)`` between the gradient g at w and its best corner
(Frank-Wolfe gap) bounds how far the loss can still fall. Every solution carries that number: nobody has to trust the
solver.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning

Array = NDArray[np.float64]

# A probability of exactly zero for the true class would make the log-loss infinite whatever the weights; scikit-learn's
# log_loss clips there too.
TINY = float(np.finfo(np.float64).eps)
MAX_STEPS = 200


class SimplexSolution(NamedTuple):
    """Weights, what they reach, and the proof.

    Attributes
    ----------
    weights : ndarray of shape (n_members,), float64
        Non-negative, sum to one.
    loss : float
        Weighted mean loss at `weights`.
    gap : float
        No weights on the simplex have a loss below ``loss - gap``.

    Examples
    --------
    >>> SimplexSolution(np.array([1.0]), loss=0.25, gap=0.0).gap
    0.0
    """

    weights: Array
    loss: float
    gap: float


def log_loss_weights(true_class_proba: Array, sample_weight: Array | None = None, *, tol: float = 1e-9) -> SimplexSolution:
    r"""Minimise the log-loss of a weighted mean of probabilities over the weights.

    Solves ``min_w -sum_i s_i log(sum_m w_m P_im)`` over the simplex, s normalised to sum to one, by sequential
    quadratic programming: the equivalent problem ``min_{w >= 0} -sum_i s_i log(P_i w) + sum_m w_m`` has its optimum on
    the simplex by itself, and each of its quadratic models is a small non-negative least-squares problem, solved
    exactly.

    Parameters
    ----------
    true_class_proba : ndarray of shape (n_samples, n_members), float64
        Probability that each member gives to the true class of each row, in [0, 1]; clipped from below at 2.2e-16.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative row weights, not all zero; equal when None.
    tol : float, default=1e-9
        Largest optimality gap to stop at, in nats.

    Returns
    -------
    SimplexSolution
        Of members with equal columns each gets an equal share.

    Warns
    -----
    ConvergenceWarning
        If the gap stays above `tol`; the weights are the best found.

    References
    ----------
    Y. Kim, P. Carbonetto, M. Stephens, M. Anitescu, "A fast algorithm for maximum likelihood estimation of mixture
    proportions using sequential quadratic programming", Journal of Computational and Graphical Statistics 29(2), 2020.

    Examples
    --------
    >>> good, bad = [0.9, 0.8, 0.9], [0.2, 0.3, 0.1]
    >>> solution = log_loss_weights(np.array([good, bad]).T)
    >>> solution.weights.round(6).tolist()
    [1.0, 0.0]
    >>> solution.gap <= 1e-9
    True
    """
    n_samples, n_members = true_class_proba.shape
    proba = np.maximum(np.asarray(true_class_proba, dtype=np.float64), TINY)
    share = _shares(n_samples, sample_weight)
    weights = np.full(n_members, 1 / n_members)
    for _ in range(MAX_STEPS):
        ratio = proba / (proba @ weights)[:, None]
        gap = float(np.max(share @ ratio) - 1)
        if gap <= tol:
            break
        target = _quadratic_minimum(ratio * np.sqrt(share)[:, None], np.sqrt(share))
        weights = _line_search(proba, share, weights, target)
    else:
        warnings.warn(
            f"The weights may cost up to {gap:.1e} nats more than the best ones (asked for {tol:.1e}).",
            ConvergenceWarning,
            stacklevel=2,
        )
    return log_loss_at(weights, true_class_proba, sample_weight)


def log_loss_at(weights: Array, true_class_proba: Array, sample_weight: Array | None = None) -> SimplexSolution:
    """Log-loss of a weighted mean of probabilities, and how far it is from the best weights.

    Parameters
    ----------
    weights : ndarray of shape (n_members,), float64
        On the simplex.
    true_class_proba, sample_weight
        As in `log_loss_weights`.

    Returns
    -------
    SimplexSolution
        With these weights.

    Examples
    --------
    >>> point = log_loss_at(np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.9, 0.1]]))
    >>> round(point.loss, 3), round(point.gap, 3)
    (0.693, 0.8)
    """
    proba = np.maximum(np.asarray(true_class_proba, dtype=np.float64), TINY)
    share = _shares(len(proba), sample_weight)
    # The gradient is minus this, and w . gradient is -1 for every w.
    descent = (share / (proba @ weights)) @ proba
    return SimplexSolution(weights, _log_loss(proba, share, weights), max(float(descent.max()) - 1, 0.0))


def squared_error_weights(predictions: Array, y: Array, sample_weight: Array | None = None) -> SimplexSolution:
    r"""Minimise the mean squared error of a weighted mean of predictions over the weights.

    Solves ``min_w sum_i s_i (y_i - sum_m w_m p_im)^2`` over the simplex, s normalised to sum to one. With the residuals
    ``e_im = y_i - p_im`` this is ``|E w|^2``, and the non-negative least-squares solution of ``E w = 0`` together with
    ``c sum(w) = c`` is the optimum up to its sum, for any c above zero: its optimality conditions are those on the
    simplex times a number. So one exact solve does.

    Parameters
    ----------
    predictions : ndarray of shape (n_samples, n_members), float64
        What each member predicts for each row.
    y : ndarray of shape (n_samples,), float64
        True values.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative row weights, not all zero; equal when None.

    Returns
    -------
    SimplexSolution
        The loss is the mean squared error; the gap is in its units.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 3.0])
    >>> squared_error_weights(np.array([y - 1, y + 3]).T, y).weights
    array([0.75, 0.25])
    """
    root = _residual_root(predictions, y, sample_weight)
    scale = np.sqrt(np.mean(np.sum(root**2, axis=0))) or 1.0
    rows = np.vstack([root / scale, np.ones(root.shape[1])])
    weights, _ = nnls(rows, np.append(np.zeros(len(root)), 1.0))
    return squared_error_at(np.asarray(weights / weights.sum(), dtype=np.float64), predictions, y, sample_weight)


def squared_error_at(weights: Array, predictions: Array, y: Array, sample_weight: Array | None = None) -> SimplexSolution:
    """Mean squared error of a weighted mean of predictions, and how far it is from the best weights.

    Parameters
    ----------
    weights : ndarray of shape (n_members,), float64
        On the simplex.
    predictions, y, sample_weight
        As in `squared_error_weights`.

    Returns
    -------
    SimplexSolution
        With these weights.

    Examples
    --------
    >>> squared_error_at(np.array([1.0, 0.0]), np.array([[1.0, 3.0]]), np.array([2.0])).loss
    1.0
    """
    root = _residual_root(predictions, y, sample_weight)
    gradient = 2 * root.T @ (root @ weights)
    gap = float(weights @ gradient - gradient.min())
    return SimplexSolution(weights, float(np.sum((root @ weights) ** 2)), max(gap, 0.0))


def _residual_root(predictions: Array, y: Array, sample_weight: Array | None) -> Array:
    """Triangle R with ``|R w|^2`` the mean squared error at w: as many rows as members, whatever the table."""
    residuals = np.asarray(y, dtype=np.float64)[:, None] - predictions
    return np.asarray(np.linalg.qr(residuals * np.sqrt(_shares(len(y), sample_weight))[:, None], mode="r"))


def _shares(n_samples: int, sample_weight: Array | None) -> Array:
    """Row weights that sum to one."""
    if sample_weight is None:
        return np.full(n_samples, 1 / n_samples)
    return np.asarray(sample_weight, dtype=np.float64) / np.sum(sample_weight)


def _log_loss(proba: Array, share: Array, weights: Array) -> float:
    return float(-(share @ np.log(proba @ weights)))


def _quadratic_minimum(root_hessian: Array, root_share: Array) -> Array:
    """Non-negative minimum of the quadratic model, scaled to the simplex.

    With A the root of the Hessian and r the root of the row shares the gradient is 1 - A'r and Aw = r, so that the
    model is |Az|^2 / 2 - (2 A'r - 1)'z: least squares for any square root of A'A.
    """
    hessian = root_hessian.T @ root_hessian
    # Equal members make the Hessian singular; the ridge is far below the tolerance and shares weight equally among
    # them.
    ridge = 1e-12 * np.trace(hessian) * np.eye(len(hessian))
    root = np.linalg.cholesky(hessian + ridge)
    target, _ = nnls(root.T, np.linalg.solve(root, 2 * root_hessian.T @ root_share - 1))
    return np.asarray(target / target.sum(), dtype=np.float64)


def _line_search(proba: Array, share: Array, weights: Array, target: Array) -> Array:
    """First of the steps 1, 1/2, 1/4, ... from `weights` to `target` that lowers the loss enough (Armijo)."""
    loss, direction = _log_loss(proba, share, weights), target - weights
    slope = float(share @ ((proba @ direction) / (proba @ weights)))
    for halvings in range(40):
        step = 0.5**halvings
        if _log_loss(proba, share, weights + step * direction) <= loss - 1e-4 * step * slope:
            break
    return np.asarray(weights + step * direction, dtype=np.float64)
