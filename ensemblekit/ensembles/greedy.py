"""Ensemble selection: add, again and again, the member that helps the score of the mean most.

Works with any score, where the convex solution of `simplex` needs a convex loss.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Answers = NDArray[np.float64]
Score = Callable[[Answers], float]

# As in the paper: twenty bags, each of half of the members. A pool this small has nothing to leave out.
N_BAGS = 20
SMALL_POOL = 5


def greedy_weights(answers: Answers, score: Score, *, n_rounds: int = 50, random_state: np.random.RandomState) -> NDArray[np.float64]:
    """Weights by ensemble selection with replacement, sorted initialisation and bagging.

    Each bag of members starts with the best few of its own (as many as score best together), then takes `n_rounds`
    times the member whose addition gives the mean the best score, the same member as often as it helps. It keeps what
    it held when the score was best. A member's weight is its share of all that the bags keep.

    Parameters
    ----------
    answers : ndarray of shape (n_members, n_held_out, ...), float64
        Held-out probabilities or predictions.
    score : callable
        Takes a mean of answers, of shape (n_held_out, ...), and returns a number; greater is better.
    n_rounds : int, default=50
        Additions in each bag.
    random_state : RandomState
        Draws the bags.

    Returns
    -------
    ndarray of shape (n_members,), float64
        Non-negative, sum to one.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of models", ICML 2004,
    sections 2.1 to 2.3.

    Examples
    --------
    >>> answers, truth = np.array([[0.0, 0.0], [3.0, 3.0]]), np.array([1.0, 1.0])
    >>> def score(mean):
    ...     return -np.mean((mean - truth) ** 2)
    >>> greedy_weights(answers, score, random_state=np.random.RandomState(0)).round(3)
    array([0.667, 0.333])
    """
    n_members = len(answers)
    best_first = np.argsort([-score(answer) for answer in answers], kind="stable")
    counts = np.zeros(n_members)
    for bag in _bags(best_first, random_state):
        counts[bag] += select(answers[bag], score, n_rounds=n_rounds)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _bags(best_first: NDArray[np.intp], random_state: np.random.RandomState) -> list[NDArray[np.intp]]:
    """Members of each bag, the best first."""
    n_members = len(best_first)
    if n_members <= SMALL_POOL:
        return [best_first]
    size = max(SMALL_POOL, n_members // 2)
    return [best_first[np.sort(random_state.choice(n_members, size, replace=False))] for _ in range(N_BAGS)]


def select(answers: Answers, score: Score, *, n_rounds: int) -> NDArray[np.int64]:
    """How often each member of one bag is taken.

    Parameters
    ----------
    answers : ndarray of shape (n_members, n_held_out, ...), float64
        The best member first.
    score : callable
        As in `greedy_weights`.
    n_rounds : int
        Additions after the initial ones.

    Returns
    -------
    ndarray of shape (n_members,), int64
        Counts at the best score on the way; of equally good additions the first member's is taken.

    Examples
    --------
    >>> select(np.array([[0.4], [1.0]]), lambda mean: -abs(mean[0] - 0.8), n_rounds=5)
    array([1, 2])
    """
    n_members = len(answers)
    starts = [score(np.mean(answers[:size], axis=0)) for size in range(1, n_members + 1)]
    counts = (np.arange(n_members) <= np.argmax(starts)).astype(np.int64)
    best_counts, best_score = counts.copy(), max(starts)
    total = answers[counts > 0].sum(axis=0)
    for _ in range(n_rounds):
        size = counts.sum() + 1
        scores = [score((total + answer) / size) for answer in answers]
        taken = int(np.argmax(scores))
        counts[taken] += 1
        total = total + answers[taken]
        if scores[taken] > best_score:
            best_counts, best_score = counts.copy(), scores[taken]
    return best_counts
