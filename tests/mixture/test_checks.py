"""scikit-learn's own estimator checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit import MixtureOfExpertsClassifier


@parametrize_with_checks(
    [
        MixtureOfExpertsClassifier(n_experts=2, n_init=3, random_state=0),
        MixtureOfExpertsClassifier(n_experts=2, n_init=2, optimizer="em", tol=1e-3, random_state=0),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
