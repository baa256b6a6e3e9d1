"""Tables of other array libraries; run by ``make test`` in a process of its own, since SciPy reads its switch once."""

import os

import numpy as np
import pytest
from sklearn import config_context
from sklearn.utils._array_api import yield_mixed_namespace_input_permutations, yield_namespace_device_dtype_combinations
from sklearn.utils.estimator_checks import check_array_api_input, check_array_api_mixed_inputs

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture.linear.namespaces import on_host
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.skipif("SCIPY_ARRAY_API" not in os.environ, reason="SciPy reads SCIPY_ARRAY_API before this process began")

MODELS = [
    MixtureOfExpertsClassifier(2, n_init=2, random_state=0),
    MixtureOfExpertsClassifier(2, n_init=2, random_state=0, gate="constant", optimizer="em", tol=1e-3),
    MixtureOfExpertsRegressor(2, n_init=2, random_state=0),
]
KINDS = [pytest.param(*kind, id=".".join(map(str, kind))) for kind in yield_namespace_device_dtype_combinations()]
MIXED = [pytest.param(other, table, id=name) for other, table, name in yield_mixed_namespace_input_permutations()]


@pytest.mark.parametrize("model", MODELS, ids=["classifier", "em", "regressor"])
@pytest.mark.parametrize(("library", "device", "dtype"), KINDS)
def test_scikit_learn_checks_arrays(model, library, device, dtype):
    check_array_api_input(type(model).__name__, model, library, device_name=device, dtype_name=dtype, check_sample_weight=True)


@pytest.mark.parametrize("model", MODELS[::2], ids=["classifier", "regressor"])
@pytest.mark.parametrize(("other", "table"), MIXED)
def test_scikit_learn_checks_mixed_arrays(model, other, table):
    check_array_api_mixed_inputs(type(model).__name__, model, X_ns_and_device=table, other_ns_and_device=other)


LIBRARIES = ["array_api_strict", "torch"]


def table_of(library, *arrays):
    xp = pytest.importorskip(library)
    return [xp.asarray(each) for each in arrays]


def same(theirs, ours):
    np.testing.assert_allclose(on_host(theirs), ours, rtol=1e-6, atol=1e-8)
    assert type(theirs) is not np.ndarray


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_same_number_of_experts_whatever_the_library(library):
    X, y = gated_table(0, n_samples=150)
    model = MixtureOfExpertsClassifier("auto", max_experts=3, n_init=2, random_state=0)
    ours = [step.criterion for step in model.fit(X, y).selection_path_]
    with config_context(array_api_dispatch=True):
        theirs = model.fit(*table_of(library, X, y)).selection_path_
    np.testing.assert_allclose([step.criterion for step in theirs], ours, rtol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "em", "tol": 1e-4},
        {"optimizer": "adam", "tol": 1.0},
        {"gate_features": [0, 1], "expert_features": [[2], [0, 1]]},
        {"routing": "top_k"},
        {"routing": "threshold", "threshold": 0.6, "combination": "additive"},
        {"routing": "random", "combination": "product"},
    ],
    ids=str,
)
def test_the_same_mixture_whatever_the_library(library, settings):
    X, y = gated_table(0, n_classes=3)
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    ours = MixtureOfExpertsClassifier(2, n_init=2, random_state=0, **settings).fit(X, y, weight)
    X_theirs, y_theirs, weight_theirs = table_of(library, X, y, weight)
    with config_context(array_api_dispatch=True):
        theirs = MixtureOfExpertsClassifier(2, n_init=2, random_state=0, **settings).fit(X_theirs, y_theirs, weight_theirs)
        same(theirs.predict_proba(X_theirs), ours.predict_proba(X))
        same(theirs.predict(X_theirs), ours.predict(X))
        same(theirs.gate_proba(X_theirs), ours.gate_proba(X))
        same(theirs.expert_proba(X_theirs), ours.expert_proba(X))
        same(theirs.responsibilities(X_theirs, y_theirs), ours.responsibilities(X, y))
        same(theirs.experts_.coef_, ours.experts_.coef_)
        np.testing.assert_array_equal(theirs.route(X_theirs), ours.route(X))
        assert theirs.log_likelihood(X_theirs, y_theirs) == pytest.approx(ours.log_likelihood(X, y))
        same(theirs.update_feedback(X_theirs, y_theirs).success_, ours.update_feedback(X, y).success_)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_same_regression_whatever_the_library(library):
    X, y = two_lines()
    ours = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
    X_theirs, y_theirs = table_of(library, X, y)
    with config_context(array_api_dispatch=True):
        theirs = MixtureOfExpertsRegressor(2, random_state=0).fit(X_theirs, y_theirs)
        for found, expected in zip(theirs.predict(X_theirs, return_std=True), ours.predict(X, return_std=True), strict=True):
            same(found, expected)
        same(theirs.predict_quantiles(X_theirs, [0.1, 0.9]), ours.predict_quantiles(X, [0.1, 0.9]))
        same(theirs.log_density(X_theirs, y_theirs), ours.log_density(X, y))
        theirs.set_params(warm_start=True).fit(X_theirs, y_theirs)
        same(theirs.predict(X_theirs), ours.predict(X))
        same(theirs.partial_fit(X_theirs, y_theirs).predict(X_theirs), ours.partial_fit(X, y).predict(X))


def test_a_table_of_another_library_than_at_fit_is_refused():
    X, y = gated_table(0)
    model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, y)
    (X_theirs,) = table_of("array_api_strict", X)
    with config_context(array_api_dispatch=True), pytest.raises(ValueError, match="must use the same namespace"):
        model.predict(X_theirs)


def test_parts_that_are_not_linear_say_that_they_read_numpy_only():
    X, y = gated_table(0)
    X_theirs, y_theirs = table_of("array_api_strict", X, y)
    with (
        config_context(array_api_dispatch=True),
        pytest.raises(ValueError, match="Only linear gates and experts read arrays of array_api_strict"),
    ):
        MixtureOfExpertsClassifier(2, gate="gaussian").fit(X_theirs, y_theirs)


def test_text_labels_stay_text():
    X, y = gated_table(0)
    labels = np.array(["no", "yes"])[y]
    (X_theirs,) = table_of("array_api_strict", X)
    with config_context(array_api_dispatch=True):
        model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X_theirs, labels)
        assert set(model.predict(X_theirs)) == {"no", "yes"}


def test_a_mixture_of_another_library_packs():
    X, y = gated_table(0)
    X_theirs, y_theirs = table_of("array_api_strict", X, y)
    with config_context(array_api_dispatch=True):
        model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X_theirs, y_theirs)
        packed = pack(model)
        expected = on_host(model.predict_proba(X_theirs))
    np.testing.assert_allclose(packed.predict_proba(X.astype(np.float32)), expected, atol=1e-5)
