"""Routing: which experts run for a row, and how much each counts. Expert k runs where its share is positive."""

from __future__ import annotations

import numpy as np

from ensemblekit.mixture.contracts import Float

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
    order = np.argsort(-proba, axis=1, kind="stable")[:, :k]
    shares = np.zeros_like(proba)
    np.put_along_axis(shares, order, np.take_along_axis(proba, order, axis=1), axis=1)
    return shares / shares.sum(axis=1, keepdims=True)


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
    shares = np.where(proba >= limit, proba, 0.0)
    none = ~shares.any(axis=1)
    shares[none] = top_k(proba[none], 1)
    return shares / shares.sum(axis=1, keepdims=True)


def random(proba: Float, k: int, rng: np.random.Generator) -> Float:
    """Draw ``k`` different experts for each row by their probabilities; the drawn ones count alike.

    The draw adds Gumbel noise to the log-probabilities and keeps the largest (Kool, van Hoof and Welling, 2019, section 2.3): one expert
    is then drawn with exactly its probability, and further ones as if without replacement.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
    k : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples, n_experts)

    References
    ----------
    W. Kool, H. van Hoof and M. Welling (2019). Stochastic beams and where to find them. ICML, PMLR 97, 3499-3508.

    Examples
    --------
    >>> shares = random(np.tile([0.9, 0.1], (1000, 1)), 1, np.random.default_rng(0))
    >>> bool(abs(shares[:, 0].mean() - 0.9) < 0.03)
    True
    """
    with np.errstate(divide="ignore"):
        noisy = np.log(proba) + rng.gumbel(size=proba.shape)
    order = np.argsort(-noisy, axis=1, kind="stable")[:, :k]
    shares = np.zeros_like(proba)
    np.put_along_axis(shares, order, 1.0 / order.shape[1], axis=1)
    return shares


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
    tilted = proba * success
    return tilted / tilted.sum(axis=1, keepdims=True)
