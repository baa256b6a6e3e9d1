"""Searching experts within a budget: against brute force, and what is refused."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_classification, make_regression
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit.ensembles import search_experts
from ensemblekit.ensembles.simplex import log_loss_weights, squared_error_weights


def pool_of(n_experts, seed, *, regression=False):
    """Trees of different depths on half of a table, the other half, and their depths as costs."""
    make = make_regression if regression else make_classification
    X, y = make(160, 6, n_informative=4, random_state=seed)
    kind = DecisionTreeRegressor if regression else DecisionTreeClassifier
    depths = np.random.default_rng(seed).integers(1, 7, n_experts)
    trees = [kind(max_depth=d, max_features=2, min_samples_leaf=4, random_state=i).fit(X[:80], y[:80]) for i, d in enumerate(depths)]
    return trees, X[80:], y[80:], depths.astype(float)


def brute_force(trees, X, y, costs, max_cost, weights, weight):
    """Smallest loss over every subset within the budget, each computed by itself."""
    regression = not hasattr(trees[0], "predict_proba")
    answers = np.array([tree.predict(X) if regression else tree.predict_proba(X)[:, 1] for tree in trees])
    losses = []
    for size in range(1, len(trees) + 1):
        for subset in combinations(range(len(trees)), size):
            if costs[list(subset)].sum() > max_cost:
                continue
            part = answers[list(subset)]
            if weights == "equal" and regression:
                losses.append(mean_squared_error(y, part.mean(axis=0), sample_weight=weight))
            elif weights == "equal":
                losses.append(log_loss(y, part.mean(axis=0), sample_weight=weight))
            elif regression:
                losses.append(squared_error_weights(part.T, y, weight).loss)
            else:
                losses.append(log_loss_weights(np.where(y, part, 1 - part).T, weight, tol=1e-8).loss)
    return min(losses)


@pytest.mark.parametrize("weights", ["equal", "optimal"])
@pytest.mark.parametrize("regression", [False, True], ids=["classes", "numbers"])
@pytest.mark.parametrize(("n_experts", "seed"), [(2, 0), (5, 1), (7, 2), (8, 3)])
def test_exact_search_equals_brute_force(n_experts, seed, regression, weights):
    trees, X, y, costs = pool_of(n_experts, seed, regression=regression)
    weight = np.random.default_rng(seed).uniform(0.1, 2, len(y))
    max_cost = 0.5 * costs.sum()
    found = search_experts(trees, X, y, costs, max_cost=max_cost, weights=weights, sample_weight=weight)
    best = brute_force(trees, X, y, costs, max_cost, weights, weight)
    assert found.exact
    assert_allclose(found.held_out_loss, best, rtol=1e-6)
    assert found.cost == costs[list(found.experts)].sum() <= max_cost


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["equal", "optimal"])
@pytest.mark.parametrize("n_experts", range(2, 13))
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_exact_search_equals_brute_force_on_all_pools(n_experts, share, weights):
    trees, X, y, costs = pool_of(n_experts, 100 + n_experts)
    max_cost = max(share * costs.sum(), costs.min())
    found = search_experts(trees, X, y, costs, max_cost=max_cost, weights=weights)
    assert_allclose(found.held_out_loss, brute_force(trees, X, y, costs, max_cost, weights, None), rtol=1e-6)


def test_greedy_search_keeps_the_budget_and_no_single_move_betters_it():
    trees, X, y, costs = pool_of(24, 5)
    found = search_experts(trees, X, y, costs, max_cost=12)
    assert not found.exact
    assert found.cost <= 12
    inside, outside = set(found.experts), set(range(24)) - set(found.experts)
    proba = np.array([tree.predict_proba(X)[:, 1] for tree in trees])
    moves = [inside - {k} for k in inside] + [inside | {k} for k in outside] + [inside - {k} | {j} for k in inside for j in outside]
    for move in moves:
        if move and costs[list(move)].sum() <= 12:
            assert log_loss(y, proba[list(move)].mean(axis=0)) > found.held_out_loss - 1e-7


def test_equal_losses_go_to_the_cheaper_subset():
    trees, X, y, _ = pool_of(1, 0)
    found = search_experts([trees[0], trees[0]], X, y, [5.0, 2.0], max_cost=7)
    assert found.experts == (1,)
    assert_allclose(found.weights, [0, 1])


def test_a_larger_budget_is_never_worse():
    trees, X, y, costs = pool_of(8, 4)
    losses = [search_experts(trees, X, y, costs, max_cost=budget).held_out_loss for budget in (4, 8, 12, 40)]
    assert np.all(np.diff(losses) <= 1e-7)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"max_cost": 0.5}, "allows no expert: the cheapest costs 1"),
        ({"costs": [1.0]}, "for each of 2 experts"),
        ({"costs": [1.0, -1.0]}, "not negative"),
        ({"costs": [1.0, np.inf]}, "finite number"),
        ({"weights": "best"}, "'equal' or 'optimal'"),
        ({"sample_weight": "negative"}, "Negative values in data passed to `sample_weight`"),
        ({"method": "random"}, "'auto', 'greedy' or 'exact'"),
    ],
)
def test_bad_parameters_are_named(changed, message):
    trees, X, y, _ = pool_of(2, 0)
    given = {"costs": [1.0, 2.0], "max_cost": 3.0, **changed}
    if "sample_weight" in given:
        given["sample_weight"] = np.where(np.arange(len(y)) == 1, -1.0, 1.0)
    with pytest.raises(ValueError, match=message):
        search_experts(trees, X, y, **given)


def test_what_is_no_number_is_refused():
    trees, X, y, _ = pool_of(2, 0)
    for budget in (True, "3", None):
        with pytest.raises(TypeError, match="max_cost must be a number"):
            search_experts(trees, X, y, [1, 2], max_cost=budget)
    with pytest.raises(ValueError, match="got 'ab'"):
        search_experts(trees, X, y, "ab", max_cost=3)


def test_a_budget_that_costs_meet_exactly_is_enough():
    """0.1 + 0.2 is a little more than 0.3 in floating point."""
    trees, X, y, _ = pool_of(3, 0)
    thrice = [search_experts(trees, X, y, np.array([1, 2, 4]) / part, max_cost=3 / part).experts for part in (1, 10)]
    assert thrice[0] == thrice[1] == (0, 1)
    with pytest.raises(ValueError, match=r"max_cost must be a number, .*; got NaN"):
        search_experts(trees, X, y, [1, 2, 4], max_cost=np.nan)


def test_answers_are_one_a_row_and_finite_and_experts_tell_probabilities():
    trees, X, y, _ = pool_of(2, 0)
    with pytest.raises(DataConversionWarning, match="column-vector y"):
        search_experts(trees, X, y[:, None], [1, 2], max_cost=3)
    numbers = [DecisionTreeRegressor(max_depth=depth).fit(X, y) for depth in (1, 2)]
    with pytest.raises(ValueError, match="NaN"):
        search_experts(numbers, X, np.where(np.arange(len(y)) == 3, np.nan, y), [1, 2], max_cost=3, method="greedy")
    with pytest.raises(TypeError, match=r"LinearSVC.. has no predict_proba"):
        search_experts([*trees, LinearSVC().fit(X, y)], X, y, [1, 2, 3], max_cost=3)


def test_an_empty_pool_is_refused():
    with pytest.raises(ValueError, match="experts is empty"):
        search_experts([], np.zeros((2, 1)), [0, 1], [], max_cost=1)


def test_what_is_no_list_of_fitted_experts_of_one_kind_is_refused():
    trees, X, y, _ = pool_of(2, 0)
    for experts in (trees[0], BaggingClassifier(n_estimators=1).fit(X, y), "tree", {"tree": trees[0]}, ["tree"], [type(trees[0]), None]):
        with pytest.raises(TypeError, match="a list of fitted estimators; "):
            search_experts(experts, X, y, [1], max_cost=3)
    with pytest.raises(NotFittedError):
        search_experts([DecisionTreeClassifier()], X, y, [1], max_cost=3)
    with pytest.raises(ValueError, match=r"all regressors; got \['classifier', 'regressor'\]"):
        search_experts([trees[0], DecisionTreeRegressor().fit(X, y)], X, y, [1, 1], max_cost=3)


def test_disagreement_on_classes_is_refused():
    trees, X, y, _ = pool_of(2, 0)
    other = DummyClassifier().fit(X, y + 1)
    with pytest.raises(ValueError, match="Expert 2 knows the classes"):
        search_experts([*trees, other], X, y, [1, 1, 1], max_cost=3)
    with pytest.raises(ValueError, match=r"labels that no expert knows: \[7\]"):
        search_experts(trees, X, np.where(y == 1, 7, y), [1, 1], max_cost=3)


def test_exact_search_of_many_is_refused():
    X, y = make_regression(60, 3, random_state=0)
    members = BaggingRegressor(n_estimators=21, random_state=0).fit(X, y).estimators_
    with pytest.raises(ValueError, match="at most 20 experts; got 21"):
        search_experts(members, X, y, np.ones(21), max_cost=3, method="exact")
