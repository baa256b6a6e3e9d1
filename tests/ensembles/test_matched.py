"""As many trees as the mixture, and no gate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, AveragingEnsembleRegressor, matched_ensemble
from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.trees import read_trees

# Few steps of EM are enough to have experts; that they do not converge, or idle, does not matter here.
few_steps = pytest.mark.filterwarnings("ignore")


def n_trees(estimators: list) -> int:
    return sum(read_trees(estimator).n_trees for estimator in estimators)


@few_steps
def test_same_number_of_trees_as_a_fitted_mixture() -> None:
    X, y = load_iris(return_X_y=True)
    experts = RandomForestClassifier(n_estimators=7, max_depth=3, random_state=0)
    mixture = MixtureOfExpertsClassifier(n_experts=3, experts=experts, max_iter=3, random_state=0).fit(X, y)
    ensemble = matched_ensemble(mixture, random_state=5).fit(X, y)
    assert isinstance(ensemble, AveragingEnsembleClassifier)
    trained = [expert for expert in mixture.experts_.estimators_ if hasattr(expert, "estimators_")]
    assert n_trees(ensemble.estimators_) == n_trees(trained) > 0
    assert [member.random_state for _, member in ensemble.estimators] == list(range(5, 5 + len(trained)))


@few_steps
def test_regressor() -> None:
    X, y = load_diabetes(return_X_y=True)
    experts = RandomForestRegressor(n_estimators=3, max_depth=2, random_state=0)
    mixture = MixtureOfExpertsRegressor(n_experts=2, experts=experts, max_iter=2, random_state=0).fit(X, y)
    assert isinstance(matched_ensemble(mixture, random_state=0), AveragingEnsembleRegressor)


@few_steps
@pytest.mark.parametrize("shared", [False, 5])
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_boosted_experts_of_classes(load: Any, shared: bool | int) -> None:
    X, y = load(return_X_y=True)
    experts = BoostedExperts(n_estimators=11, num_leaves=7, early_stopping_rounds=None, shared=shared)
    mixture = MixtureOfExpertsClassifier(n_experts=3, experts=experts, random_state=0).fit(X, y)
    boosters = [booster for booster in (mixture.experts_.shared_booster_, *mixture.experts_.boosters_) if booster]
    ensemble = matched_ensemble(mixture, random_state=5).fit(X, y)
    assert n_trees(ensemble.estimators_) == sum(booster.num_trees() for booster in boosters)
    n_rounds = [member.n_estimators for _, member in ensemble.estimators]
    assert sum(n_rounds) == 3 * 11 + shared
    assert max(n_rounds) - min(n_rounds) <= 1
    assert {member.num_leaves for _, member in ensemble.estimators} == {7}
    first, second, _ = (member.predict_proba(X) for member in ensemble.estimators_)
    assert not np.allclose(first, second), "seeds make a difference"


def test_boosted_experts_of_numbers() -> None:
    X, y = load_diabetes(return_X_y=True)
    mixture = MixtureOfExpertsRegressor(n_experts=2, experts="boosted", random_state=0).fit(X, y)
    ensemble = matched_ensemble(mixture, random_state=0).fit(X, y)
    assert isinstance(ensemble, AveragingEnsembleRegressor)
    grown = sum(booster.num_trees() for booster in mixture.experts_.boosters_)
    assert sum(member.booster_.num_trees() for member in ensemble.estimators_) == grown > 0


def test_boosted_experts_without_a_tree() -> None:
    bank = SimpleNamespace(boosters_=[None, None], shared_booster_=None, base_=np.zeros((2, 1)), n_classes_=2)
    with pytest.raises(ValueError, match="kept no tree"):
        matched_ensemble(SimpleNamespace(experts_=bank))


@few_steps
def test_errors() -> None:
    X, y = load_iris(return_X_y=True)
    linear = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="experts are boosted, or estimators"):
        matched_ensemble(linear)
    with pytest.raises(TypeError, match="fitted mixture"):
        matched_ensemble(DecisionTreeClassifier())
    plain = MixtureOfExpertsRegressor(n_experts=2, experts=LinearRegression(), max_iter=2, random_state=0)
    with pytest.raises(ValueError, match="LinearRegression has no random_state"):
        matched_ensemble(plain.fit(X, y.astype(float)))
