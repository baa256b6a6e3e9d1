"""Mixing chosen by held-out rows, and routing tuned for a budget."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.datasets import make_regimes_classification
from ensemblekit.mixture.holding_out import folds
from ensemblekit.mixture.mixing import RoutingStep, within_budget
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")
AUTO = {"routing": "auto", "combination": "auto", "n_init": 4, "random_state": 0}


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_regimes_classification(900, 5, n_regimes=3, sharpness=8, random_state=0)
    return X, y


def test_clear_regimes_need_few_experts_a_row(table):
    model = MixtureOfExpertsClassifier(3, **AUTO).fit(*table)
    assert (model.routing_, model.combination_) == ("top_k", "linear")
    assert model.route(table[0]).shape[1] == model.top_k_ < 3
    assert [(step.combination, step.top_k) for step in model.mixing_path_][:2] == [("linear", 1), ("linear", 2)]
    assert (model.routing, model.combination) == ("auto", "auto")


def test_regimes_that_columns_do_not_show_need_all_experts():
    """Each row follows one of two opposite lines, by a hidden coin: one line alone is wrong half of the time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 2))
    y = np.where(rng.random(800) < 0.55, 1, -1) * X[:, 0] + 0.1 * rng.normal(size=800)
    model = MixtureOfExpertsRegressor(2, **AUTO).fit(X, y)
    assert (model.routing_, model.top_k_) == ("soft", 2)
    soft = MixtureOfExpertsRegressor(2, combination=model.combination_, n_init=4, random_state=0).fit(X, y)
    assert_allclose(model.predict(X), soft.predict(X))


def test_the_rule_holds(table):
    model = MixtureOfExpertsClassifier(3, **AUTO, alpha=100.0).fit(*table)
    best = min(model.mixing_path_, key=lambda step: step.loss)
    within = [step for step in model.mixing_path_ if step.loss <= best.loss + best.standard_error]
    assert (model.top_k_, model.combination_) == (within[0].top_k, within[0].combination)
    assert len(model.mixing_path_) == 1 + 3 + 3


def test_only_what_is_auto_is_chosen(table):
    model = MixtureOfExpertsClassifier(3, combination="auto", routing="threshold", n_init=2, random_state=0).fit(*table)
    assert (model.routing_, model.top_k_) == ("threshold", None)
    assert [step.top_k for step in model.mixing_path_] == [None] * 3
    model.set_params(combination="additive")
    assert model.combination_ == "additive"
    model.set_params(routing="auto")
    with pytest.raises(AttributeError, match="routing='auto' is settled by fit"):
        model.predict(table[0])


def test_held_out_losses_are_those_of_fits_without_the_rows():
    """Estimators are refitted from their start: five fits by hand give the same losses."""
    X, y = gated_table(1, n_samples=120)
    settings = {"experts": LogisticRegression(), "max_iter": 5, "tol": 0.1, "n_init": 2, "random_state": 0}
    model = MixtureOfExpertsClassifier(2, **settings, combination="auto").fit(X, y)
    by_hand = 0.0
    for kept, out in folds(X, y):
        trial = MixtureOfExpertsClassifier(2, **settings, combination="product").fit(X[kept], y[kept])
        by_hand += log_loss(y[out], trial.predict_proba(X[out]), normalize=False, labels=[0, 1])
    (product,) = (step for step in model.mixing_path_ if step.combination == "product")
    assert_allclose(product.loss, by_hand / 120)


