"""A budget is kept, with the best ensemble on the way down."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit.ensembles import WeightedEnsembleClassifier, WeightedEnsembleRegressor, make_members
from ensemblekit.ensembles.budget import CostStep, best_within, cost_path
from ensemblekit.ensembles.costs import visits
from ensemblekit.ensembles.simplex import squared_error_at, squared_error_weights
from ensemblekit.trees import node_visits

X, y = make_classification(n_samples=200, n_informative=5, n_classes=3, flip_y=0.1, random_state=0)
TREES = [
    ("forest", RandomForestClassifier(n_estimators=20, random_state=0)),
    ("shallow", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
]


def problem(seed: int, n_members: int = 4):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=100)
    answers = truth + rng.normal(scale=rng.uniform(0.3, 2, size=(n_members, 1)), size=(n_members, 100))

    def learn(some: np.ndarray) -> np.ndarray:
        return squared_error_weights(some.T, truth).weights

    def judge(weights: np.ndarray, some: np.ndarray) -> float:
        return squared_error_at(weights, some.T, truth).loss

    return answers, rng.uniform(0.1, 10, size=n_members), learn, judge


@pytest.mark.parametrize("seed", range(10))
def test_path_is_consistent(seed: int) -> None:
    answers, costs, learn, judge = problem(seed)
    path = cost_path(answers, costs, learn, judge)
    n_members = len(answers)
    assert len(path) == n_members + n_members - 1
    for step in path:
        assert step.cost == pytest.approx(costs[step.weights > 0].sum())
        assert step.held_out_loss == pytest.approx(judge(step.weights, answers))
        assert step.weights.sum() == pytest.approx(1)
    losses = [step.held_out_loss for step in path[:n_members]]
    assert losses == sorted(losses), "with optimal weights fewer members are never better"
    # Against all subsets: the greedy way is not always the best, but never better than the best.
    for budget in (costs.min(), np.median(costs), costs.sum()):
        found = best_within(path, budget)
        possible = [
            judge(learn(answers[list(some)]), answers[list(some)])
            for size in range(1, n_members + 1)
            for some in itertools.combinations(range(n_members), size)
            if costs[list(some)].sum() <= budget
        ]
        assert found.cost <= budget
        assert found.held_out_loss >= min(possible) - 1e-9
        assert found.held_out_loss <= min(judge(np.eye(n_members)[i], answers) for i in np.flatnonzero(costs <= budget)) + 1e-9


def test_a_sum_of_costs_that_meets_the_budget_but_for_rounding_is_allowed() -> None:
    both, cheaper = CostStep(np.full(2, 0.5), 0.1 + 0.2, 0.1), CostStep(np.eye(2)[0], 0.1, 0.5)
    assert both.cost > 0.3
    assert best_within([both, cheaper], 0.3) is both
    assert best_within([both, cheaper], 0.2999) is cheaper


@pytest.mark.parametrize("refit", [True, False])
def test_node_visits_of_what_is_asked_stay_below_the_budget(refit: bool) -> None:
    unlimited = WeightedEnsembleClassifier(TREES, max_cost=np.inf, refit=refit, cv=3, random_state=0).fit(X, y)
    plain = WeightedEnsembleClassifier(TREES, refit=refit, cv=3, random_state=0).fit(X, y)
    np.testing.assert_allclose(unlimited.weights_, plain.weights_)
    assert unlimited.weights_[0] > 0
    limited = WeightedEnsembleClassifier(TREES, max_cost=20, refit=refit, cv=3, random_state=0).fit(X, y)
    assert limited.weights_[0] == 0
    assert limited.costs_[limited.weights_ > 0].sum() <= 20
    if refit:
        counted = [node_visits(member, X) for member in limited.estimators_]
        np.testing.assert_allclose(limited.costs_, counted)
    limited.estimators_[0] = None
    assert limited.predict_proba(X).shape == (200, 3)


@pytest.mark.parametrize("refit", [True, False])
def test_node_visits_of_regressors(refit: bool) -> None:
    diabetes, target = load_diabetes(return_X_y=True)
    kinds = ("forest", "extra_trees", "xgboost", "lightgbm", "hist_boosting", "bagging")
    members = [
        (kind, member.set_params(**{"max_iter" if kind == "hist_boosting" else "n_estimators": 4}))
        for kind, member in make_members(*kinds, task="regression", random_state=0)
    ]
    settings = {"refit": refit, "cv": 2, "random_state": 0}
    unlimited = WeightedEnsembleRegressor(members, max_cost=np.inf, **settings).fit(diabetes, target)
    budget = unlimited.cost_path_[0].cost / 3
    limited = WeightedEnsembleRegressor(members, max_cost=budget, **settings).fit(diabetes, target)
    asked = [member for member, weight in zip(limited.estimators_, limited.weights_, strict=True) if weight > 0]
    assert 0 < len(asked) < np.sum(unlimited.weights_ > 0)
    assert sum(visits(member, diabetes) for member in asked) <= budget
    assert limited.held_out_loss_ >= unlimited.held_out_loss_


def test_visits_of_members_around_trees() -> None:
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    alone = node_visits(tree, X)
    assert visits(FrozenEstimator(tree), X) == alone
    scaled = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3, random_state=0)).fit(X, y)
    assert visits(scaled, X) == pytest.approx(alone, rel=0.05)
    assert visits(make_pipeline(tree), X) == alone
    bagged = BaggingClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3, max_features=0.5, random_state=0).fit(X, y)
    by_hand = sum(
        tree.decision_path(X[:, columns]).sum() / len(X) - 1
        for tree, columns in zip(bagged.estimators_, bagged.estimators_features_, strict=True)
    )
    assert visits(bagged, X) == pytest.approx(by_hand)


@pytest.mark.parametrize("cost", ["latency", "size"])
def test_other_costs_are_above_zero(cost: str) -> None:
    members = [("linear", LogisticRegression(max_iter=1000)), TREES[0]]
    ensemble = WeightedEnsembleClassifier(members, max_cost=np.inf, cost=cost, cv=2, random_state=0).fit(X, y)
    assert ensemble.costs_[1] > ensemble.costs_[0] > 0


def test_regressor() -> None:
    diabetes, target = load_diabetes(return_X_y=True)
    members = [("ridge", Ridge(alpha=0.1)), ("tree", DecisionTreeRegressor(max_depth=8, random_state=0))]
    unlimited = WeightedEnsembleRegressor(members, max_cost=np.inf, cost="size", random_state=0).fit(diabetes, target)
    ridge, tree = unlimited.costs_
    assert ridge < tree
    limited = WeightedEnsembleRegressor(members, max_cost=ridge, cost="size", random_state=0).fit(diabetes, target)
    assert limited.weights_.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"max_cost": 0.5}, ValueError, "max_cost=0.5 allows no member: the cheapest costs 1"),
        ({"max_cost": True}, TypeError, "max_cost must be a number, .*; got True"),
        ({"max_cost": False}, TypeError, "max_cost must be a number, .*; got False"),
        ({"max_cost": np.nan}, ValueError, "max_cost must be a number, .*; got NaN"),
        ({"max_cost": 5, "cost": "money"}, ValueError, r"cost='money' is unknown; choose one of \['node_visits'"),
        ({"max_cost": 5, "weights": [1, 1, 1]}, ValueError, "max_cost needs weights that are learned"),
        ({"max_cost": 5, "estimators": [("linear", LogisticRegression())]}, TypeError, "LogisticRegression"),
    ],
)
def test_errors(params: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        WeightedEnsembleClassifier(**{"estimators": TREES, "cv": 2, "random_state": 0, **params}).fit(X, y)
