"""Log-likelihoods that an independent implementation reached must be reached, from almost every seed."""

import numpy as np
import pytest

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from tests.mixture.tables import reference_problem

#: R flexmix 2.3, tolerance 1e-9, best of six restarts. Its Gaussian variances are corrected for degrees of freedom, so that maximum
#: likelihood lies slightly above.
LOGISTIC = -800.9482
GAUSSIAN = -1035.3799


def reached(model, problem, reference):
    X, y = reference_problem(*problem)
    found = [model.set_params(random_state=seed).fit(X, y).log_likelihood(X, y) for seed in range(10)]
    return int(np.sum(np.array(found) >= reference - 1e-2))


@pytest.mark.slow
def test_gated_logistic():
    model = MixtureOfExpertsClassifier(3, alpha=1e-8)
    assert reached(model, (0, 2000, 4, 3, "logistic"), LOGISTIC) >= 9


@pytest.mark.slow
def test_gated_gaussian():
    model = MixtureOfExpertsRegressor(3, alpha=1e-8)
    assert reached(model, (1, 2000, 4, 3, "gaussian"), GAUSSIAN) >= 9


def test_one_seed_of_each():
    X, y = reference_problem(0, 2000, 4, 3, "logistic")
    assert MixtureOfExpertsClassifier(3, alpha=1e-8, random_state=0).fit(X, y).log_likelihood(X, y) >= LOGISTIC - 1e-2
    X, y = reference_problem(1, 2000, 4, 3, "gaussian")
    assert MixtureOfExpertsRegressor(3, alpha=1e-8, random_state=0).fit(X, y).log_likelihood(X, y) >= GAUSSIAN - 1e-2
