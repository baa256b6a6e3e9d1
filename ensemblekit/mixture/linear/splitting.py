"""Splitting an expert: its rows explained by a mixture of two, which takes its place.

Every row counts in a split by the expert's responsibility for it, so that trying to split all experts costs about as much as fitting a
mixture of two to the whole table a few times. The expert whose rows gain most is the one that explains its rows worst. An expert whose rows
are those of one that was tried before, with fewer experts beside it, is not tried again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ensemblekit.mixture.linear.design import Design, Float
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp
from ensemblekit.mixture.linear.remembered import Remembered
from ensemblekit.mixture.linear.restarts import depart
from ensemblekit.mixture.linear.solve import Solution, climb

#: An expert has rows at all from this responsibility on.
_ANY = 1e-3
#: A row counts in a division from this part of the largest share on: those below, a third of all, are about a hundredth of the weight.
_OWN = 0.05
#: Random divisions of an expert's rows, the steps of their climbs, and those for which the best goes on. More found no better optima on
#: generated mixtures of five and six experts.
_STARTS, _STEPS, _FURTHER = 3, 8, 15
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


def best_splits(problem: LinearMixture, W: Float, *, rng: np.random.Generator, known: Remembered[Split] | None = None) -> list[Split]:
    """Try to split every expert.

    Parameters
    ----------
    problem : LinearMixture
    W : ndarray of shape (n_features + 1, n_predictors)
        Coefficients of its optimum.
    rng : numpy.random.Generator
    known : Remembered or None, default=None
        Splits found before; those found now are added.

    Returns
    -------
    list of Split
        The best of each expert that has any rows, the largest gain first.
    """
    log_joint = problem.log_joint(problem.parameters(W))
    shares = namespace(log_joint).exp(log_joint - logsumexp(log_joint))
    known = Remembered() if known is None else known
    found = []
    for k, expert in enumerate(parts(problem, W)[1]):
        share = shares[k, :]
        if not has_rows(share):
            continue
        split = known.recall(problem, share)
        if split is None:
            known.note(share, split := split_of(problem, share, expert, k, rng))
        found.append(split._replace(expert=k))
    return sorted(found, key=lambda split: -split.gain)


def has_rows(share: Float) -> bool:
    """Tell whether there is anything to split.

    Examples
    --------
    >>> has_rows(np.array([0.0, 0.5])), has_rows(np.zeros(2))
    (True, False)
    """
    return bool(np.any(on_host(share) > _ANY))


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
    two = refitted(problem, 2, share)
    common = joined(np.zeros((expert.shape[0], 2)), [expert, expert])
    best = go_on(two, best_division(two, common, rng).theta)
    return split_from(two, best, k, (best.values[-1] - two.value(two.parameters(common))) * two.total_weight)


def refitted(problem: LinearMixture, n_experts: int, share: Float) -> LinearMixture:
    """Set up a mixture of so many experts for some rows, each weighted by its share."""
    design, counts = problem.design, on_host(share)
    rows = np.flatnonzero(counts > _OWN * counts.max())
    mine = Design(take_rows(design.Z, rows), design.mean, design.scale, take_rows(design.sample_weight * share, rows))
    return problem.resized(n_experts, mine, take_rows(problem.targets, rows, axis=1))


def best_division(two: LinearMixture, common: Float, rng: np.random.Generator) -> Solution:
    """Climb some steps from a few random departures of both experts and the gate; return the highest."""
    runs = [climb(two, depart(two, common, rng), max_iter=_STEPS, tol=_ROUGH) for _ in range(_STARTS)]
    return max(runs, key=lambda run: run.values[-1])


def go_on(two: LinearMixture, theta: Float) -> Solution:
    """Climb as far as divisions are compared."""
    return climb(two, theta, max_iter=_FURTHER, tol=_ROUGH)


def split_from(two: LinearMixture, found: Solution, k: int, gain: float) -> Split:
    """Read a split of expert ``k`` from a mixture of two."""
    gate, (one, other) = parts(two, two.coefficients(found.theta))
    return Split(k, gain, gate[:, 1], (one, other))


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
