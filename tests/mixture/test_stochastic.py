"""Batch by batch to the same optimum, and pieces to a useful model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


@pytest.mark.parametrize(("optimizer", "gap"), [("sgd", 1e-2), ("adam", 2e-3)])
def test_batches_climb_to_where_newton_climbs(optimizer, gap):
    X, y = gated_table(0, n_samples=1000)
    settings = {"alpha": 0.5, "random_state": 0, "tol": 1e-5, "learning_rate": 0.05}
    model = MixtureOfExpertsClassifier(2, optimizer=optimizer, batch_size=64, **settings).fit(X, y)
    start, end = model.lower_bounds_[0], model.lower_bound_
    assert np.all(np.diff(model.lower_bounds_) > 0)
    polished = model.set_params(optimizer="auto", warm_start=True).fit(X, y)
    assert (polished.lower_bound_ - end) / len(y) < gap
    assert end > start + 10


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_regression_too(optimizer):
    X, y = two_lines(0, n_samples=1000)
    model = MixtureOfExpertsRegressor(2, optimizer=optimizer, batch_size=64, alpha=0.1, tol=1e-4, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8


def test_pieces_of_a_table():
    X, y = gated_table(1, n_samples=6000)
    model = MixtureOfExpertsClassifier(2, alpha=0.5, batch_size=32, random_state=0)
    for piece in np.array_split(np.arange(5000), 25):
        model.partial_fit(X[piece], y[piece], classes=[0, 1])
    whole = MixtureOfExpertsClassifier(2, alpha=0.5, random_state=0).fit(X[:5000], y[:5000])
    assert model.score(X[5000:], y[5000:]) > whole.score(X[5000:], y[5000:]) - 0.05
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_pieces_for_regression():
    X, y = two_lines(1, n_samples=4000)
    model = MixtureOfExpertsRegressor(2, alpha=0.1, batch_size=32, random_state=0)
    for piece in np.array_split(np.arange(4000), 20):
        model.partial_fit(X[piece], y[piece])
    assert model.score(X, y) > 0.8


def test_pieces_after_a_fit_go_on_from_it():
    X, y = gated_table(3, n_samples=2000)
    model = MixtureOfExpertsClassifier(2, alpha=0.5, random_state=0, learning_rate=1e-3).fit(X[:1000], y[:1000])
    before = model.log_likelihood(X, y)
    model.partial_fit(X[1000:], y[1000:])
    assert model.log_likelihood(X, y) > before - 10


def test_bad_pieces():
    X, y = gated_table(2)
    model = MixtureOfExpertsClassifier(2, random_state=0)
    with pytest.raises(ValueError, match="needs classes"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.partial_fit(X, y, classes=[0])
    model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="differs from the first call's"):
        model.partial_fit(X, y, classes=[0, 2])
    with pytest.raises(ValueError, match=r"not there at fit: \[5\]"):
        model.partial_fit(X, np.full(len(y), 5))
    assert not hasattr(MixtureOfExpertsClassifier(experts=DecisionTreeClassifier()), "partial_fit")
    with pytest.raises(ValueError, match="fits linear gates and experts only"):
        MixtureOfExpertsClassifier(2, gate="gaussian", optimizer="adam").fit(X, y)


@pytest.mark.parametrize("parameter", ["routing", "combination"])
def test_pieces_alone_settle_no_mixing(parameter):
    X, y = gated_table(0, n_samples=60)
    model = MixtureOfExpertsClassifier(2, n_init=1, random_state=0, **{parameter: "auto"})
    with pytest.raises(ValueError, match=f"{parameter}='auto' needs a whole table"):
        model.partial_fit(X, y, classes=[0, 1])
    assert model.fit(X, y).partial_fit(X, y).predict(X).shape == y.shape


@pytest.mark.parametrize("fitted", [False, True])
def test_rows_are_counted_on_after_the_gate_was_adapted(fitted):
    """By them the penalty is weighed against a piece."""
    X, y = gated_table(0, n_samples=400)
    model = MixtureOfExpertsClassifier(2, n_init=1, tol=1e-2, random_state=0)
    if fitted:
        model.fit(X[:100], y[:100])
    for piece in (slice(100, 200), slice(200, 300)):
        model.partial_fit(X[piece], y[piece], classes=[0, 1])
        model.adapt_gate(X[piece], y[piece])
    model.partial_fit(X[300:], y[300:])
    assert model._seen == (400 if fitted else 300)


def test_steps_go_on_with_as_many_experts_as_there_are():
    X, y = gated_table(0, n_samples=100)
    model = MixtureOfExpertsClassifier(2, random_state=0).partial_fit(X, y, classes=[0, 1]).set_params(n_experts=3)
    with pytest.raises(ValueError, match="goes on with the 2 experts that there are, and n_experts=3"):
        model.partial_fit(X, y)
    assert model.set_params(n_experts=2).partial_fit(X, y).n_experts_ == 2
