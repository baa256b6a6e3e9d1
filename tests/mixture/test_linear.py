"""The objective behind every linear part: exact derivatives, an optimum that scaling does not move, starts that repeat."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical, Gaussian
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.start import fold_of, thin
from tests.mixture.tables import gated_table

PROBLEMS = [
    (Categorical(2), 1, None, None),
    (Categorical(2), 3, None, None),
    (Categorical(4), 2, [0, 2], None),
    (Categorical(3), 2, [], [[0], [1, 2]]),
    (Gaussian(1e-3), 2, None, [None, [1]]),
]


def problem(family, n_experts, gate_columns, expert_columns, *, sparse=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [1, 5, 0.1] + [0, 100, 3]
    classes = isinstance(family, Categorical)
    y = rng.integers(0, family.n_classes, 60) if classes else rng.normal(size=60)
    targets = (y == np.arange(1, family.n_classes)[:, None]).astype(float) if classes else y[None]
    return LinearMixture(
        make_design(sp.csr_array(X) if sparse else X, rng.uniform(0.5, 2, 60)),
        family,
        targets,
        n_experts=n_experts,
        alpha=0.3,
        gate_alpha=0.7,
        gate_columns=gate_columns,
        expert_columns=expert_columns,
    )


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("parts", PROBLEMS, ids=str)
def test_gradient_and_hessian_are_exact(parts, sparse):
    objective = problem(*parts, sparse=sparse)
    theta = np.random.default_rng(1).normal(size=objective.size) / 2
    _, gradient = objective.value_and_gradient(theta)
    step = 1e-5
    moved = [(theta + step * unit, theta - step * unit) for unit in np.eye(objective.size)]
    assert_allclose(gradient, [(objective.value(a) - objective.value(b)) / (2 * step) for a, b in moved], atol=1e-8)
    slopes = [(objective.value_and_gradient(a)[1] - objective.value_and_gradient(b)[1]) / (2 * step) for a, b in moved]
    assert_allclose(objective.hessian(theta), slopes, atol=1e-7)
    assert_allclose(objective.parameters(objective.coefficients(theta)), theta, atol=1e-8)


def test_sparse_tables_give_the_dense_fit():
    X, y = gated_table(0)
    X[np.abs(X) < 0.5] = 0
    dense = MixtureOfExpertsClassifier(2, n_init=1, alpha=3, random_state=0).fit(X, y)
    sparse = MixtureOfExpertsClassifier(2, n_init=1, alpha=3, random_state=0).fit(sp.csr_matrix(X), y)
    assert_allclose(sparse.lower_bound_, dense.lower_bound_, rtol=1e-3)
    assert_allclose(sparse.predict_proba(sp.csr_matrix(X)), sparse.predict_proba(X))


def test_warm_start_goes_on_from_the_last_fit():
    X, y = gated_table(1)
    model = MixtureOfExpertsClassifier(2, n_init=4, random_state=0, warm_start=True).fit(X, y)
    bound = model.lower_bound_
    again = model.fit(X, y)
    assert again.n_iter_ <= 2
    assert_allclose(again.lower_bound_, bound)
    more = model.set_params(alpha=0.5).fit(X, y)
    assert more.lower_bound_ > bound  # a smaller penalty, the same optimum followed


def test_long_tables_are_thinned_by_content():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 2)), rng.integers(0, 2, 5000)
    rows = thin(X, y, 500)
    assert 400 < rows.size < 600
    doubled = thin(np.repeat(X, 2, axis=0), np.repeat(y, 2), 500)
    assert_allclose(np.repeat(X, 2, axis=0)[doubled[::2]], np.repeat(X, 2, axis=0)[doubled[1::2]])
    assert_allclose(X[thin(sp.csr_array(X), y, 500)].mean(axis=0), 0, atol=0.2)
    assert thin(X[:900], y[:900], 500) is None


def test_folds_keep_equal_rows_together():
    X = np.repeat(np.random.default_rng(0).normal(size=(100, 2)), 3, axis=0)
    folds = fold_of(X, np.zeros(300), 5)
    assert_allclose(folds.reshape(100, 3), folds[::3, None].repeat(3, axis=1))
    assert np.bincount(folds).min() >= 45
