"""scikit-learn's own estimator checks."""

import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import GaussianGate, HierarchicalGate

pytestmark = [
    pytest.mark.filterwarnings("ignore:Experts .* answer for less"),
    pytest.mark.filterwarnings("ignore:The penalised log-likelihood fell"),
]

QUICK = {"n_experts": 2, "n_init": 2, "tol": 1e-3, "random_state": 0}
LINEAR = {"n_experts": 2, "n_init": 2, "random_state": 0}


def expected_failures(estimator):
    """Where an expert's spread is a thousandth of the answers', rounding is a million times as large as elsewhere.

    Trees on fifteen rows meet splits of equal gain, and take the one that rounding favours; on more rows weights equal repetition, which
    ``test_weights_equal_repetition_for_trees`` shows.
    """
    if isinstance(estimator, MixtureOfExpertsRegressor) and estimator.gate == "softmax" and estimator.experts == "linear":
        reason = "nine rows are learnt by heart, with the spread at its floor: predictions agree to 1e-6, not to 1e-7"
        return {"check_sample_weight_equivalence_on_sparse_data": reason}
    if "DecisionTree" in repr(estimator.experts):
        return {"check_sample_weight_equivalence_on_dense_data": "splits of equal gain on fifteen rows: rounding decides"}
    return {}


@parametrize_with_checks(
    [
        MixtureOfExpertsClassifier(**LINEAR),
        MixtureOfExpertsClassifier("auto", max_experts=2, n_init=2, random_state=0),
        MixtureOfExpertsClassifier(**QUICK, optimizer="em"),
        MixtureOfExpertsClassifier(**QUICK, gate="gaussian"),
        MixtureOfExpertsClassifier(**LINEAR, gate="constant"),
        MixtureOfExpertsClassifier(**QUICK, gate=HierarchicalGate((2,))),
        MixtureOfExpertsClassifier(**QUICK, gate=LogisticRegression()),
        MixtureOfExpertsClassifier(**LINEAR, optimizer="adam"),
        MixtureOfExpertsClassifier(**QUICK, experts=LogisticRegression()),
        MixtureOfExpertsClassifier(**QUICK, experts=DecisionTreeClassifier(max_depth=2, random_state=0)),
        MixtureOfExpertsRegressor(**LINEAR),
        MixtureOfExpertsRegressor(**QUICK, optimizer="em"),
        MixtureOfExpertsRegressor(**QUICK, gate="gaussian"),
        MixtureOfExpertsRegressor(**LINEAR, gate="constant"),
        MixtureOfExpertsRegressor(**QUICK, experts=LinearRegression()),
        MixtureOfExpertsRegressor(**QUICK, experts=[LinearRegression(), DecisionTreeRegressor(max_depth=2, random_state=0)]),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=False,  # rounding differs between processors
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        MixtureOfExpertsClassifier(**QUICK, gate=GaussianGate("tied")),
        MixtureOfExpertsRegressor(**QUICK, gate=GaussianGate("spherical")),
        MixtureOfExpertsRegressor(**QUICK, gate=HierarchicalGate((2,))),
        MixtureOfExpertsRegressor(**QUICK, gate=LogisticRegression()),
        MixtureOfExpertsClassifier("auto", selection="cv", max_experts=3, n_init=2, random_state=0),
        MixtureOfExpertsRegressor("auto", max_experts=3, n_init=2, random_state=0),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=False,
)
def test_scikit_learn_checks_of_further_kinds(estimator, check):
    check(estimator)
