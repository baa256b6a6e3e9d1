"""Ensemble selection, against a reference that follows the paper word for word."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from ensemblekit.ensembles.greedy import SMALL_POOL, greedy_weights, select
from ensemblekit.ensembles.held_out_score import held_out_score

N_ROUNDS = 6


def pool(seed: int, n_members: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, size=60)
    logits = rng.normal(size=(n_members, 60, 3)) + 1.5 * np.eye(3)[y]
    proba = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return proba, y


def by_the_book(answers: np.ndarray, score, n_rounds: int) -> np.ndarray:
    """Lists of members instead of counts; every mean computed from all its parts."""
    ranked = sorted(range(len(answers)), key=lambda member: -score(answers[member]))
    taken = max((ranked[:size] for size in range(1, len(ranked) + 1)), key=lambda some: score(answers[some].mean(axis=0)))
    path = [taken]
    for _ in range(n_rounds):
        taken = max(
            ([*taken, member] for member in ranked),
            key=lambda some: score(answers[some].mean(axis=0)),
        )
        path.append(taken)
    best = max(path, key=lambda some: score(answers[some].mean(axis=0)))
    return np.bincount(best, minlength=len(answers)) / len(best)


@pytest.mark.parametrize("seed", range(10))
def test_follows_the_paper(seed: int) -> None:
    answers, y = pool(seed, n_members=2 + seed % (SMALL_POOL - 1))
    score = held_out_score("neg_log_loss", y)
    weights = greedy_weights(answers, score, n_rounds=N_ROUNDS, random_state=np.random.RandomState(0))
    np.testing.assert_allclose(weights, by_the_book(answers, score, N_ROUNDS), atol=1e-12)


def test_never_worse_than_its_start_and_below_the_best_multiset() -> None:
    answers, y = pool(0, n_members=3)
    score = held_out_score("neg_log_loss", y)
    order = np.argsort([-score(answer) for answer in answers])
    counts = select(answers[order], score, n_rounds=4)
    reached = score(np.average(answers[order], axis=0, weights=counts))
    multisets = itertools.chain.from_iterable(itertools.combinations_with_replacement(range(3), size) for size in range(1, 8))
    assert max(map(score, answers)) <= reached
    assert reached <= max(score(answers[list(some)].mean(axis=0)) for some in multisets) + 1e-12


def test_large_pool_is_bagged() -> None:
    answers, y = pool(1, n_members=14)
    weights = greedy_weights(answers, held_out_score("neg_log_loss", y), n_rounds=3, random_state=np.random.RandomState(0))
    again = greedy_weights(answers, held_out_score("neg_log_loss", y), n_rounds=3, random_state=np.random.RandomState(1))
    assert weights.sum() == pytest.approx(1)
    assert not np.array_equal(weights, again)
    assert log_loss(y, np.tensordot(weights, answers, axes=1)) < min(log_loss(y, answer) for answer in answers)


def test_any_scorer() -> None:
    answers, y = pool(2, n_members=3)
    proba, y = answers[:, y < 2, :2], y[y < 2]
    proba = proba / proba.sum(axis=2, keepdims=True)
    auc = held_out_score("roc_auc", y)
    assert auc(proba[0]) == pytest.approx(roc_auc_score(y, proba[0][:, 1]))
    weighted = held_out_score("accuracy", y, row_weight=y.astype(float))
    assert weighted(proba[0]) == pytest.approx(np.mean(proba[0][y == 1, 1] >= 0.5))
    assert held_out_score("r2", np.array([1.0, 2.0]))(np.array([1.0, 2.0])) == 1.0
