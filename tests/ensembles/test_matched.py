"""As many trees as the mixture, and no gate."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, AveragingEnsembleRegressor, matched_ensemble
from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
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
def test_errors() -> None:
    X, y = load_iris(return_X_y=True)
    linear = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="experts are estimators"):
        matched_ensemble(linear)
    with pytest.raises(TypeError, match="fitted mixture"):
        matched_ensemble(DecisionTreeClassifier())
    plain = MixtureOfExpertsRegressor(n_experts=2, experts=LinearRegression(), max_iter=2, random_state=0)
    with pytest.raises(ValueError, match="LinearRegression has no random_state"):
        matched_ensemble(plain.fit(X, y.astype(float)))
