"""scikit-learn's own estimator checks."""

import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import HierarchicalGate

pytestmark = [
    pytest.mark.filterwarnings("ignore:Experts .* answer for less"),
    pytest.mark.filterwarnings("ignore:The penalised log-likelihood fell"),
]

QUICK = {"n_experts": 2, "n_init": 2, "tol": 1e-3, "random_state": 0}
LINEAR = {"n_experts": 2, "n_init": 2, "random_state": 0}


@parametrize_with_checks(
    [
        MixtureOfExpertsClassifier(**LINEAR),
        MixtureOfExpertsClassifier(**QUICK, optimizer="em"),
        MixtureOfExpertsClassifier(**QUICK, gate="gaussian"),
        MixtureOfExpertsClassifier(**LINEAR, gate="constant"),
        MixtureOfExpertsClassifier(**QUICK, gate=HierarchicalGate((2,))),
        MixtureOfExpertsClassifier(**QUICK, experts=LogisticRegression()),
        MixtureOfExpertsRegressor(**LINEAR, tol=1e-9),  # its checks ask for predictions equal to 1e-7
        MixtureOfExpertsRegressor(**QUICK, optimizer="em"),
        MixtureOfExpertsRegressor(**QUICK, gate="gaussian"),
        MixtureOfExpertsRegressor(**LINEAR, gate="constant"),
        MixtureOfExpertsRegressor(**QUICK, experts=LinearRegression()),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
