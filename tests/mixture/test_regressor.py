"""The regressor: means, spreads, quantiles and densities of one and the same distribution."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.linear_model import LinearRegression

from ensemblekit import MixtureOfExpertsRegressor
from tests.mixture.tables import two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


@pytest.fixture(scope="module")
def fitted():
    X, y = two_lines()
    return X, y, MixtureOfExpertsRegressor(2, alpha=1e-3, n_init=5, random_state=0).fit(X, y)


@pytest.mark.parametrize("optimizer", ["auto", "em"])
def test_one_expert_is_least_squares(optimizer):
    X, y = two_lines(1)
    X, y = X * [1, 50] + [0, 1000], 1e4 * y
    model = MixtureOfExpertsRegressor(1, alpha=0, optimizer=optimizer).fit(X, y)
    plain = LinearRegression().fit(X, y)
    assert_allclose(model.predict(X), plain.predict(X), atol=1e-6 * y.std())
    assert_allclose(model.experts_.deviation_, np.std(y - plain.predict(X)), rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["auto", "em"])
def test_bound_never_falls_and_is_the_penalised_likelihood(optimizer):
    X, y = two_lines(2)
    model = MixtureOfExpertsRegressor(3, alpha=0.5, n_init=2, optimizer=optimizer, random_state=0).fit(X, y)
    assert np.all(np.diff(model.lower_bounds_) >= 0)
    penalty = 0.25 * (np.sum(model.gate_.coef_**2) + np.sum((model.experts_.coef_ / y.std()) ** 2))
    assert_allclose(model.lower_bound_, model.log_likelihood(X, y) - penalty, rtol=1e-9)


def test_two_lines_are_found(fitted):
    X, y, model = fitted
    assert model.score(X, y) > 0.9
    assert_allclose(model.experts_.deviation_, 0.1, rtol=0.2)
    assert_allclose(np.sort(model.experts_.coef_[:, 0]), [-1, 1], atol=0.05)


def test_density_integrates_to_one_with_the_stated_moments(fitted):
    X, _, model = fitted
    mean, deviation = model.predict(X[:3], return_std=True)
    for row in range(3):
        means = model.expert_predict(X[[row]])[0]
        y = np.linspace(means.min() - 1.5, means.max() + 1.5, 40_001)  # fifteen standard deviations of an expert
        density = np.exp(model.log_density(np.repeat(X[[row]], y.size, axis=0), y))
        assert_allclose(np.trapezoid(density, y), 1, rtol=1e-8)
        assert_allclose(np.trapezoid(y * density, y), mean[row], atol=1e-8)
        assert_allclose(np.sqrt(np.trapezoid((y - mean[row]) ** 2 * density, y)), deviation[row], rtol=1e-8)


def test_quantiles_invert_the_distribution(fitted):
    X, _, model = fitted
    levels = np.array([0.01, 0.3, 0.5, 0.99])
    quantiles = model.predict_quantiles(X, levels)
    parts = norm.cdf((quantiles[:, :, None] - model.expert_predict(X)[:, None]) / model.experts_.deviation_)
    below = np.einsum("nk,nqk->nq", model.gate_proba(X), parts)
    assert_allclose(below, np.broadcast_to(levels, below.shape), atol=1e-6)
    assert_allclose(model.predict_quantiles(X, 0.5), quantiles[:, 2])
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        model.predict_quantiles(X, [0.0, 0.5])


@pytest.mark.parametrize("settings", [{"n_experts": 1}, {"n_experts": 2, "routing": "top_k"}, {"n_experts": 2}])
def test_quantiles_of_answers_far_from_zero(settings):
    X, y = two_lines(3)
    near = MixtureOfExpertsRegressor(**settings, n_init=3, random_state=0).fit(X, y)
    far = MixtureOfExpertsRegressor(**settings, n_init=3, random_state=0).fit(X, y + 2.0**31)
    levels = [0.05, 0.5, 0.95]
    assert_allclose(far.predict_quantiles(X, levels) - 2.0**31, near.predict_quantiles(X, levels), atol=1e-3 * y.std())


def test_quantiles_of_a_constant():
    X = np.random.default_rng(0).normal(size=(50, 2))
    model = MixtureOfExpertsRegressor(2, random_state=0).fit(X, np.full(50, 1e10))
    assert_allclose(model.predict_quantiles(X, [0.1, 0.9]), 1e10)


def test_an_idle_expert_does_not_swamp_the_spread():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = X[:, 0] + 0.1 * random.normal(size=300)
    model = MixtureOfExpertsRegressor(4, random_state=2).fit(X, y)
    assert model.load_.min() < 1e-6  # one is idle, and no row holds its variance
    _, deviation = model.predict(X, return_std=True)
    assert_allclose(np.median(deviation), 0.1, rtol=0.2)
    errors = abs(y[:, None] - model.expert_predict(X)).max(axis=0)
    assert np.all(model.experts_.deviation_ <= errors)
    assert_allclose(model.log_likelihood(X, y), model.lower_bound_ + model.gate_.penalty() + model.experts_.penalty(), rtol=1e-9)


def test_units_do_not_matter():
    X, y = two_lines(3)
    base = MixtureOfExpertsRegressor(2, n_init=3, random_state=0).fit(X, y)
    for unit in (1e-100, 1e6, 1e150):
        scaled = MixtureOfExpertsRegressor(2, n_init=3, random_state=0).fit(X, unit * y)
        assert_allclose(scaled.predict(X) / unit, base.predict(X), atol=1e-5)


def test_collapse_stops_at_the_floor():
    X, y = two_lines(4, n_samples=60, noise=0.0)
    y[:30] = 0.0  # an expert that answers 0 has no error at all
    model = MixtureOfExpertsRegressor(3, alpha=1e-6, n_init=3, random_state=0).fit(X, y)
    assert np.all(model.experts_.deviation_ >= 0.999e-3 * y.std())
    assert np.isfinite(model.log_likelihood(X, y))


def test_constant_answers():
    X, _ = two_lines(5)
    model = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, np.full(len(X), 7.0))
    assert_allclose(model.predict(X), 7.0, atol=1e-4)


def test_weights_equal_repetition():
    X, y = two_lines(6, n_samples=120)
    times = np.random.default_rng(0).integers(0, 3, size=len(y))
    weighted = MixtureOfExpertsRegressor(2, n_init=4, random_state=0).fit(X, y, sample_weight=times)
    repeated = MixtureOfExpertsRegressor(2, n_init=4, random_state=0).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-6)
