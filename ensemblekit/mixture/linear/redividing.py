"""Dividing the rows of two neighbours anew: both may be needed, and only the border between them wrong.

Two experts that share two regimes can be held by a border that runs across both: each then answers for half of either. No merger and no
split mends that, since neither number is wrong. So the rows of both are divided from new starts, as a split divides those of one, and the
division counts where it explains these rows better than the present one does. One that a few steps do not take above the present one is
given up: of 87 that gained more than 10 nats on generated mixtures, 12 were below it then, and none of the 45 that gained more than 50.
Pairs whose responsibilities overlap most are tried, the same that Ueda, Nakano, Ghahramani and Hinton (2000, eq. 3.1) would merge; pairs
whose rows were tried before, and are divided as well as can be, are not tried again.

References
----------
N. Ueda, R. Nakano, Z. Ghahramani and G. E. Hinton (2000). SMEM algorithm for mixture models. Neural Computation 12(9), 2109-2128.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.merging import merged
from ensemblekit.mixture.linear.namespaces import namespace
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp
from ensemblekit.mixture.linear.remembered import Remembered
from ensemblekit.mixture.linear.splitting import Split, best_division, divided, go_on, has_rows, joined, parts, refitted, split_from

#: Pairs that are tried. On generated mixtures of six experts the one that helped was among the first three.
_PAIRS = 4
#: Gain, in nats for each row of the table, from which on a division is another one; climbs that end nearer ended at one optimum.
_GAIN = 1e-4


def redivisions(problem: LinearMixture, W: Float, *, rng: np.random.Generator, settled: Remembered[bool] | None = None) -> list[Float]:
    """Divide the rows of neighbours anew, one pair at a time.

    Parameters
    ----------
    problem : LinearMixture
        With at least two experts, all of which read all columns.
    W : ndarray of shape (n_features + 1, n_predictors)
        Coefficients of its optimum.
    rng : numpy.random.Generator
    settled : Remembered or None, default=None
        Rows of pairs that no new division explained better; those found now are added.

    Returns
    -------
    list of ndarray
        Coefficients of as many experts, a pair of them anew in each; the pair whose rows gain most first, none that gains nothing.
    """
    log_joint = problem.log_joint(problem.parameters(W))
    shares = namespace(log_joint).exp(log_joint - logsumexp(log_joint))
    experts = parts(problem, W)[1]
    one_less = problem.resized(problem.n_experts - 1, problem.design, problem.targets)
    settled = Remembered() if settled is None else settled
    found = []
    for j, k in [(j, k) for j, k in closest(problem, shares) if has_rows(shares[j, :] + shares[k, :])][:_PAIRS]:
        share = shares[j, :] + shares[k, :]
        if settled.recall(problem, share):
            continue
        between = (experts[j] + experts[k]) / 2
        split = _divided_anew(problem, W, (j, k), share, between, rng)
        if split and split.gain > _GAIN * problem.total_weight:
            found.append((split.gain, divided(one_less, merged(problem, W, (j, k), between), split)))
        else:
            settled.note(share, found=True)
    return [start for _, start in sorted(found, key=lambda each: -each[0])]


def _divided_anew(
    problem: LinearMixture, W: Float, pair: tuple[int, int], share: Float, between: Float, rng: np.random.Generator
) -> Split | None:
    """Divide a pair's rows from new starts; the gain is that over the present division. None where a few steps lead to none."""
    gate, experts = parts(problem, W)
    two, (j, k) = refitted(problem, 2, share), pair
    best = best_division(two, joined(np.zeros((gate.shape[0], 2)), [between, between]), rng)
    theta = two.parameters(joined(gate[:, [j, k]], [experts[j], experts[k]]))
    if best.values[-1] <= two.value(theta) or best.values[-1] <= (present := go_on(two, theta)).values[-1]:
        return None
    best = go_on(two, best.theta)
    return split_from(two, best, j, (best.values[-1] - present.values[-1]) * two.total_weight)


def closest(problem: LinearMixture, shares: Float) -> list[tuple[int, int]]:
    """Rank pairs of experts by the cosine between their responsibilities.

    Parameters
    ----------
    problem : LinearMixture
        Its rows' weights count.
    shares : ndarray of shape (n_experts, n_samples)
        Responsibilities.

    Returns
    -------
    list of (int, int)
        The pair that shares most rows first.

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> problem = LinearMixture(make_design(np.eye(2), np.ones(2)), Categorical(2), np.eye(2)[:1], n_experts=3, alpha=1.0)
    >>> closest(problem, np.array([[0.9, 0.0], [0.0, 0.6], [0.1, 0.4]]))[0]
    (1, 2)
    """
    length = [np.sqrt(problem.mean(share * share)) or 1.0 for share in (shares[k, :] for k in range(problem.n_experts))]

    def cosine(pair: tuple[int, int]) -> float:
        j, k = pair
        return float(problem.mean(shares[j, :] * shares[k, :]) / (length[j] * length[k]))

    return sorted(combinations(range(problem.n_experts), 2), key=lambda pair: -cosine(pair))
