"""scikit-learn's own checks: on the default members, on small members of the same kinds, and on linear ones."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    AveragingEnsembleRegressor,
    DynamicSelectionClassifier,
    StackingEnsembleClassifier,
    StackingEnsembleRegressor,
    VotingEnsembleClassifier,
    VotingEnsembleRegressor,
    WeightedEnsembleClassifier,
    WeightedEnsembleRegressor,
)
from ensemblekit.ensembles.members import default_classifiers, default_regressors

LINEAR = [("weak", LogisticRegression(C=0.01)), ("strong", LogisticRegression(C=10.0))]
RIDGE = [("weak", Ridge(alpha=0.1)), ("strong", Ridge(alpha=10.0))]
SMALL = [(name, member.set_params(n_estimators=5)) for name, member in default_classifiers(random_state=0)]
SMALL_REGRESSORS = [(name, member.set_params(n_estimators=5)) for name, member in default_regressors(random_state=0)]

ESTIMATORS = [
    AveragingEnsembleClassifier(random_state=0),
    WeightedEnsembleClassifier(SMALL, cv=2, random_state=0),
    VotingEnsembleClassifier(SMALL, voting="hard"),
    AveragingEnsembleClassifier(LINEAR),
    WeightedEnsembleClassifier(LINEAR, cv=3, random_state=0),
    WeightedEnsembleClassifier(LINEAR, weights="greedy", refit=False, cv=2, random_state=0),
    VotingEnsembleClassifier(LINEAR, voting="soft"),
    StackingEnsembleClassifier(LINEAR, cv=2, random_state=0),
    DynamicSelectionClassifier(LINEAR, cv=2, random_state=0),
    AveragingEnsembleRegressor(SMALL_REGRESSORS),
    WeightedEnsembleRegressor(SMALL_REGRESSORS, cv=2, random_state=0),
    AveragingEnsembleRegressor(RIDGE),
    WeightedEnsembleRegressor(RIDGE, cv=3, random_state=0),
    WeightedEnsembleRegressor(RIDGE, weights="greedy", refit=False, cv=2, random_state=0),
    VotingEnsembleRegressor(RIDGE),
    StackingEnsembleRegressor(RIDGE, cv=2, random_state=0),
]

BY_ROWS = "rows are drawn at random one by one, so that a row of weight two is not the same as two rows"


def expected_failures(estimator: Any) -> dict[str, str]:
    drawn_by_members = estimator.estimators in (None, SMALL, SMALL_REGRESSORS)
    if isinstance(estimator, DynamicSelectionClassifier):
        return {"check_sample_weight_equivalence_on_dense_data": "a neighbour is a row, whatever its weight"}
    if not drawn_by_members:
        return {}
    return {
        "check_sample_weight_equivalence_on_dense_data": BY_ROWS,
        "check_sample_weight_equivalence_on_sparse_data": BY_ROWS,
    }


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
