"""scikit-learn's own checks: on the default members, on small members of the same kinds, and on linear ones."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, WeightedEnsembleClassifier
from ensemblekit.ensembles.members import default_classifiers

LINEAR = [("weak", LogisticRegression(C=0.01)), ("strong", LogisticRegression(C=10.0))]
SMALL = [(name, member.set_params(n_estimators=5)) for name, member in default_classifiers(random_state=0)]

ESTIMATORS = [
    AveragingEnsembleClassifier(random_state=0),
    WeightedEnsembleClassifier(SMALL, cv=2, random_state=0),
    VotingEnsembleClassifier(SMALL, voting="hard"),
    VotingEnsembleClassifier(SMALL, voting="soft"),
    AveragingEnsembleClassifier(LINEAR),
    WeightedEnsembleClassifier(LINEAR, cv=3, random_state=0),
    VotingEnsembleClassifier(LINEAR, voting="hard"),
    VotingEnsembleClassifier(LINEAR, voting="soft"),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    if estimator.estimators is LINEAR:
        return {}
    drawn = "forests and boosters draw rows at random, so that a row of weight two is not the same as two rows"
    return {
        "check_sample_weight_equivalence_on_dense_data": drawn,
        "check_sample_weight_equivalence_on_sparse_data": drawn,
    }


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
