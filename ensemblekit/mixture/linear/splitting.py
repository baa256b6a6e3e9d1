"""Splitting an expert: its rows explained by a mixture of two, which takes its place.

Every row counts in a split by the expert's responsibility for it, so that trying to split all experts costs about as much as fitting a
mixture of two to the whole table a few times. The expert whose rows gain most is the one that explains its rows worst.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ensemblekit.mixture.linear.design import Design, Float
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp
from ensemblekit.mixture.linear.restarts import depart
from ensemblekit.mixture.linear.solve import climb

#: A row counts in an expert's split from this responsibility on.
_OWN = 1e-3
#: Random splits of an expert, how many of them go on, and the steps of both climbs. More found no better ones on generated mixtures.
_SPLITS, _KEPT = 5, 2
_STEPS, _FURTHER = 8, 15
#: Gradient at which a climb on the way stops.
_ROUGH = 3e-3


class Split(NamedTuple):
    """An expert's rows explained by two.

    Parameters
    ----------
    expert : int
    gain : float
        Rise of the penalised log-likelihood of its rows.
    contrast : ndarray of shape (n_features + 1,)
        Logit of the second against the first, on standardised columns.
    experts : tuple of two ndarray of shape (n_features + 1, n_predictors)
    """

    expert: int
    gain: float
    contrast: Float
    experts: tuple[Float, Float]


def parts(problem: LinearMixture, W: Float) -> tuple[Float, list[Float]]:
    """Take coefficients apart into the gate's logits of all experts, the first being zero, and each expert's predictors.

    Parameters
    ----------
    problem : LinearMixture
    W : ndarray of shape (n_features + 1, n_predictors)

    Returns
    -------
    gate : ndarray of shape (n_features + 1, n_experts)
    experts : list of ndarray of shape (n_features + 1, predictors of one expert)

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> problem = LinearMixture(make_design(np.eye(2), np.ones(2)), Categorical(2), np.eye(2)[:1], n_experts=2, alpha=1.0)
    >>> W = np.arange(9.0).reshape(3, 3)
    >>> bool(np.all(joined(*parts(problem, W)) == W))
    True
    """
    cut = problem.n_experts - 1
    gate = np.hstack([np.zeros((W.shape[0], 1)), W[:, :cut]])
    return gate, np.split(W[:, cut:], problem.n_experts, axis=1)


def joined(gate: Float, experts: list[Float]) -> Float:
    """Undo :func:`parts`.

    Examples
    --------
    >>> joined(np.array([[1.0, 3.0]]), [np.array([[4.0]]), np.array([[5.0]])])
    array([[2., 4., 5.]])
    """
    return np.hstack([gate[:, 1:] - gate[:, :1], *experts])


def best_splits(problem: LinearMixture, W: Float, *, rng: np.random.Generator) -> list[Split]:
    """Try to split every expert.

    Parameters
    ----------
    problem : LinearMixture
    W : ndarray of shape (n_features + 1, n_predictors)
        Coefficients of its optimum.
    rng : numpy.random.Generator

    Returns
    -------
    list of Split
        The best of each expert that has any rows, the largest gain first.
    """
    log_joint = problem.log_joint(problem.parameters(W))
    shares = namespace(log_joint).exp(log_joint - logsumexp(log_joint))
    experts = parts(problem, W)[1]
    found = []
    for k, expert in enumerate(experts):
        if has_rows(shares[k, :]):
            found.append(split_of(problem, shares[k, :], expert, k, rng))
    return sorted(found, key=lambda split: -split.gain)


def has_rows(share: Float) -> bool:
    """Tell whether there is anything to split.

    Examples
    --------
    >>> has_rows(np.array([0.0, 0.5])), has_rows(np.zeros(2))
    (True, False)
    """
    return bool(np.any(on_host(share) > _OWN))


def split_of(problem: LinearMixture, share: Float, expert: Float, k: int, rng: np.random.Generator) -> Split:
    """Explain some rows by the best mixture of two that a few random starts find.

    Parameters
    ----------
    problem : LinearMixture
    share : ndarray of shape (n_samples,)
        How much each row counts, from 0 to 1; at least one counts.
    expert : ndarray of shape (n_features + 1, predictors of one expert)
        From which both depart.
    k : int
        Its number.
    rng : numpy.random.Generator

    Returns
    -------
    Split
    """
    pair = _pair(problem, np.flatnonzero(on_host(share) > _OWN), share)
    common = joined(np.zeros((expert.shape[0], 2)), [expert, expert])
    before = pair.value(pair.parameters(common))
    runs = [climb(pair, depart(pair, common, rng), max_iter=_STEPS, tol=_ROUGH) for _ in range(_SPLITS)]
    runs = sorted(runs, key=lambda run: -run.values[-1])[:_KEPT]
    runs = [climb(pair, run.theta, max_iter=_FURTHER, tol=_ROUGH) for run in runs]
    best = max(runs, key=lambda run: run.values[-1])
    gate, (one, other) = parts(pair, pair.coefficients(best.theta))
    return Split(k, (best.values[-1] - before) * pair.total_weight, gate[:, 1], (one, other))


def _pair(problem: LinearMixture, rows: np.ndarray, share: Float) -> LinearMixture:
    """Set up a mixture of two for some rows, each weighted by its share."""
    design = problem.design
    mine = Design(take_rows(design.Z, rows), design.mean, design.scale, take_rows(design.sample_weight * share, rows))
    return problem.resized(2, mine, take_rows(problem.targets, rows, axis=1))


def divided(problem: LinearMixture, W: Float, split: Split) -> Float:
    """Put two experts in the place of one.

    Parameters
    ----------
    problem : LinearMixture
        Before the split.
    W : ndarray of shape (n_features + 1, n_predictors)
        Its coefficients.
    split : Split

    Returns
    -------
    ndarray
        Coefficients of a mixture with one expert more, the last.
    """
    gate, experts = parts(problem, W)
    k, half = split.expert, split.contrast / 2
    margin = problem.design.Z @ beside(half, problem.design.Z)
    # together they should weigh what the one did: they do so in the mean over the table
    excess = problem.mean(namespace(margin).logaddexp(margin, -margin))
    second = gate[:, k] + half
    gate[:, k] -= half
    gate = np.hstack([gate, second[:, None]])
    gate[-1, [k, -1]] -= excess
    experts[k] = split.experts[0]
    return joined(gate, [*experts, split.experts[1]])
