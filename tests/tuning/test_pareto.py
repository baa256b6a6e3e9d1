"""The front holds what no tried model beats, both objectives are what they say, and a seed settles everything."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, StackingEnsembleClassifier, VotingEnsembleClassifier
from ensemblekit.packed import pack
from ensemblekit.packed.compute import active_compute
from ensemblekit.tuning import SearchSpace, pareto_search, space
from ensemblekit.tuning.dimensions import Choice, Whole

optuna.logging.set_verbosity(optuna.logging.WARNING)
TREE_SPACE = SearchSpace("tree", "classification", {"max_depth": Whole(1, 12), "min_samples_leaf": Whole(1, 20)})


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    return X, (np.sin(3 * X[:, 0]) + X[:, 1] + rng.normal(size=400) > 0).astype(int)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_front_is_not_dominated_and_dominates_the_rest(table, sampler):
    found = pareto_search(DecisionTreeClassifier(random_state=0), TREE_SPACE, *table, n_trials=25, sampler=sampler)
    assert len(found.tried) == 25
    for one in found.tried:
        assert any(best.loss <= one.loss and best.cost <= one.cost for best in found.front)
    costs, losses = [one.cost for one in found.front], [one.loss for one in found.front]
    assert costs == sorted(set(costs))
    assert losses == sorted(set(losses), reverse=True)
    again = pareto_search(DecisionTreeClassifier(random_state=0), TREE_SPACE, *table, n_trials=25, sampler=sampler)
    assert again == found


def test_objectives_are_those_of_the_refitted_model(table):
    X, y = table
    found = pareto_search(DecisionTreeClassifier(random_state=0), TREE_SPACE, X, y, n_trials=5, random_state=3)
    train, held_out = train_test_split(np.arange(400), test_size=0.25, stratify=y, random_state=3)
    for one in found.front:
        model = clone(DecisionTreeClassifier(random_state=0)).set_params(**one.params).fit(X[train], y[train])
        assert one.loss == pytest.approx(log_loss(y[held_out], model.predict_proba(X[held_out])))
        assert one.cost == pack(model).node_visits(X[held_out]).active


def test_a_failed_trial_is_told_and_does_not_end_the_search(table):
    broken = SearchSpace("broken", "classification", {"max_depth": Choice((-5, 3))})
    found = pareto_search(DecisionTreeClassifier(), broken, *table, n_trials=12, random_state=1)
    assert found.failed
    assert found.tried
    assert all("max_depth" in reason for reason in found.failed)
    assert len(found.failed) + len(found.tried) == 12


def test_hard_votes_are_told_to_have_no_probabilities(table):
    members = [("tree", DecisionTreeClassifier(max_depth=3, random_state=0)), ("linear", LogisticRegression())]
    both = SearchSpace("voting", "classification", {"voting": Choice(("hard", "soft"))})
    found = pareto_search(VotingEnsembleClassifier(members), both, *table, n_trials=6)
    assert {one.chosen["voting"] for one in found.tried} == {"soft"}
    assert found.failed
    assert all("gives no probabilities" in reason for reason in found.failed)


def test_regressors_are_searched_by_squared_error(table):
    X, _ = table
    found = pareto_search(
        RandomForestRegressor(n_jobs=1, random_state=0),
        SearchSpace("f", "regression", {"n_estimators": Whole(1, 5)}),
        X,
        X[:, 0],
        n_trials=3,
    )
    assert all(one.loss < np.var(X[:, 0]) for one in found.tried)


def test_unknown_sampler():
    with pytest.raises(ValueError, match="choose 'tpe' or 'nsga2'"):
        pareto_search(LogisticRegression(), space("logistic"), np.eye(4), [0, 1, 0, 1], sampler="grid")


def test_compute_of_pipelines_and_stacks_is_that_of_their_parts(table):
    X, y = table
    tree, linear = DecisionTreeClassifier(max_depth=2, random_state=0), LogisticRegression()
    of_tree = active_compute(clone(tree).fit(X, y), X)
    assert active_compute(make_pipeline(StandardScaler(), tree).fit(X, y), X) == pytest.approx(of_tree)
    stack = StackingEnsembleClassifier([("tree", tree), ("linear", linear)], cv=2).fit(X, y)
    assert active_compute(stack, X) == of_tree + 4 + 2  # a logistic regression of two classes multiplies each column once
    odd = StackingEnsembleClassifier([("tree", tree)], final_estimator=DecisionTreeClassifier(max_depth=1), cv=2).fit(X, y)
    assert active_compute(odd, X) == of_tree + 1


def test_what_is_out_of_range_is_refused_before_the_search(table):
    tree = DecisionTreeClassifier()
    for settings in ({"n_trials": 0}, {"n_trials": None}, {"validation_fraction": 1.0}, {"timeout_s": 0.0}):
        with pytest.raises((TypeError, ValueError), match=next(iter(settings))):
            pareto_search(tree, TREE_SPACE, *table, **settings)
    with pytest.raises(TypeError, match=r"must be a SearchSpace, .* got 'moe'"):
        pareto_search(tree, "moe", *table)
    with pytest.raises(ValueError, match=r"'moe' is of another estimator: .* no parameters \['alpha', 'n_experts'\]"):
        pareto_search(tree, space("moe"), *table)


def test_a_space_of_the_other_task_is_refused(table):
    # both tasks give these ensembles parameters of the same names
    members = [("tree", DecisionTreeClassifier(max_depth=3, random_state=0))]
    with pytest.raises(ValueError, match=r"'averaging' is of another estimator: its task is regression, .*Classifier's is classification"):
        pareto_search(AveragingEnsembleClassifier(members), space("averaging", "regression"), *table, n_trials=1)
    with pytest.raises(ValueError, match="its task is classification, and RandomForestRegressor's is regression"):
        pareto_search(RandomForestRegressor(), space("random-forest"), *table, n_trials=1)


def test_a_cost_that_is_no_number_is_a_failed_trial(table):
    found = pareto_search(DecisionTreeClassifier(), TREE_SPACE, *table, n_trials=2, cost=lambda model, X: np.nan)
    assert not found.front
    assert len(found.failed) == 2
    assert "have to be finite" in found.failed[0]