def test_held_out_rows_are_not_known_to_linear_experts_either():
    """Answers drawn by a coin: whoever had not seen them would lose a bit at the least."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(250, 4)), rng.integers(0, 2, size=250)
    settings = {"alpha": 0.1, "n_init": 3, "random_state": 0}
    model = MixtureOfExpertsClassifier(3, **settings, combination="auto").fit(X, y)
    by_hand = 0.0
    for kept, out in folds(X, y):
        trial = MixtureOfExpertsClassifier(3, **settings).fit(X[kept], y[kept])
        by_hand += log_loss(y[out], trial.predict_proba(X[out]), normalize=False, labels=[0, 1])
    assert_allclose(model.mixing_path_[0].loss, by_hand / 250)
    assert by_hand / 250 > np.log(2)


def test_weights_equal_repetition():
    X, y = gated_table(5, n_samples=150)
    times = np.random.default_rng(0).integers(0, 4, size=150)
    weighted = MixtureOfExpertsClassifier(2, **AUTO).fit(X, y, sample_weight=times)
    repeated = MixtureOfExpertsClassifier(2, **AUTO).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    one, other = ([(step.loss, step.standard_error) for step in model.mixing_path_] for model in (weighted, repeated))
    assert_allclose(one, other, rtol=1e-4)
    assert weighted.top_k_ == repeated.top_k_


def test_one_expert_and_a_number_that_is_chosen(table):
    model = MixtureOfExpertsClassifier("auto", max_experts=4, **AUTO).fit(*table)
    assert model.n_experts_ == 3
    assert model.top_k_ < 3
    alone = MixtureOfExpertsClassifier(1, **AUTO).fit(*table)
    assert (alone.routing_, alone.top_k_, alone.combination_) == ("soft", 1, "linear")


def test_packed_as_chosen(table):
    X, y = table
    model = MixtureOfExpertsClassifier(3, **AUTO).fit(X, y)
    packed = pack(model)
    assert packed.top_k == model.top_k_ < 3
    assert_allclose(packed.predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_trees_as_experts(table):
    X, y = table
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = MixtureOfExpertsClassifier(2, experts=tree, max_iter=3, tol=0.1, routing="auto", n_init=2, random_state=0)
    assert model.fit(X[:200], y[:200]).top_k_ in (1, 2)


def test_fits_without_the_held_out_rows_do_not_warn(table):
    """Each of them would: a user can do nothing about fits that are thrown away."""
    X, y = table
    told = []
    for routing in ("soft", "auto"):
        model = MixtureOfExpertsClassifier(2, experts=DecisionTreeClassifier(max_depth=2), routing=routing, n_init=1, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X[:100], y[:100])
        told.append([str(warning.message) for warning in caught])
    assert told[0] == told[1]


@pytest.fixture
def fitted(table):
    return MixtureOfExpertsClassifier(4, alpha=30.0, n_init=3, random_state=0).fit(table[0][:600], table[1][:600])


def test_budgets(fitted, table):
    X, y = table[0][600:], table[1][600:]
    losses = []
    for budget in (1, 1.5, 2.5, 4):
        path = fitted.tune_routing(X, y, max_cost=budget)
        runs = (fitted.route(X) >= 0).sum(axis=1).mean()
        assert_allclose(runs, path.chosen.cost)
        assert runs <= budget
        assert_allclose(path.chosen.loss, log_loss(y, fitted.predict_proba(X)))
        losses.append(path.chosen.loss)
    assert all(np.diff(losses) <= 0)
    assert all(np.diff([step.cost for step in path.steps]) >= 0)
    again = clone(fitted).set_params(random_state=0)
    assert (again.routing, again.top_k, again.threshold) == (fitted.routing, fitted.top_k, fitted.threshold)


def test_experts_of_different_costs(fitted, table):
    X, y = table[0][600:], table[1][600:]
    price = np.array([1.0, 10.0, 1.0, 5.0])
    path = fitted.tune_routing(X, y, max_cost=9, costs=price)
    runs = np.zeros(len(X))
    for k in range(4):
        runs += price[k] * (fitted.route(X) == k).any(axis=1)
    assert_allclose(path.chosen.cost, runs.mean())


def test_regression_tunes_by_squared_error():
    X, y = two_lines(1)
    model = MixtureOfExpertsRegressor(2, n_init=3, random_state=0, routing="auto").fit(X, y)
    path = model.tune_routing(X, y, max_cost=1)
    assert model.routing == "top_k"
    assert_allclose(path.chosen.loss, mean_squared_error(y, model.predict(X)))


def test_budgets_that_cannot_be_met(fitted, table):
    with pytest.raises(ValueError, match=r"max_cost=0.5 allows no routing: the cheapest costs 1"):
        fitted.tune_routing(*table, max_cost=0.5)
    with pytest.raises(ValueError, match="for each of 4 experts"):
        fitted.tune_routing(*table, max_cost=2, costs=[1, 2])
    for costs in ("abcd", [1, 2, 3, np.inf]):
        with pytest.raises(ValueError, match="costs must hold a finite number"):
            fitted.tune_routing(*table, max_cost=2, costs=costs)
    for budget in ("2", None, True):
        with pytest.raises(TypeError, match="max_cost must be a number"):
            fitted.tune_routing(*table, max_cost=budget)


def test_a_budget_that_is_met_but_for_rounding(fitted, table):
    weight = np.random.default_rng(0).random(300)
    path = fitted.tune_routing(table[0][600:], table[1][600:], max_cost=1.0, sample_weight=weight)
    step = RoutingStep("top_k", 1, None, 1.0 + 1e-15, 0.5)
    assert path.chosen.top_k == within_budget([step], max_cost=1.0).chosen.top_k == 1
