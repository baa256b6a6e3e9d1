"""Routing and combining: who runs, how much each counts, and that those who do not run are not asked."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from scipy.stats import kstest
from sklearn.linear_model import LogisticRegression

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture.routing import random, top_k
from ensemblekit.mixture.row_hash import row_hash, uniform
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


@pytest.fixture(scope="module")
def table():
    return gated_table(0, n_experts=3, n_classes=3)


@pytest.fixture
def model(table):
    return MixtureOfExpertsClassifier(4, n_init=2, random_state=0).fit(*table)


def by_hand(model, X, keep):
    shares = np.where(keep, model.gate_proba(X), 0)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkc->nc", shares, model.expert_proba(X))


def test_top_k(model, table):
    X, _ = table
    proba = model.gate_proba(X)
    model.set_params(routing="top_k", top_k=2)
    second = np.sort(proba, axis=1)[:, -2:-1]
    assert_allclose(model.predict_proba(X), by_hand(model, X, proba >= second))
    assert_allclose(model.route(X), np.argsort(-proba, axis=1)[:, :2])
    model.set_params(top_k=None)
    assert model.route(X).shape == (len(X), 1)
    model.set_params(top_k=9)
    assert_allclose(model.predict_proba(X), by_hand(model, X, proba >= 0))


def test_lowest_index_wins_a_tie():
    assert_allclose(top_k(np.full((1, 4), 0.25), 2), [[0.5, 0.5, 0, 0]])


def test_threshold(model, table):
    X, _ = table
    proba = model.gate_proba(X)
    model.set_params(routing="threshold", threshold=0.3)
    keep = (proba >= 0.3) | (proba == proba.max(axis=1, keepdims=True))
    assert_allclose(model.predict_proba(X), by_hand(model, X, keep))
    routed = model.route(X)
    assert_allclose((routed >= 0).sum(axis=1), keep.sum(axis=1))


def test_random_draws_by_the_gate_with_a_seed(model, table):
    X, _ = table
    model.set_params(routing="random", random_state=5)
    assert_allclose(model.predict_proba(X), model.predict_proba(X))
    first = model.route(X)
    assert first.shape == (len(X), 1)
    assert np.any(first != model.set_params(random_state=6).route(X))
    chance = np.random.default_rng(0).random((20_000, 3))
    drawn = random(np.tile([0.7, 0.2, 0.1], (20_000, 1)), 1, chance).mean(axis=0)
    assert_allclose(drawn, [0.7, 0.2, 0.1], atol=0.02)  # five standard errors


def test_random_draws_for_a_row_are_the_same_alone_and_in_a_batch(model, table):
    X, _ = table
    model.set_params(routing="random", top_k=2, random_state=0)
    together = model.route(X[:50])
    alone = np.concatenate([model.route(X[i : i + 1]) for i in range(50)])
    assert np.array_equal(alone, together)
    assert len(np.unique(together, axis=0)) > 2


@pytest.mark.parametrize("seed", [0, 1])
def test_chance_of_a_row_is_uniform_and_hangs_on_nothing(seed):
    rows = np.random.default_rng(3).integers(0, 40, size=(40_000, 3)).astype(float)
    rows = np.unique(rows, axis=0)
    chance = uniform(row_hash(rows), 3, seed)
    for k in range(3):
        assert kstest(chance[:, k], "uniform").pvalue > 1e-3
    assert np.abs(np.corrcoef(chance.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(rows))
    other = uniform(row_hash(rows), 3, seed + 1)
    assert abs(np.corrcoef(chance[:, 0], other[:, 0])[0, 1]) < 4 / np.sqrt(len(rows))


def test_equal_rows_have_equal_chances_however_they_are_kept():
    rows = np.random.default_rng(0).integers(-1, 2, size=(200, 5)).astype(float)
    expected = row_hash(rows)
    stored = csr_array(rows)
    stored.data[:10] = 0.0  # zeros that are written down
    assert np.array_equal(row_hash(csr_array(rows)), expected)
    assert np.array_equal(row_hash(stored), row_hash(stored.toarray()))
    assert np.array_equal(row_hash(np.where(rows == 0, -0.0, rows)), expected)
    assert len(np.unique(expected)) == len(np.unique(rows, axis=0))
    assert row_hash(np.array([[3.0]]), np.array([5.0])) != row_hash(np.array([[5.0]]), np.array([3.0]))


class Counting(LogisticRegression):
    """Counts the rows that it is asked about."""

    asked = 0

    def predict_proba(self, X):
        type(self).asked += len(X)
        return super().predict_proba(X)


def test_a_routed_away_expert_is_not_evaluated(table):
    X, y = table
    model = MixtureOfExpertsClassifier(3, experts=Counting(), max_iter=3, tol=0.1, random_state=0).fit(X, y)
    for k in (1, 2):
        Counting.asked = 0
        model.set_params(routing="top_k", top_k=k).predict_proba(X)
        assert Counting.asked == k * len(X)


def test_feedback_follows_a_change_of_frequencies(table):
    X, y = table
    model = MixtureOfExpertsClassifier(2, gate="constant", alpha=0.1, n_init=3, random_state=0, routing="feedback").fit(X, y)
    assert_allclose(model.predict_proba(X), model.set_params(routing="soft").predict_proba(X))
    model.set_params(routing="feedback")
    mine = model.responsibilities(X, y)[:, 0] > 0.9
    for _ in range(5):
        model.update_feedback(X[mine], y[mine], memory=200)
    assert model.success_[0] > 1 > model.success_[1]
    soft = model.set_params(routing="soft").log_likelihood(X[mine], y[mine])
    tilted = model.set_params(routing="feedback").predict_proba(X[mine])
    codes = np.searchsorted(model.classes_, y[mine])
    assert np.log(tilted[np.arange(mine.sum()), codes]).sum() > soft


def test_product_is_the_geometric_mean(model, table):
    X, _ = table
    model.set_params(combination="product")
    logs = np.einsum("nk,nkc->nc", model.gate_proba(X), np.log(model.expert_proba(X)))
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba(X), expected)


def test_additive_is_the_plain_mean_of_those_that_run(model, table):
    X, _ = table
    model.set_params(combination="additive")
    assert_allclose(model.predict_proba(X), model.expert_proba(X).mean(axis=1))
    model.set_params(routing="top_k", top_k=2)
    chosen = np.take_along_axis(model.expert_proba(X), model.route(X)[:, :, None], axis=1)
    assert_allclose(model.predict_proba(X), chosen.mean(axis=1))


def test_product_of_normal_experts_weighs_by_precision():
    X, y = two_lines(0)
    model = MixtureOfExpertsRegressor(2, n_init=3, random_state=0, combination="product").fit(X, y)
    precision = model.gate_proba(X) / model.experts_.deviation_**2
    expected = (precision * model.expert_predict(X)).sum(axis=1) / precision.sum(axis=1)
    assert_allclose(model.predict(X), expected)
    with pytest.raises(ValueError, match='"product" has a mean only'):
        model.predict(X, return_std=True)


def test_regression_routes_too():
    X, y = two_lines(1)
    model = MixtureOfExpertsRegressor(2, n_init=3, random_state=0, routing="top_k").fit(X, y)
    best = model.gate_proba(X).argmax(axis=1)
    assert_allclose(model.predict(X), model.expert_predict(X)[np.arange(len(X)), best])
    assert_allclose(model.predict(X, return_std=True)[1], model.experts_.deviation_[best])


@pytest.mark.parametrize(
    ("name", "wrong"), [("routing", "best"), ("combination", "mean"), ("top_k", 0), ("top_k", 1.5), ("threshold", 7), ("threshold", np.nan)]
)
def test_what_is_set_after_a_fit_is_checked_when_it_is_asked_for(model, table, name, wrong):
    model.set_params(**{"routing": "top_k" if name == "top_k" else "threshold", name: wrong})
    for ask in (model.predict_proba, model.route, lambda X: pack(model).predict_proba(X)):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of MixtureOfExpertsClassifier must be"):
            ask(table[0][:2])
