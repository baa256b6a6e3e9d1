"""Idle experts begin anew, and random starts may be annealed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import check_grad
from sklearn.linear_model import LinearRegression

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import base, revival
from ensemblekit.mixture.contracts import Data
from ensemblekit.mixture.em import EMState, e_step, posterior, run
from ensemblekit.mixture.experts.linear import LinearExperts
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.revival import Revival, idle_experts, revive
from tests.mixture.tables import gated_table, two_lines


def state_with_an_idle_expert(X, y):
    """Both experts are the plain regression, and the gate gives every row to the first."""
    weight = np.ones(len(y))
    data = Data(X, X, y, weight)
    experts = LinearExperts().fit(X, y, np.full((len(y), 2), 0.5), weight)
    gate = SoftmaxGate(alpha=1.0).set_contrasts(np.zeros((1, X.shape[1])), np.array([-30.0]))
    return e_step(gate, experts, data), data


def test_an_idle_expert_takes_rows_that_are_explained_badly():
    state, data = state_with_an_idle_expert(*two_lines())
    assert idle_experts(state.responsibilities, data.sample_weight).tolist() == [1]
    found, converged = revive(state, data, max_iter=100, tol=1e-6)
    assert converged
    assert idle_experts(found.responsibilities, data.sample_weight).size == 0
    assert found.lower_bound > state.lower_bound + 100


def test_a_revival_that_ran_out_of_steps_says_so(monkeypatch):
    monkeypatch.setattr(revival, "_ATTEMPT", 2)
    state, data = state_with_an_idle_expert(*two_lines())
    found = revive(state, data, max_iter=1, tol=1e-12)
    assert found.state is not state
    assert not found.converged


def test_no_attempt_takes_more_steps_than_the_fit_may(monkeypatch):
    """A step of forests takes seconds."""
    allowed = []
    monkeypatch.setattr(
        revival, "run", lambda *arguments, max_iter, tol: allowed.append(max_iter) or run(*arguments, max_iter=max_iter, tol=tol)
    )
    state, data = state_with_an_idle_expert(*two_lines())
    revive(state, data, max_iter=3, tol=1e-6)
    assert max(allowed) <= 3


def test_an_expert_that_is_not_needed_stays_idle():
    X, _ = two_lines()
    state, data = state_with_an_idle_expert(X, X[:, 0] + 0.1 * np.random.default_rng(0).normal(size=len(X)))
    assert revive(state, data, max_iter=100, tol=0.05).state is state


def test_equal_rows_are_handed_over_together():
    X, y = two_lines(n_samples=60)
    state, data = state_with_an_idle_expert(X, y)
    twice = Data(X, X, y, np.full(len(y), 2.0))
    repeated = Data(*(np.repeat(each, 2, axis=0) for each in data))
    one = revive(e_step(state.gate, state.experts, twice), twice, max_iter=50, tol=1e-6).state
    other = revive(e_step(state.gate, state.experts, repeated), repeated, max_iter=50, tol=1e-6).state
    assert one.lower_bound == pytest.approx(other.lower_bound)


def test_revival_raises_the_bound_of_a_whole_fit(monkeypatch):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 2))
    which = (X @ rng.normal(size=(2, 4)) * 2).argmax(axis=1)
    y = np.einsum("nd,nd->n", X, rng.normal(size=(4, 2))[which] * 3) + 0.2 * rng.normal(size=300)
    model = MixtureOfExpertsRegressor(5, experts=LinearRegression(), n_init=1, random_state=2)
    with_it = model.fit(X, y).lower_bound_
    assert np.all(np.diff(model.lower_bounds_) >= 0)
    monkeypatch.setattr(base, "revive", lambda state, data, **how: Revival(state, converged=True))
    with pytest.warns(UserWarning, match="answer for less"):
        assert with_it > model.fit(X, y).lower_bound_ + 5


@pytest.mark.parametrize("sharpness", [1.0, 0.3])
def test_the_annealed_objective_has_the_gradient_that_it_says(sharpness):
    X, y = gated_table(0, n_samples=50, n_classes=3)
    targets = (y == np.arange(1, 3)[:, None]).astype(float)
    objective = LinearMixture(make_design(X, np.ones(50)), Categorical(3), targets, n_experts=2, alpha=0.5).annealed(sharpness)
    theta = np.random.default_rng(0).normal(size=objective.size)
    assert check_grad(objective.value, lambda at: objective.value_and_gradient(at)[1], theta) < 1e-5


def test_annealing_evens_out_responsibilities():
    X, y = two_lines()
    state, data = state_with_an_idle_expert(X, y)
    warm = e_step(state.gate, state.experts, data, sharpness=0.5)
    log_joint = state.gate.log_proba(X) + state.experts.judge(X, y)
    assert_allclose(warm.responsibilities, posterior(0.5 * log_joint)[1])
    assert warm.responsibilities[:, 1].min() > state.responsibilities[:, 1].max()


@pytest.mark.parametrize("settings", [{}, {"optimizer": "em"}, {"gate": "gaussian"}], ids=str)
def test_an_annealed_fit_ends_on_the_likelihood_itself(settings):
    X, y = gated_table(1)
    model = MixtureOfExpertsClassifier(2, n_init=3, annealing=0.5, random_state=0, **settings).fit(X, y)
    assert np.all(np.diff(model.lower_bounds_) >= 0)
    penalty = model.gate_.penalty() + model.experts_.penalty()
    assert model.lower_bound_ == pytest.approx(model.log_likelihood(X, y) - penalty)


@pytest.mark.parametrize("annealing", [0, 1.5])
def test_annealing_out_of_range_is_refused(annealing):
    X, y = gated_table(0)
    with pytest.raises(ValueError, match="'annealing' parameter"):
        MixtureOfExpertsClassifier(2, annealing=annealing).fit(X, y)


def test_the_busiest_expert_may_lead_in_no_row():
    X, y = gated_table(0, n_samples=40)
    weight = np.ones(len(y))
    data = Data(X, X, y, weight)
    experts = LogisticExperts(2).fit(X, y, np.full((len(y), 4), 0.25), weight)
    shares = np.full((len(y), 4), [0.45, 0.55, 0.0, 0.0])
    shares[:20] = [0.45, 0.0, 0.55, 0.0]
    state = EMState(SoftmaxGate(alpha=1.0).fit(X, shares, weight), experts, shares, -np.inf)
    assert revive(state, data, max_iter=3, tol=1e-3).state.lower_bound > -np.inf


def test_idle_is_judged_by_the_average_row():
    shares = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert idle_experts(shares, np.full(2, 1e-9)).size == 0


@pytest.mark.parametrize("memory", [0, -1.0, float("nan")])
def test_a_memory_that_is_no_number_of_rows_is_refused(memory):
    X, y = gated_table(0)
    with pytest.raises(ValueError, match="memory must be a number of rows above zero"):
        MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, y).update_feedback(X, y, memory=memory)
