"""The number of experts: that it is found, that the criteria are what they say, and what must not change it."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.datasets import make_regimes_classification, make_regimes_regression
from ensemblekit.displays import ExpertNumberDisplay
from ensemblekit.mixture import HierarchicalGate
from ensemblekit.mixture.holding_out import folds, mean_and_error, simplest_within_one_error
from ensemblekit.mixture.linear import merging, redividing, splitting
from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical
from ensemblekit.mixture.linear.growing import Growing
from ensemblekit.mixture.linear.merging import merged, twins
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.redividing import redivisions
from ensemblekit.mixture.linear.remembered import Remembered
from ensemblekit.mixture.linear.restarts import best_of_starts
from ensemblekit.mixture.linear.solve import Solution, climb
from ensemblekit.mixture.linear.splitting import best_splits, divided, joined, parts
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


@pytest.fixture(scope="module")
def regimes():
    X, y, _ = make_regimes_classification(800, 5, n_regimes=3, sharpness=8, random_state=3)
    return X, y


@pytest.fixture(scope="module")
def model(regimes):
    return MixtureOfExpertsClassifier("auto", max_experts=5, random_state=0).fit(*regimes)


def test_rows_are_divided_anew_on_the_way_up(monkeypatch):
    X, y, _ = make_regimes_classification(600, n_regimes=4, random_state=0)

    def loss_of_four():
        path = MixtureOfExpertsClassifier("auto", max_experts=5, n_init=1, random_state=0).fit(X, y).selection_path_
        return next(step.loss for step in path if step.n_experts == 4)

    found = loss_of_four()
    monkeypatch.setattr(Growing, "_redivide", lambda *_: False)
    assert found < loss_of_four() - 0.005


def test_the_number_of_regimes_is_found(model):
    assert model.n_experts_ == 3
    assert model.gate_proba(np.zeros((1, 5))).shape == (1, 3)


def test_the_path_is_as_high_as_the_fits_of_every_number(model, regimes):
    """Each optimum of the path is one of many that random starts find, and here as high as the best of twenty."""
    for step in model.selection_path_[:3]:
        single = MixtureOfExpertsClassifier(step.n_experts, random_state=0).fit(*regimes)
        assert -step.loss * 800 > single.log_likelihood(*regimes) - 3


def test_the_path_costs_less_than_its_longest_fit(regimes, monkeypatch):
    """In rows times experts, for every evaluation of the likelihood."""
    work, evaluate = [], LinearMixture.value_and_gradient

    def counted(problem, *where):
        work.append(problem.design.Z.shape[0] * problem.n_experts)
        return evaluate(problem, *where)

    monkeypatch.setattr(LinearMixture, "value_and_gradient", counted)
    auto = MixtureOfExpertsClassifier("auto", random_state=0).fit(*regimes)
    assert [step.n_experts for step in auto.selection_path_] == [1, 2, 3, 4]  # the fourth leads no higher
    path = sum(work)
    work.clear()
    MixtureOfExpertsClassifier(4, random_state=0).fit(*regimes)
    assert path < 0.75 * sum(work)


def test_a_climb_evaluates_its_start_once(regimes, monkeypatch):
    two, seen = problem(2, *regimes), []
    evaluate = two.value_and_gradient
    monkeypatch.setattr(two, "value_and_gradient", lambda theta: seen.append(theta.copy()) or evaluate(theta))
    start = np.random.default_rng(0).normal(size=two.size)
    climbed = climb(two, start, max_iter=3, tol=1e-6)
    assert sum(np.array_equal(theta, start) for theta in seen) == 1
    assert climbed.values[0] == evaluate(start)[0]


def test_bic_is_counted_by_hand(model, regimes):
    X, y = regimes
    step = next(step for step in model.selection_path_ if step.n_experts == 3)
    assert step.n_parameters == 2 * 6 + 3 * 6
    by_hand = -2 * model.log_likelihood(X, y) + step.n_parameters * np.log(len(y))
    assert_allclose(step.criterion, by_hand, atol=0.5)  # the final fit goes a little higher


def test_icl_is_bic_and_the_entropy(regimes):
    X, y = regimes
    model = MixtureOfExpertsClassifier("auto", selection="icl", max_experts=4, random_state=0).fit(X, y)
    shares = model.responsibilities(X, y)
    entropy = -np.sum(shares * np.log(np.maximum(shares, 1e-300)))
    step = model.selection_path_[model.n_experts_ - 1]
    bic = 2 * step.loss * len(y) + step.n_parameters * np.log(len(y))
    assert_allclose(step.criterion - bic, 2 * entropy, rtol=1e-2)


def test_one_expert_where_there_is_no_regime():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 4))
    y = rng.random(800) < 1 / (1 + np.exp(-X @ [1, -1, 0.5, 0]))
    for selection in ("bic", "icl", "cv"):
        model = MixtureOfExpertsClassifier("auto", selection=selection, max_experts=4, random_state=0).fit(X, y)
        assert model.n_experts_ == 1
    assert_allclose(model.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X), atol=1e-3)


def test_regression_in_the_units_of_the_answer():
    X, y, _ = make_regimes_regression(600, 4, n_regimes=2, random_state=1)
    one, other = (MixtureOfExpertsRegressor("auto", max_experts=3, random_state=0).fit(X, unit * y) for unit in (1, 1000))
    assert one.n_experts_ == other.n_experts_ == 2
    assert_allclose(np.subtract(other.selection_path_[1].loss, one.selection_path_[1].loss), np.log(1000), atol=1e-2)
    assert_allclose(one.selection_path_[1].loss, -one.log_likelihood(X, y) / 600, atol=1e-3)


def test_held_out_choice_is_the_smallest_within_one_error(regimes):
    model = MixtureOfExpertsClassifier("auto", selection="cv", max_experts=4, random_state=0).fit(*regimes)
    steps = model.selection_path_
    best = min(steps, key=lambda step: step.loss)
    fits = [step.n_experts for step in steps if step.loss <= best.loss + best.standard_error]
    assert model.n_experts_ == min(fits) == 3
    assert all(step.criterion == step.loss for step in steps)


def test_held_out_rows_are_not_known_to_the_fits_that_they_judge():
    """Answers drawn by a coin: whoever has not seen them loses a bit at the least, and about what those lose who never had those rows."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(250, 4)), rng.integers(0, 2, size=250)
    two = MixtureOfExpertsClassifier("auto", selection="cv", min_experts=2, max_experts=2, alpha=0.1, random_state=0).fit(X, y)
    (step,) = two.selection_path_
    assert step.loss > np.log(2)
    fits = [(clone(two).set_params(selection="bic").fit(X[kept], y[kept]), out) for kept, out in folds(X, y)]
    apart = step.loss + sum(fit.log_likelihood(X[out], y[out]) for fit, out in fits) / 250
    assert abs(apart) < 2 * step.standard_error  # of noise there are many optima, and searches end in different ones


