"""Merging twins: two experts whose rows one expert, fitted to them all, explains nearly as well."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.namespaces import beside, namespace
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp
from ensemblekit.mixture.linear.solve import maximise
from ensemblekit.mixture.linear.splitting import joined, parts, refitted

#: Pairs to whose rows one expert is fitted. On generated mixtures the best of all, or one as likely, was among the first five.
_FITTED = 6
#: Newton steps of the expert that would answer for both, and the gradient that is good enough for a comparison.
_STEPS, _ROUGH = 20, 1e-2


class Merger(NamedTuple):
    """Two experts and the one that would replace them.

    Parameters
    ----------
    pair : tuple of int
    log_likelihood : float
        Of all rows, once the one answers where the gate asked for either of the two.
    expert : ndarray of shape (n_features + 1, predictors of one expert)
    """

    pair: tuple[int, int]
    log_likelihood: float
    expert: Float


def twins(problem: LinearMixture, W: Float) -> list[Merger]:
    """Fit one expert to the rows of two, and rank such pairs by the likelihood that would be left.

    Pairs that are promising as they are, one of the two answering for both, are fitted: that likelihood is one that a fit can but raise.

    Parameters
    ----------
    problem : LinearMixture
        With at least two experts.
    W : ndarray of shape (n_features + 1, n_predictors)
        Coefficients of its optimum.

    Returns
    -------
    list of Merger
        The likeliest first.
    """
    log_gate, log_density = problem.log_parts(problem.parameters(W))
    log_joint = log_gate + log_density
    xp = namespace(log_joint)
    shares = xp.exp(log_joint - logsumexp(log_joint))
    experts = parts(problem, W)[1]

    def left(pair: tuple[int, int], density: Float) -> float:
        """Mean log-likelihood where one answers for the two."""
        together = xp.logaddexp(*(log_gate[k, :] for k in pair)) + density
        return problem.mean(logsumexp(xp.stack([together, *(log_joint[k, :] for k in range(problem.n_experts) if k not in pair)])))

    pairs = combinations(range(problem.n_experts), 2)
    promising = sorted(pairs, key=lambda pair: -max(left(pair, log_density[k, :]) for k in pair))[:_FITTED]
    found = []
    for j, k in promising:
        alone = refitted(problem, 1, shares[j, :] + shares[k, :])
        loads = problem.mean(shares[j, :]), problem.mean(shares[k, :])
        between = (loads[0] * experts[j] + loads[1] * experts[k]) / max(sum(loads), np.finfo(float).tiny)
        theta = maximise(alone, alone.parameters(between), max_iter=_STEPS, tol=_ROUGH).theta
        everywhere = alone.on(problem.design, problem.targets, alone.total_weight)
        likelihood = left((j, k), everywhere.log_joint(theta)[0, :]) * problem.total_weight
        found.append(Merger((j, k), likelihood, alone.coefficients(theta)))
    return sorted(found, key=lambda merger: -merger.log_likelihood)


def merged(problem: LinearMixture, W: Float, pair: tuple[int, int], expert: Float) -> Float:
    """Put one expert in the place of two.

    Parameters
    ----------
    problem : LinearMixture
        Before the merger.
    W : ndarray of shape (n_features + 1, n_predictors)
        Its coefficients.
    pair : tuple of int
        The two, in rising order.
    expert : ndarray of shape (n_features + 1, predictors of one expert)
        The one.

    Returns
    -------
    ndarray
        Coefficients of a mixture with one expert less.
    """
    gate, experts = parts(problem, W)
    keep, drop = pair
    Z = problem.design.Z
    one, other = (Z @ beside(gate[:, k], Z) for k in (keep, drop))
    together = namespace(one).logaddexp(one, other)
    # no linear logit is the two's together; half way between them, it is right in the mean over the table
    middle = (gate[:, keep] + gate[:, drop]) / 2
    middle[-1] += problem.mean(together - (one + other) / 2)
    gate[:, keep] = middle
    experts[keep] = expert
    return joined(np.delete(gate, drop, axis=1), [kept for k, kept in enumerate(experts) if k != drop])
