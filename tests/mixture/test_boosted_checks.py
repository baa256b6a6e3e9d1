"""scikit-learn's own estimator checks of mixtures of boosted experts."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import BoostedExperts

pytest.importorskip("lightgbm")
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")

FEW = {"n_estimators": 4, "learning_rate": 0.5, "num_leaves": 4, "n_init": 1, "cross_fit": False}
ROUNDS = {"n_experts": 2, "experts": BoostedExperts(**FEW), "random_state": 0}
SHARED = {"n_experts": 2, "experts": BoostedExperts(**FEW, shared=True), "routing": "top_k", "random_state": 0}


@parametrize_with_checks(
    [
        MixtureOfExpertsClassifier(**SHARED),
        MixtureOfExpertsRegressor(**ROUNDS),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