def test_coefficients_that_the_rows_cannot_tell_apart_do_not_count(regimes):
    """A constant column, and two that code one category: what they add is no parameter."""
    X, y = regimes
    category = np.arange(len(y)) % 2
    plain, padded = np.column_stack([X, category]), np.column_stack([X, category, 1 - category, np.full(len(y), 0.1)])
    settings = {"min_experts": 2, "max_experts": 2, "n_init": 3, "random_state": 0, "alpha": 1e-3}
    for table in (plain, padded, sp.csr_array(padded)):
        (step,) = MixtureOfExpertsClassifier("auto", **settings).fit(table, y).selection_path_
        assert step.n_parameters == 7 + 2 * 7


def test_weights_that_are_no_numbers_of_rows_are_met_with_a_warning(regimes):
    X, y = regimes
    model = MixtureOfExpertsClassifier("auto", max_experts=2, n_init=2, random_state=0)
    with pytest.warns(UserWarning, match="These sum to 1, and one expert has 6 parameters"):
        model.fit(X, y, sample_weight=np.full(len(y), 1 / len(y)))


@pytest.mark.slow
def test_estimators_are_chosen_by_held_out_rows():
    X, y = two_lines(2, n_samples=150)
    settings = {"n_init": 3, "max_iter": 50, "tol": 1e-3, "random_state": 0}
    model = MixtureOfExpertsRegressor("auto", experts=LinearRegression(), selection="cv", max_experts=3, **settings)
    assert model.fit(X, y).n_experts_ == 2
    assert model.selection_path_[0].n_parameters is None
    assert len(model.experts_.estimators_) == 2


