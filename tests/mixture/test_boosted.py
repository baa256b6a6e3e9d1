"""Boosted experts: the loop climbs, honest rows choose the round, equal rows are one, and the parts are what the whole is made of."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.special import expit
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsRegressor
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.experts.boosting_copies import make_copies
from ensemblekit.mixture.experts.boosting_growth import Division
from ensemblekit.mixture.experts.boosting_losses import ClassLoss, NormalLoss
from ensemblekit.mixture.experts.lockstep import Lockstep, bins
from ensemblekit.mixture.gates.classifier import ClassifierGate
from ensemblekit.mixture.gates.constant import ConstantGate
from ensemblekit.mixture.gates.softmax import SoftmaxGate

lightgbm = pytest.importorskip("lightgbm")

FAST = {"n_estimators": 40, "num_leaves": 7, "n_init": 3}
#: LightGBM's own settings.
PLAIN = {
    "learning_rate": 0.1,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_lambda": 0.0,
    "early_stopping_rounds": None,
    "cross_fit": False,
}


def regimes(n=300, seed=7, noise=0.3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = np.where(X[:, 0] + 0.5 * X[:, 1] > 0, 4 + X[:, 2] ** 2, -4 - 2 * X[:, 1]) + noise * rng.normal(size=n)
    return X, y


def classes(n=300, n_classes=3, seed=8):
    X, y = regimes(n, seed)
    return X, np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))


def grow(X, y, n_experts=2, n_classes=None, weight=None, seed=0, gate=None, X_gate=None, **parameters):
    weight = np.ones(len(y)) if weight is None else weight
    gate = SoftmaxGate(alpha=0.01) if gate is None else gate
    bank = BoostedExperts(**{**FAST, **parameters})
    rng = np.random.default_rng(seed)
    return bank.grow(X, y, weight, gate, n_experts=n_experts, n_classes=n_classes, rng=rng, X_gate=X_gate)


def mixed(grown, X):
    return np.einsum("nk,nkc->nc", np.exp(grown.gate.log_proba(X)), grown.experts.predict(X))


def total_log_likelihood(grown, X, y):
    return np.logaddexp.reduce(grown.gate.log_proba(X) + grown.experts.log_likelihood(X, y), axis=1).sum()


# ---- the loop ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [None, 2, 3])
@pytest.mark.parametrize("shared", [False, 10])
def test_likelihood_of_the_training_rows_rises(n_classes, shared):
    X, y = regimes() if n_classes is None else classes(n_classes=n_classes)
    grown = grow(X, y, n_classes=n_classes, shared=shared)
    steps = np.diff(grown.log_likelihoods)
    assert len(grown.log_likelihoods) == grown.n_rounds + 1
    assert grown.n_rounds > 5
    # responsibilities come from rows held out, so that a rise is not certain; a lasting fall would be a wrong gradient
    assert np.mean(steps > 0) > 0.9
    assert grown.log_likelihoods[-1] > grown.log_likelihoods[0] + 50


@pytest.mark.parametrize("n_classes", [None, 2, 3])
@pytest.mark.parametrize("shared", [False, 10])
def test_the_kept_state_is_that_of_the_last_kept_round(n_classes, shared):
    X, y = regimes() if n_classes is None else classes(n_classes=n_classes)
    grown = grow(X, y, n_classes=n_classes, shared=shared)
    assert total_log_likelihood(grown, X, y) == pytest.approx(grown.log_likelihoods[-1], rel=1e-6)


@pytest.mark.parametrize("cross_fit", [True, False])
def test_early_stopping_keeps_the_best_held_out_round(cross_fit):
    X, y = regimes(200, noise=2.0)
    grown = grow(X, y, early_stopping_rounds=10, n_estimators=200, cross_fit=cross_fit)
    assert grown.n_rounds == int(np.argmax(grown.held_out))
    assert len(grown.held_out) == grown.n_rounds + 11  # the start, and the rounds of patience
    assert all(booster.current_iteration() == grown.n_rounds for booster in grown.experts.boosters_)


def test_without_early_stopping_all_rounds_are_kept():
    X, y = regimes()
    grown = grow(X, y, early_stopping_rounds=None, n_estimators=12)
    assert (grown.n_rounds, grown.held_out) == (12, None)


def test_regimes_are_found_and_beat_one_booster():
    X, y = regimes(600)
    unseen, answers = regimes(600, seed=9)

    def error(n_experts):
        grown = grow(X, y, n_experts=n_experts, n_estimators=100)
        return np.mean((mixed(grown, unseen)[:, 0] - answers) ** 2)

    assert error(2) < 0.7 * error(1)


def test_regimes_without_linear_trace_are_found():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, 3))
    y = np.where(X[:, 0] > X[:, 1], 2 * X[:, 2] ** 2, -2 * X[:, 2] ** 2) + 0.1 * rng.normal(size=600)
    gate = grow(X, y).gate
    found = gate.log_proba(X).argmax(axis=1) == (X[:, 0] > X[:, 1])
    assert max(found.mean(), 1 - found.mean()) > 0.95


# ---- the parts -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_expert_is_plain_lightgbm(n_classes):
    X, y = classes(n_classes=n_classes)
    grown = grow(X, y, n_experts=1, n_classes=n_classes, **PLAIN)
    parameters = {
        "objective": "binary" if n_classes == 2 else "multiclass",
        "num_class": 1 if n_classes == 2 else 3,
        "num_leaves": 7,
        "learning_rate": 0.1,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 1.0,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "verbosity": -1,
        "num_threads": 1,
    }
    plain = lightgbm.train(parameters, lightgbm.Dataset(X, y), 40).predict(X)
    plain = np.column_stack([1 - plain, plain]) if n_classes == 2 else plain
    own = grown.experts.predict(X)[:, 0]
    np.testing.assert_allclose(own, plain, atol=1e-3)  # gradients are float32, and the first guess is drawn to the prior by one row


def test_one_normal_expert_is_plain_lightgbm():
    X, y = regimes()
    grown = grow(X, y, n_experts=1, **PLAIN, min_child_weight=1e-3, min_child_samples=5)
    parameters = {
        "objective": "regression",
        "num_leaves": 7,
        "min_data_in_leaf": 5,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "verbosity": -1,
        "num_threads": 1,
    }
    plain = lightgbm.train(parameters, lightgbm.Dataset(X, y), 40).predict(X)
    np.testing.assert_allclose(grown.experts.predict(X)[:, 0, 0], plain, atol=1e-5)  # gradients are float32


@pytest.mark.parametrize("n_classes", [None, 2, 3])
@pytest.mark.parametrize("shared", [False, 5])
def test_an_expert_alone_answers_as_in_the_bank(n_classes, shared):
    X, y = regimes() if n_classes is None else classes(n_classes=n_classes)
    bank = grow(X, y, n_experts=3, n_classes=n_classes, shared=shared).experts
    together = bank.predict(X)
    assert together.shape == (300, 3, n_classes or 1)
    for k in range(3):
        np.testing.assert_array_equal(bank.predict_one(X[:40], k), together[:40, k])
    assert bank.predict_one(X[:0], 0).shape == (0, n_classes or 1)


def test_answers_are_the_sum_of_the_parts():
    X, y = classes(n_classes=2)
    bank = grow(X, y, n_classes=2, shared=5).experts
    common = bank.shared_booster_.predict(X, raw_score=True)
    for k, booster in enumerate(bank.boosters_):
        logit = bank.base_[k, 0] + common + booster.predict(X, raw_score=True)
        np.testing.assert_allclose(bank.predict(X)[:, k, 1], expit(logit), atol=1e-12)


def test_a_routed_away_expert_is_not_evaluated(monkeypatch):
    X, y = classes(n_classes=2)
    bank = grow(X, y, n_classes=2).experts
    calls = []
    original = lightgbm.Booster.predict
    monkeypatch.setattr(lightgbm.Booster, "predict", lambda self, *a, **k: calls.append(self) or original(self, *a, **k))
    bank.predict_one(X, 1)
    assert calls == [bank.boosters_[1]]


def test_derivatives_are_those_of_the_density():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(1, 2, 3, 5))
    for loss in (ClassLoss(np.array([0, 1, 2, 0, 1]), 3), ClassLoss(np.array([0, 1, 1, 0, 1]), 2), NormalLoss(rng.normal(size=5))):
        at = scores[:, :, : loss.n_scores]
        gradient, curvature = loss.derivatives(at)
        for q in range(loss.n_scores):
            step = np.zeros_like(at)
            step[:, :, q] = 1e-5
            slope = (loss.log_density(at + step, np.ones(2)) - loss.log_density(at - step, np.ones(2))) / 2e-5
            np.testing.assert_allclose(-slope, gradient[:, :, q], atol=1e-6)
        assert np.all(curvature > 0)


def test_a_part_of_a_booster_holds_its_trees_alone():
    X, y = regimes()
    parameters = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1}
    growth = Lockstep(bins(X, parameters), parameters, (3,))
    goals = np.stack([y, y**2, -y])
    for _ in range(6):
        growth.step(growth.scores() - goals, np.ones_like(goals))
    part = growth.part(np.array([2, 0]), 6)
    np.testing.assert_allclose(part.predict(X, raw_score=True, num_threads=1).T, growth.scores()[[2, 0]], atol=1e-9)
    assert part.num_trees() == 12


def test_copies_are_kept_from_their_rows():
    X, y = regimes(50)
    copies = make_copies(X, y, np.full(50, 2.0), n_folds=5, n_held_out=5)
    np.testing.assert_array_equal(copies.weight[copies.judge, np.arange(50)], 0.0)
    assert copies.weight.sum() == 2.0 * 50 * 5
    np.testing.assert_array_equal(copies.weight[-1], 2.0)
    first = make_copies(X, y, np.ones(50), n_folds=5, n_held_out=1)
    np.testing.assert_array_equal(first.weight[0] == 0, first.judged)
    assert first.judged.sum() == 10


def test_held_out_rows_are_judged_by_experts_that_did_not_see_them():
    # answers without any rule: who knows them by heart would think well of himself
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    bank = grow(X, y, early_stopping_rounds=None, cross_fit=True, n_estimators=30, num_leaves=15).experts
    assert bank.judge(X, y).mean() < bank.log_likelihood(X, y).mean() - 0.2
    assert np.mean(bank.deviation_) > 0.9


# ---- rows, weights, seeds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [None, 3])
def test_same_seed_same_bits(n_classes):
    X, y = regimes() if n_classes is None else classes()
    first, second = (grow(X, y, n_classes=n_classes, subsample=0.7, colsample_bytree=0.7) for _ in range(2))
    np.testing.assert_array_equal(first.experts.predict(X), second.experts.predict(X))
    np.testing.assert_array_equal(first.gate.log_proba(X), second.gate.log_proba(X))
    assert first.log_likelihoods == second.log_likelihoods


@pytest.mark.parametrize("n_classes", [None, 3])
def test_weights_equal_repetition(n_classes):
    X, y = regimes(150) if n_classes is None else classes(150)
    twice = np.random.default_rng(0).integers(1, 3, size=150)
    weighted = grow(X, y, n_classes=n_classes, weight=twice.astype(float))
    repeated = grow(np.repeat(X, twice, axis=0), np.repeat(y, twice), n_classes=n_classes)
    plain = grow(X, y, n_classes=n_classes)
    np.testing.assert_array_equal(weighted.experts.predict(X), repeated.experts.predict(X))
    np.testing.assert_array_equal(weighted.gate.log_proba(X), repeated.gate.log_proba(X))
    assert np.any(weighted.experts.predict(X) != plain.experts.predict(X))
    np.testing.assert_array_equal(np.repeat(weighted.experts.judged_, twice, axis=0), repeated.experts.judged_)


def test_an_unseen_class_is_rare_but_possible():
    X, y = classes(n_classes=3)
    y[y == 2] = 1
    y[:2] = 2
    bank = grow(X, y, n_experts=3, n_classes=3).experts
    proba = bank.predict(X)
    np.testing.assert_allclose(proba.sum(axis=2), 1)
    assert np.all(proba > 0)
    assert np.all(np.isfinite(bank.log_likelihood(X, y)))


def test_an_expert_without_rows_answers_for_the_whole_table():
    X, y = regimes()
    shares = np.column_stack([np.ones(300), np.zeros(300)])
    bank = BoostedExperts(**FAST).fit(X, y, shares, np.ones(300))
    np.testing.assert_allclose(bank.predict(X)[:, 1, 0], y.mean())
    assert np.corrcoef(bank.predict(X)[:, 0, 0], y)[0, 1] > 0.9


def test_fit_follows_given_responsibilities():
    X, y = classes(n_classes=2)
    shares = np.column_stack([X[:, 0] > 0, X[:, 0] <= 0]).astype(float)
    bank = BoostedExperts(**FAST).fit(X, y, shares, np.ones(300))
    own = bank.log_likelihood(X, y)
    assert own[shares == 1].mean() > own[shares == 0].mean() + 0.1
    assert bank.penalty() == 0.0


@pytest.mark.parametrize(("n", "n_classes"), [(1, None), (2, None), (5, None), (2, 2), (5, 2)])
def test_few_rows(n, n_classes):
    X = np.arange(3.0 * n).reshape(n, 3)
    y = np.arange(n) % 2 if n_classes else np.arange(float(n))
    grown = grow(X, y, n_experts=3, n_classes=n_classes, n_estimators=3)
    assert np.all(np.isfinite(mixed(grown, X)))


def test_constant_columns_and_answers():
    X, y = regimes()
    flat = grow(np.ones((300, 2)), y)
    np.testing.assert_allclose(mixed(flat, np.ones((1, 2))), y.mean(), rtol=1e-6)
    still = grow(X, np.full(300, 3.0))
    np.testing.assert_allclose(mixed(still, X), 3.0)


def test_missing_cells_reach_the_trees_and_not_the_gate():
    X, y = regimes(400)
    holes = X.copy()
    holes[::3, 2] = np.nan
    with pytest.raises(ValueError, match="choose complete columns for the gate"):
        grow(holes, y)
    grown = grow(holes, y, X_gate=X[:, :2])
    shares = np.exp(grown.gate.log_proba(X[:, :2]))
    assert np.mean((np.sum(shares * grown.experts.predict(holes)[:, :, 0], axis=1) - y) ** 2) < 0.3 * y.var()


@pytest.mark.parametrize("shared", [False, 5])
@pytest.mark.parametrize("power", [-1030, 532])  # 1e-310 and 1e160
def test_very_small_and_large_columns_are_read(power, shared):
    X, y = regimes(150)
    scaled = np.ldexp(np.round(X, 3), power)  # cells of few digits stay the same where floats have few
    answers = mixed(grow(scaled, y, shared=shared), scaled)[:, 0]
    assert np.corrcoef(answers, y)[0, 1] > 0.9


def test_duplicate_and_constant_columns_do_no_harm():
    X, y = regimes()
    unseen, answers = regimes(seed=9)

    def widened(X):
        return np.hstack([X, X, np.full((len(X), 1), 7.0)])

    narrow = np.mean((mixed(grow(X, y), unseen)[:, 0] - answers) ** 2)
    wide = np.mean((mixed(grow(widened(X), y), widened(unseen))[:, 0] - answers) ** 2)
    assert wide < 1.5 * narrow


def test_perfectly_separated_classes():
    X, _ = regimes()
    y = (X[:, 0] > 0).astype(int)
    grown = grow(X, y, n_classes=2, gate=SoftmaxGate())
    assert np.mean(mixed(grown, X).argmax(axis=1) == y) > 0.98
    assert np.all(np.isfinite(grown.gate.coef_))


# ---- the gate ------------------------------------------------------------------------------------------------------------------


def test_a_gate_without_penalty_gets_one_for_its_task():
    X, y = regimes()
    open_gate = SoftmaxGate()
    assert grow(X, y, gate=open_gate).gate.alpha == 0.001
    assert grow(*classes(n_classes=2), n_classes=2, gate=open_gate).gate.alpha == 1.0
    assert grow(X, y, gate=SoftmaxGate(alpha=3.0)).gate.alpha == 3.0
    assert open_gate.alpha is None


def test_rows_are_judged_by_a_gate_that_did_not_see_them():
    # shares that no column foretells: only a gate that has seen a row could know its share
    rng = np.random.default_rng(0)
    X, own = rng.normal(size=(100, 90)), rng.integers(2, size=100)
    copies = make_copies(X, np.arange(100.0), np.ones(100), n_folds=5, n_held_out=5)
    division = Division(SoftmaxGate(alpha=0.01), X, copies, np.eye(2)[own], tempering=0.0)
    rows = np.arange(100)
    assert np.exp(division.gate.log_proba(X)[rows, own]).mean() > 0.8
    assert np.exp(division.log_gate[own, rows]).mean() < 0.6


def test_missing_cells_reach_a_gate_that_reads_them():
    X, y = regimes(400)
    X[::5, 1] = np.nan
    grown = grow(X, y, gate=ClassifierGate(DecisionTreeClassifier(max_leaf_nodes=8, random_state=0)))
    assert np.mean((mixed(grown, X)[:, 0] - y) ** 2) < 0.3 * y.var()


def test_unit_of_the_answers_does_not_matter():
    X, y = regimes(150)
    plain, scaled = grow(X, y), grow(X, 2.0**500 * y)
    np.testing.assert_allclose(scaled.experts.predict(X) / 2.0**500, plain.experts.predict(X), rtol=1e-9)
    np.testing.assert_allclose(scaled.experts.deviation_ / 2.0**500, plain.experts.deviation_, rtol=1e-9)


def test_any_gate():
    X, y = regimes(noise=0.1)
    constant = grow(X, y, gate=ConstantGate())
    # a constant gate cannot tell where, but the experts still stand for the two kinds of answer
    assert np.abs(constant.experts.base_[0] - constant.experts.base_[1]) > 0.5
    assert constant.gate.intercept_.shape == (2,)


def test_a_bank_survives_pickling():
    X, y = classes()
    bank = grow(X, y, n_classes=3, shared=3).experts
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(bank)).predict(X), bank.predict(X))  # noqa: S301 (its own bytes)


def test_order_of_the_rows_does_not_matter():
    X, y = regimes(150)
    order = np.random.default_rng(0).permutation(150)
    first, second = grow(X, y, subsample=0.6), grow(X[order], y[order], subsample=0.6)
    np.testing.assert_array_equal(first.experts.predict(X), second.experts.predict(X))


# ---- through the estimators ----------------------------------------------------------------------------------------------------


def fitted(X, y, **parameters):
    return MixtureOfExpertsRegressor(2, experts=BoostedExperts(**FAST), random_state=0, **parameters).fit(X, y)


def test_the_mixture_hands_its_penalty_to_the_gate():
    X, y = regimes(100)
    assert fitted(X, y).gate_.alpha == 0.001
    assert fitted(X, y, alpha=2.0).gate_.alpha == 2.0
    assert fitted(X, y, alpha=2.0, gate=SoftmaxGate(alpha=0.5)).gate_.alpha == 0.5


def test_columns_of_their_own_are_for_other_experts():
    X, y = regimes(50)
    with pytest.raises(ValueError, match=r"LGBMRegressor.* take columns of their own"):
        fitted(X, y, expert_features=[[0], [1]])


def test_missing_cells_are_for_experts_only():
    X, y = regimes()
    holes = X.copy()
    holes[::3, 2] = np.nan
    assert fitted(holes, y, gate_features=[0, 1]).score(holes, y) > 0.7
    with pytest.raises(ValueError, match="cannot read NaN"):
        fitted(holes, y)
    with pytest.raises(ValueError, match="cannot read NaN"):
        fitted(X, y).predict(holes)
