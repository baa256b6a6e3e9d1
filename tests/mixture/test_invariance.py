"""What must not change a fit, on tables that hypothesis draws."""

import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from tests.mixture.tables import gated_table, two_lines

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
seeds = st.integers(0, 10_000)


def fit(kind, X, y, **parameters):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experts .* answer for less")
        return kind(2, random_state=0, **{"n_init": 2, **parameters}).fit(X, y)


@FEW
@given(seed=seeds, shift=st.floats(-1e3, 1e3), scale=st.sampled_from([1e-6, 0.1, 7.0, 1e6]))
def test_shift_and_unit_of_a_column_do_not_matter_without_a_penalty(seed, shift, scale):
    X, y = two_lines(seed, n_samples=120)
    moved = X * [scale, 1] + [shift * scale, 0]
    # enough starts for the best optimum: of two, rounding may choose the winner
    one, other = (fit(MixtureOfExpertsRegressor, table, y, alpha=0, n_init=10) for table in (X, moved))
    # a separated gate climbs for ever: the likelihood that it reaches is the same, its coefficients need not be
    assert abs(one.lower_bound_ - other.lower_bound_) < 1e-2


@FEW
@given(seed=seeds, shift=st.floats(-1e3, 1e3))
def test_shift_of_a_column_does_not_matter_with_a_penalty(seed, shift):
    X, y = gated_table(seed, n_samples=80)
    one, other = fit(MixtureOfExpertsClassifier, X, y), fit(MixtureOfExpertsClassifier, X + shift, y)
    assert_allclose(one.predict_proba(X), other.predict_proba(X + shift), atol=1e-4)


@FEW
@given(seed=seeds)
def test_names_of_the_classes_do_not_matter(seed):
    X, y = gated_table(seed, n_samples=80, n_classes=3)
    letters = np.array(["a", "b", "c"])[y]
    assert_allclose(fit(MixtureOfExpertsClassifier, X, y).predict_proba(X), fit(MixtureOfExpertsClassifier, X, letters).predict_proba(X))


@FEW
@given(seed=seeds, times=st.lists(st.integers(0, 3), min_size=60, max_size=60).filter(lambda times: sum(times) > 10))
def test_weights_equal_repetition(seed, times):
    X, y = gated_table(seed, n_samples=60)
    y[:2], times[:2] = [0, 1], [1, 1]  # both classes are there
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experts .* answer for less")
        weighted = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, y, sample_weight=times)
    repeated = fit(MixtureOfExpertsClassifier, np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-5)


@FEW
@given(seed=seeds, unit=st.sampled_from([1e-300, 1e-160, 1e-20, 1e20, 1e160, 1e300]))
def test_any_unit_gives_probabilities(seed, unit):
    X, y = gated_table(seed, n_samples=60)
    proba = fit(MixtureOfExpertsClassifier, X * unit, y).predict_proba(X * unit)
    assert np.isfinite(proba).all()
    assert_allclose(proba.sum(axis=1), 1)