def test_weights_equal_repetition():
    X, y = gated_table(5, n_samples=150)
    times = np.random.default_rng(0).integers(0, 4, size=150)
    for selection in ("bic", "cv"):
        settings = {"selection": selection, "max_experts": 3, "random_state": 0}
        weighted = MixtureOfExpertsClassifier("auto", **settings).fit(X, y, sample_weight=times)
        repeated = MixtureOfExpertsClassifier("auto", **settings).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
        assert weighted.n_experts_ == repeated.n_experts_
        assert_allclose([s.criterion for s in weighted.selection_path_], [s.criterion for s in repeated.selection_path_], rtol=1e-4)
        assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-5)


def test_same_seed_same_bits_and_clones_choose_anew(regimes):
    X, y = regimes
    one = MixtureOfExpertsClassifier("auto", max_experts=3, random_state=1).fit(X, y)
    other = clone(one)
    assert not hasattr(other, "n_experts_")
    assert np.array_equal(one.predict_proba(X), other.fit(X, y).predict_proba(X))
    assert other.get_params()["n_experts"] == "auto"


@pytest.mark.parametrize("optimizer", ["em", "adam"])
def test_other_optimizers_go_on_from_the_path(optimizer, regimes):
    model = MixtureOfExpertsClassifier("auto", max_experts=3, optimizer=optimizer, max_iter=100, random_state=0).fit(*regimes)
    assert model.n_experts_ == 3
    assert model.lower_bounds_[0] > model.lower_bound_ - 5


def test_warm_start_keeps_the_number(regimes):
    X, y = regimes
    model = MixtureOfExpertsClassifier("auto", max_experts=3, warm_start=True, random_state=0).fit(X, y)
    before = model.selection_path_
    model.fit(X[:200], y[:200])
    assert model.n_experts_ == 3
    assert model.selection_path_ is before


def test_range():
    X, y = gated_table(1, n_samples=200)
    model = MixtureOfExpertsClassifier("auto", min_experts=2, max_experts=2, random_state=0).fit(X, y)
    assert model.n_experts_ == 2
    assert [step.n_experts for step in model.selection_path_] == [2]
    with pytest.raises(ValueError, match="min_experts=3 is larger than max_experts=2"):
        model.set_params(min_experts=3).fit(X, y)


@pytest.mark.parametrize(
    ("kind", "settings", "match"),
    [
        (MixtureOfExpertsClassifier, {"experts": "boosted"}, "selection='cv'"),
        (MixtureOfExpertsClassifier, {"gate": "gaussian"}, "selection='cv'"),
        (MixtureOfExpertsRegressor, {"experts": DecisionTreeRegressor()}, "selection='cv'"),
        (MixtureOfExpertsRegressor, {"experts": [LinearRegression()] * 2}, "number of their own"),
        (MixtureOfExpertsClassifier, {"gate": HierarchicalGate()}, "number of their own"),
        (MixtureOfExpertsClassifier, {"expert_features": [[0], [1]]}, "expert_features must be None"),
        (MixtureOfExpertsClassifier, {"selection": "aic"}, "'selection' parameter"),
    ],
)
def test_what_cannot_be_chosen_is_said(kind, settings, match):
    X, y = gated_table(0, n_samples=60)
    with pytest.raises(ValueError, match=match):
        kind("auto", **settings).fit(X, y)


def test_pieces_need_a_number():
    X, y = gated_table(0, n_samples=60)
    model = MixtureOfExpertsClassifier("auto", max_experts=2, random_state=0).fit(X, y)
    with pytest.raises(AttributeError) as failed:
        model.partial_fit(X, y)
    assert "n_experts_" in str(failed.value.__cause__)
    model.set_params(n_experts=model.n_experts_)
    assert model.partial_fit(X, y).n_experts_ == model.gate_proba(X).shape[1]


def problem(n_experts, X, y):
    return LinearMixture(make_design(X, np.ones(len(y))), Categorical(2), y[None].astype(float), n_experts=n_experts, alpha=1.0)


def test_a_split_gains_what_it_says_of_a_single_expert():
    """With one expert its rows are the table, so that the split is the mixture of two itself."""
    X, y = gated_table(3)
    one, two = problem(1, X, y), problem(2, X, y)
    W = one.coefficients(np.zeros(one.size))
    (split,) = best_splits(one, W, rng=np.random.default_rng(0))
    assert split.gain > 1
    gained = two.value(two.parameters(divided(one, W, split))) - one.value(one.parameters(W))
    assert_allclose(gained * len(y), split.gain, atol=1e-6)


