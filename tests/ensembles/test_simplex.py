"""The weights are the best ones: by the certificate, by an independent solver, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from ensemblekit.ensembles import simplex
from ensemblekit.ensembles.simplex import log_loss_at, log_loss_weights, squared_error_at, squared_error_weights


def random_problem(seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Probabilities of the true class between timid and overconfident; every third problem has row weights."""
    rng = np.random.default_rng(seed)
    n_samples, n_members = int(rng.integers(2, 400)), int(rng.integers(1, 12))
    shape = [(2.0, 1.0), (0.3, 0.1), (0.05, 0.02), (5.0, 1.0)][seed % 4]
    proba = rng.beta(*shape, size=(n_samples, n_members))
    return proba, rng.exponential(size=n_samples) if seed % 3 == 0 else None


def log_loss(proba: np.ndarray, row_weight: np.ndarray | None, weights: np.ndarray) -> float:
    return -np.average(np.log(np.maximum(proba, simplex.TINY) @ weights), weights=row_weight)


@pytest.mark.parametrize("seed", range(20))
def test_no_worse_than_slsqp(seed: int) -> None:
    proba, row_weight = random_problem(seed)
    n_members = proba.shape[1]
    solution = log_loss_weights(proba, row_weight)
    reference = minimize(
        lambda weights: log_loss(proba, row_weight, weights),
        np.full(n_members, 1 / n_members),
        method="SLSQP",
        bounds=[(0, 1)] * n_members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert solution.loss <= reference.fun + 1e-9
    assert solution.loss >= reference.fun - 1e-6 or not reference.success


@pytest.mark.parametrize("seed", range(20, 60))
def test_certificate_holds(seed: int) -> None:
    proba, row_weight = random_problem(seed)
    solution = log_loss_weights(proba, row_weight)
    assert 0 <= solution.gap <= 1e-9
    assert solution.weights.min() >= 0
    assert solution.weights.sum() == pytest.approx(1, abs=1e-12)
    assert solution.loss == pytest.approx(log_loss(proba, row_weight, solution.weights), abs=1e-12)
    # What the gap promises: no point of the simplex is better by more than the gap.
    others = np.random.default_rng(seed).dirichlet(np.full(proba.shape[1], 0.3), size=200)
    assert min(log_loss(proba, row_weight, other) for other in others) >= solution.loss - 1e-9


def test_row_weight_is_repetition() -> None:
    proba, _ = random_problem(1)
    times = np.random.default_rng(0).integers(0, 4, size=len(proba))
    weighted = log_loss_weights(proba, times.astype(float))
    repeated = log_loss_weights(np.repeat(proba, times, axis=0))
    assert weighted.loss == pytest.approx(repeated.loss, abs=2e-9)


def test_known_optimum() -> None:
    # One member is sure of three rows, the other of one row: the best weights are the shares of the rows.
    proba = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]])
    np.testing.assert_allclose(log_loss_weights(proba).weights, [0.75, 0.25], atol=1e-8)


def test_equal_members_share_equally() -> None:
    column = np.random.default_rng(0).uniform(0.3, 0.9, size=50)
    np.testing.assert_allclose(log_loss_weights(np.column_stack([column] * 3)).weights, 1 / 3, atol=1e-6)


def test_rows_that_no_member_gets_right_do_not_matter() -> None:
    proba, _ = random_problem(3)
    with_hopeless = np.vstack([proba, np.zeros((5, proba.shape[1]))])
    weights = log_loss_weights(with_hopeless).weights
    assert log_loss(proba, None, weights) == pytest.approx(log_loss_weights(proba).loss, abs=1e-8)


def test_says_so_when_it_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    proba, _ = random_problem(4)
    monkeypatch.setattr(simplex, "MAX_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match="nats more than the best"):
        solution = log_loss_weights(proba)
    assert solution.gap > 1e-9


def test_gap_of_given_weights_is_honest() -> None:
    proba, row_weight = random_problem(6)
    best = log_loss_weights(proba, row_weight)
    for weights in np.random.default_rng(0).dirichlet(np.ones(proba.shape[1]), size=20):
        point = log_loss_at(weights, proba, row_weight)
        assert point.loss == pytest.approx(log_loss(proba, row_weight, weights), abs=1e-12)
        assert point.loss - point.gap <= best.loss + 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_squared_error_no_worse_than_slsqp(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_samples, n_members = int(rng.integers(1, 200)), int(rng.integers(1, 10))
    y = rng.normal(scale=10.0 ** rng.integers(-3, 4), size=n_samples)
    predictions = y[:, None] + rng.normal(scale=np.abs(y).mean(), size=(n_samples, n_members)) + rng.normal()
    row_weight = rng.exponential(size=n_samples) if seed % 2 else None

    def loss(weights: np.ndarray) -> float:
        return np.average((y - predictions @ weights) ** 2, weights=row_weight)

    solution = squared_error_weights(predictions, y, row_weight)
    scale = loss(np.full(n_members, 1 / n_members))
    assert solution.weights.sum() == pytest.approx(1, abs=1e-12)
    assert solution.weights.min() >= 0
    assert solution.loss == pytest.approx(loss(solution.weights), rel=1e-9, abs=1e-12 * scale)
    assert solution.gap <= 1e-9 * scale
    reference = minimize(
        lambda weights: loss(weights) / scale,
        np.full(n_members, 1 / n_members),
        method="SLSQP",
        bounds=[(0, 1)] * n_members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert solution.loss / scale <= reference.fun + 1e-9
    others = rng.dirichlet(np.ones(n_members), size=50)
    assert all(squared_error_at(w, predictions, y, row_weight).loss >= solution.loss - 1e-9 * scale for w in others)


def test_gap_of_given_weights_is_honest_for_squares() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=50)
    predictions = y[:, None] + rng.normal(size=(50, 4))
    best = squared_error_weights(predictions, y)
    for weights in np.eye(4):
        point = squared_error_at(weights, predictions, y)
        assert point.loss > best.loss
        assert point.loss - point.gap <= best.loss + 1e-12


def test_perfect_member_takes_all() -> None:
    y = np.arange(5.0)
    solution = squared_error_weights(np.column_stack([y, y + 1, y - 3]), y)
    assert solution.loss == pytest.approx(0, abs=1e-20)
