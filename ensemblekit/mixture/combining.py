r"""Combining: how the answers of the experts that ran become one.

With shares :math:`s_k` out of the routing: ``linear`` is the mixture :math:`\sum_k s_k p_k`, ``product`` the geometric mean
:math:`\prod_k p_k^{s_k}`, renormalised (the logarithmic pool; Genest and Zidek, 1986, section 3.3), ``additive`` the plain mean of the
experts that ran.

References
----------
C. Genest and J. V. Zidek (1986). Combining probability distributions: a critique and an annotated bibliography. Statistical Science 1(1).
"""

from __future__ import annotations

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.namespaces import namespace

#: Ways to combine.
COMBINATIONS = ("linear", "product", "additive")


def shares_that_count(shares: Float, combination: str) -> Float:
    """Weights of the answers: the shares, or even ones among the experts that ran for ``"additive"``.

    Parameters
    ----------
    shares : ndarray of shape (n_samples, n_experts)
    combination : {"linear", "product", "additive"}

    Returns
    -------
    ndarray of shape (n_samples, n_experts)

    Examples
    --------
    >>> import numpy as np
    >>> shares_that_count(np.array([[0.9, 0.1, 0.0]]), "additive")
    array([[0.5, 0.5, 0. ]])
    """
    if combination != "additive":
        return shares
    xp = namespace(shares)
    ran = xp.astype(shares > 0, shares.dtype)
    return ran / xp.sum(ran, axis=1, keepdims=True)


def renormalise(log_proba: Float) -> Float:
    """Turn summed log-probabilities into probabilities; a row without any possible class is shared evenly.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> renormalise(np.log([[0.2, 0.6]]))
    array([[0.25, 0.75]])
    """
    xp = namespace(log_proba)
    top = xp.max(log_proba, axis=1, keepdims=True)
    possible = xp.isfinite(top)
    above = log_proba - xp.where(possible, top, xp.zeros_like(top))
    proba = xp.exp(xp.where(possible, above, xp.zeros_like(above)))
    result: Float = proba / xp.sum(proba, axis=1, keepdims=True)
    return result