def test_twins_are_merged_without_a_loss():
    """A third expert that repeats the first, with half its share each: merged, they are what they were."""
    X, y = gated_table(4)
    two, three = problem(2, X, y), problem(3, X, y)
    W = two.coefficients(climb(two, np.random.default_rng(0).normal(size=two.size), max_iter=100, tol=1e-4).theta)
    gate, one, other = W[:, :1], W[:, 1:2], W[:, 2:]
    apart = gate.copy()
    apart[-1] += np.log(2)
    twice = np.hstack([np.zeros_like(gate), apart, one, one, other])  # experts 0 and 1 are one and the same
    assert_allclose(three.log_joint(three.parameters(twice))[:2].T, np.tile(two.log_joint(two.parameters(W))[:1].T - np.log(2), 2))
    best = twins(three, twice)[0]
    assert best.pair == (0, 1)
    together = merged(three, twice, best.pair, best.expert)
    assert_allclose(together[:, 0], W[:, 0], atol=1e-10)
    assert two.value(two.parameters(together)) > two.value(two.parameters(W)) - 1e-4


@pytest.fixture(scope="module")
def optimum(regimes):
    three = problem(3, *regimes)
    return three, best_of_starts(three, three, n_init=5, max_iter=200, tol=1e-3, rng=np.random.default_rng(0))


def test_the_border_between_two_neighbours_is_found_again(optimum):
    """Two experts made one, and divided by a column that says nothing: a climb stays astray, their rows divided anew do not."""
    three, found = optimum
    gate, experts = parts(three, three.coefficients(found.theta))
    gate[:, 1] = gate[:, 2] = (gate[:, 1] + gate[:, 2]) / 2
    gate[-2, 1] += 4
    experts[1] = experts[2] = (experts[1] + experts[2]) / 2
    astray = joined(gate, experts)
    again = max((three.parameters(W) for W in redivisions(three, astray, rng=np.random.default_rng(0))), key=three.value)
    stays, returns = (climb(three, start, max_iter=100, tol=1e-3).values[-1] for start in (three.parameters(astray), again))
    assert stays < found.values[-1] - 0.05
    assert returns > found.values[-1] - 1e-4
    growing = Growing(lambda _: three, lambda _: three, np.random.default_rng(0))
    growing._settle(3, three.parameters(astray))
    assert growing.values[3] > found.values[-1] - 1e-4


@pytest.mark.parametrize("step", ["grow", "restart", "shrink"])
def test_every_new_optimum_is_looked_at_for_borders(step, regimes, monkeypatch):
    X, y = regimes
    problems = {n_experts: problem(n_experts, X, y) for n_experts in (2, 3, 4)}
    growing = Growing(problems.get, problems.get, np.random.default_rng(0))
    growing.optima.update({n_experts: problems[n_experts].coefficients(np.zeros(problems[n_experts].size)) for n_experts in (2, 4)})
    growing.values.update({2: -0.6, 4: -0.4})
    looked = []
    monkeypatch.setattr(growing, "_redivide", looked.append)
    monkeypatch.setattr(growing, "_climb", lambda n_experts, _: growing.values.update({n_experts: -0.5}))
    if step == "shrink":
        growing.values[3] = -0.6  # of the way up
    for _ in range(2):  # the second time it is the same optimum
        getattr(growing, step)(*((3, 1) if step == "restart" else (3,)))
    assert looked == [3]


def test_what_cannot_lead_higher_is_not_climbed(optimum, monkeypatch):
    """Mergers where one expert more leads no higher, random starts below what is known, and divisions of rows that are divided well."""
    three, found = optimum
    W = three.coefficients(found.theta)
    growing = Growing(lambda _: three, lambda _: three, np.random.default_rng(0), {3: W}, {3: found.values[-1], 4: found.values[-1]})
    climbed, short = [], 0.1
    monkeypatch.setattr(growing, "_settle", lambda *_: climbed.append(short))
    growing.shrink(3)
    for short in (0.1, 0.02):  # of what is known, after steps of which the second half gained 0.05
        values = [found.values[-1] - short - lost for lost in (0.5, 0.05, 0.0)]
        monkeypatch.setattr(growing, "_ranked", lambda *_, values=values: Solution(found.theta, values, converged=False))
        growing.restart(3, 3)
    assert climbed == [0.02]
    climbed.clear()
    monkeypatch.setattr(redividing, "go_on", lambda two, theta: climbed.append(two) or splitting.go_on(two, theta))
    assert redivisions(three, W, rng=np.random.default_rng(0)) == []
    assert len(climbed) <= 3  # of three pairs: what there is, once each, but no new division


