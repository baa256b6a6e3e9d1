"""Routing: which experts run for a row, and how much each counts. Expert k runs where its share is positive."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.namespaces import beside, namespace

#: Ways to route; see the functions of the same names.
ROUTINGS = ("soft", "top_k", "threshold", "random", "feedback")


def top_k(proba: Float, k: int) -> Float:
    """Keep the ``k`` most probable experts of each row and renormalise; of equals the lower index wins.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
        Gate probabilities.
    k : int
        Between 1 and n_experts; more keeps all.

    Returns
    -------
    ndarray of shape (n_samples, n_experts)
        Shares; rows sum to one.

    Examples
    --------
    >>> top_k(np.array([[0.5, 0.2, 0.3]]), 2)
    array([[0.625, 0.   , 0.375]])
    """
    return _normalised(proba, _rank(proba) < k)


def threshold(proba: Float, limit: float) -> Float:
    """Keep the experts whose probability reaches ``limit``, and always the most probable one; renormalise.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
    limit : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_samples, n_experts)

    Examples
    --------
    >>> threshold(np.array([[0.5, 0.1, 0.4], [0.2, 0.5, 0.3]]), 0.6)
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    return _normalised(proba, (proba >= limit) | (_rank(proba) < 1))


def random(proba: Float, k: int, chance: Float) -> Float:
    """Draw ``k`` different experts for each row by their probabilities; the drawn ones count alike.

    The draw adds Gumbel noise to the log-probabilities and keeps the largest (Kool, van Hoof and Welling, 2019, section 2.3): one expert
    is then drawn with exactly its probability, and further ones as if without replacement.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
    k : int
    chance : ndarray of shape (n_samples, n_experts)
        Independent numbers, uniform between 0 and 1.

    Returns
    -------
    ndarray of shape (n_samples, n_experts)

    References
    ----------
    W. Kool, H. van Hoof and M. Welling (2019). Stochastic beams and where to find them. ICML, PMLR 97, 3499-3508.

    Examples
    --------
    >>> shares = random(np.tile([0.9, 0.1], (1000, 1)), 1, np.random.default_rng(0).random((1000, 2)))
    >>> bool(abs(shares[:, 0].mean() - 0.9) < 0.03)
    True
    """
    xp = namespace(proba)
    with np.errstate(divide="ignore"):
        noisy = xp.log(proba) - beside(np.log(-np.log(chance)), proba)
    return _normalised(xp.ones_like(proba), _rank(noisy) < k)


def feedback(proba: Float, success: Float) -> Float:
    """Tilt the gate by each expert's running success.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
    success : ndarray of shape (n_experts,)
        Positive; an expert of twice the success counts twice.

    Returns
    -------
    ndarray of shape (n_samples, n_experts)
        Rows sum to one.

    Examples
    --------
    >>> feedback(np.array([[0.5, 0.5]]), np.array([3.0, 1.0]))
    array([[0.75, 0.25]])
    """
    tilted = proba * beside(success, proba)
    result: Float = tilted / namespace(tilted).sum(tilted, axis=1, keepdims=True)
    return result


def _rank(values: Float) -> Float:
    """Place of each value in its row, the largest first; of equals the lower index first."""
    xp = namespace(values)
    ranks: Float = xp.argsort(xp.argsort(-values, axis=1, stable=True), axis=1)
    return ranks


def _normalised(weights: Float, keep: Any) -> Float:
    """Weights of those that are kept, as shares of one."""
    xp = namespace(weights)
    kept = xp.where(keep, weights, xp.zeros_like(weights))
    return kept / xp.sum(kept, axis=1, keepdims=True)