def test_rows_that_were_tried_are_not_tried_again(optimum, monkeypatch):
    three, found = optimum
    W, rng = three.coefficients(found.theta), np.random.default_rng(0)
    settled, known = Remembered(), Remembered()
    assert redivisions(three, W, rng=rng, settled=settled) == []  # nothing leads higher than the optimum
    first = best_splits(three, W, rng=rng, known=known)
    for module in (redividing, splitting):
        monkeypatch.setattr(module, "best_division", None)
    assert redivisions(three, W, rng=rng, settled=settled) == []
    swapped = joined(*(part[::-1] if isinstance(part, list) else part[:, ::-1] for part in parts(three, W)))
    again = best_splits(three, swapped, rng=rng, known=known)
    assert [(2 - split.expert, split.gain) for split in again] == [(split.expert, split.gain) for split in first]


def test_the_best_merger_is_among_those_that_are_fitted(monkeypatch):
    X, y, _ = make_regimes_classification(600, 5, n_regimes=4, sharpness=8, random_state=1)
    five = problem(5, X, y)
    found = best_of_starts(five, five, n_init=2, max_iter=100, tol=1e-3, rng=np.random.default_rng(0))
    W = five.coefficients(found.theta)
    some = twins(five, W)
    monkeypatch.setattr(merging, "_FITTED", 10)
    every = twins(five, W)
    assert (len(some), len(every)) == (6, 10)
    assert some[0].log_likelihood == every[0].log_likelihood


def test_experts_without_rows_have_none_to_divide(regimes):
    X, y = regimes
    three = problem(3, X, y)
    W = np.zeros((6, 5))
    W[-1, :2] = -100  # the gate asks the first alone
    starts = redivisions(three, W, rng=np.random.default_rng(0))
    assert len(starts) == 2
    assert np.all(np.isfinite(starts))


def test_folds_hold_every_row_once_and_equal_rows_together():
    X = np.repeat(np.arange(40.0), 2)[:, None]
    out = [rows for _, rows in folds(X, np.zeros(80))]
    assert_allclose(np.sort(np.concatenate(out)), np.arange(80))
    assert all(np.array_equal(rows[::2] + 1, rows[1::2]) for rows in out)
    with pytest.raises(ValueError, match="all of them are equal"):
        next(folds(np.ones((5, 1)), np.zeros(5)))


def test_repeated_rows_are_held_out_as_often_as_weighted_ones():
    X = np.repeat(np.arange(1000.0), 11)[:, None]
    assert len(list(folds(X, np.zeros(11_000)))) == 5
    assert len(list(folds(np.arange(11_000.0)[:, None], np.zeros(11_000)))) == 1


def test_a_fit_of_a_given_number_leaves_no_path(regimes):
    model = MixtureOfExpertsClassifier("auto", max_experts=2, routing="auto", n_init=2, random_state=0).fit(*regimes)
    assert ExpertNumberDisplay.from_estimator(model.set_params(selection="icl")).ax_.get_ylabel() == "BIC"
    model.set_params(n_experts=2, routing="soft").fit(*regimes)
    assert not {"selection_path_", "selection_", "mixing_path_"} & set(vars(model))
    with pytest.raises(AttributeError, match="routing='auto' is settled by fit"):
        _ = model.set_params(routing="auto").routing_


def test_standard_error_and_the_rule():
    losses = np.random.default_rng(0).normal(size=500)
    mean, error = mean_and_error(losses, np.ones(500))
    assert_allclose([mean, error], [losses.mean(), losses.std() / np.sqrt(500)])
    assert simplest_within_one_error([1.0, 0.61, 0.5], [0.2, 0.2, 0.1]) == 2
    assert simplest_within_one_error([1.0, 0.59, 0.5], [0.0, 0.0, 0.1]) == 1


def test_display(model):
    display = ExpertNumberDisplay.from_estimator(model)
    assert display.ax_.get_xlabel() == "number of experts"
    assert_allclose(display.used_.get_xdata(), [3])
    assert display.band_ is None
    given = MixtureOfExpertsClassifier(2, experts=[FrozenEstimator(LogisticRegression().fit([[0.0], [1]], [0, 1]))] * 2)
    with warnings.catch_warnings(), pytest.raises(ValueError, match="n_experts='auto'"):
        ExpertNumberDisplay.from_estimator(given.fit([[0.0], [1.0]], [0, 1]))
