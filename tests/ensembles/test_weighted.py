"""Learned weights: the best on held-out rows, which are truly held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier

from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    VotingEnsembleClassifier,
    WeightedEnsembleClassifier,
    WeightedEnsembleRegressor,
)
from ensemblekit.ensembles.held_out import fit_fold

MEMBERS = [
    ("linear", LogisticRegression(max_iter=2000)),
    ("bayes", GaussianNB()),
    ("forest", RandomForestClassifier(n_estimators=10, random_state=0)),
]
NOISY = make_classification(n_samples=200, n_classes=3, n_informative=4, flip_y=0.2, random_state=0)


def test_weights_beat_all_others_on_held_out_rows() -> None:
    X, y = NOISY
    folds = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    ensemble = WeightedEnsembleClassifier(MEMBERS, cv=folds).fit(X, y)
    held_out = [cross_val_predict(member, X, y, cv=folds, method="predict_proba") for _, member in MEMBERS]

    def loss(weights: np.ndarray) -> float:
        return log_loss(y, np.tensordot(weights, held_out, axes=1))

    assert ensemble.optimality_gap_ <= 1e-9
    assert ensemble.held_out_loss_ == pytest.approx(loss(ensemble.weights_), abs=1e-9)
    candidates = np.vstack([np.eye(3), np.random.default_rng(0).dirichlet(np.ones(3), size=100)])
    assert min(map(loss, candidates)) >= ensemble.held_out_loss_ - 1e-9


def test_prediction_is_the_weighted_mean() -> None:
    X, y = NOISY
    ensemble = WeightedEnsembleClassifier(MEMBERS, random_state=0).fit(X, y)
    expected = np.average([member.predict_proba(X) for member in ensemble.estimators_], axis=0, weights=ensemble.weights_)
    np.testing.assert_allclose(ensemble.predict_proba(X), expected, atol=1e-15)
    np.testing.assert_allclose(ensemble.predict_proba(X).sum(axis=1), 1)


def test_a_member_that_remembers_its_rows_gets_no_weight() -> None:
    # On its own training rows a full tree is always right; held out, on pure noise, it is worse than the class shares.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, size=200)
    members = [("tree", DecisionTreeClassifier(random_state=0)), ("shares", DummyClassifier())]
    ensemble = WeightedEnsembleClassifier(members, random_state=0).fit(X, y)
    assert ensemble.weights_[0] < 0.2


def test_members_of_weight_zero_are_not_asked() -> None:
    X, y = load_iris(return_X_y=True)
    ensemble = WeightedEnsembleClassifier([*MEMBERS[:1], ("constant", DummyClassifier())], random_state=0).fit(X, y)
    assert ensemble.weights_.tolist() == [1.0, 0.0]
    ensemble.estimators_[1] = None
    np.testing.assert_array_equal(ensemble.predict_proba(X), ensemble.estimators_[0].predict_proba(X))


def test_rows_in_any_order_of_classes() -> None:
    X, y = load_iris(return_X_y=True)
    assert WeightedEnsembleClassifier(MEMBERS, random_state=0).fit(X, y).score(X, y) > 0.9


def test_class_with_fewer_rows_than_folds() -> None:
    # XGBoost by itself refuses codes with a gap, which the folds without class "b" bring.
    X, y = NOISY
    labels = np.where(y == 2, "c", "a")
    labels[[3, 50]] = "b"
    members = [("xgboost", XGBClassifier(n_estimators=3)), ("bayes", GaussianNB())]
    ensemble = WeightedEnsembleClassifier(members, cv=5, random_state=0).fit(X, labels)
    assert ensemble.classes_.tolist() == ["a", "b", "c"]
    assert np.isfinite(ensemble.held_out_loss_)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_answers_of_a_fold_without_a_class_stand_in_the_right_columns(missing: int) -> None:
    X, y = NOISY
    train, test = np.flatnonzero(y != missing), np.flatnonzero(y == missing)
    present = np.delete(np.arange(3), missing)
    answers = fit_fold(GaussianNB(), X, y, (train, test), n_classes=3).answers
    np.testing.assert_array_equal(answers[:, missing], 0)
    expected = GaussianNB().fit(X[train], y[train])
    assert expected.classes_.tolist() == present.tolist()
    np.testing.assert_array_equal(answers[:, present], expected.predict_proba(X[test]))


def test_training_fold_of_one_class() -> None:
    X, y = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    folds = [(np.arange(4), np.arange(4, 8)), (np.array([0, 1, 6, 7]), np.array([2, 3, 4, 5]))]
    ensemble = WeightedEnsembleClassifier(MEMBERS[:1], cv=folds).fit(X, y)
    assert ensemble.weights_.tolist() == [1.0]


@pytest.mark.parametrize("cv", [2, ShuffleSplit(3, random_state=0), StratifiedKFold(2), [(np.arange(100), np.arange(100, 150))]])
def test_any_splitter(cv: Any) -> None:
    X, y = NOISY
    ensemble = WeightedEnsembleClassifier(MEMBERS, cv=cv, random_state=0).fit(X, y)
    assert ensemble.weights_.sum() == pytest.approx(1)


def test_sample_weight_counts_for_members_and_weights() -> None:
    X, y = NOISY
    sample_weight = np.random.default_rng(0).integers(0, 4, size=len(y))
    folds = list(StratifiedKFold(3).split(X, y))
    weighted = WeightedEnsembleClassifier(MEMBERS[:2], cv=folds).fit(X, y, sample_weight=sample_weight)
    # The same rows, each repeated as often as its weight, in the same folds.
    origin = np.repeat(np.arange(len(y)), sample_weight)
    repeated_folds = [(np.flatnonzero(np.isin(origin, a)), np.flatnonzero(np.isin(origin, b))) for a, b in folds]
    repeated = WeightedEnsembleClassifier(MEMBERS[:2], cv=repeated_folds).fit(X[origin], y[origin])
    np.testing.assert_allclose(weighted.weights_, repeated.weights_, atol=1e-3)
    assert weighted.held_out_loss_ == pytest.approx(repeated.held_out_loss_, abs=1e-6)


class NeverSeen(ClassifierMixin, BaseEstimator):
    """Fails if it is asked about a group that it was fitted on."""

    def fit(self, X: Any, y: Any) -> NeverSeen:
        self.classes_ = np.unique(y)
        self.groups_ = set(np.unique(X[:, 0]))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        assert not self.groups_ & set(np.unique(X[:, 0]))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()])
def test_groups_reach_the_splitter(cv: Any) -> None:
    groups = np.repeat(np.arange(5), 8)
    X, y = groups[:, None].astype(float), np.tile([0, 1], 20)
    with sklearn.config_context(enable_metadata_routing=True):
        WeightedEnsembleClassifier([("member", NeverSeen())], cv=cv).fit(X, y, groups=groups)


def test_sample_weight_with_metadata_routing() -> None:
    X, y = NOISY
    sample_weight = np.random.default_rng(0).exponential(size=len(y))
    expected = WeightedEnsembleClassifier(MEMBERS[:2], random_state=0).fit(X, y, sample_weight=sample_weight)
    with sklearn.config_context(enable_metadata_routing=True):
        members = [(name, sklearn.base.clone(member).set_fit_request(sample_weight=True)) for name, member in MEMBERS[:2]]
        routed = WeightedEnsembleClassifier(members, random_state=0).fit(X, y, sample_weight=sample_weight)
    np.testing.assert_array_equal(routed.weights_, expected.weights_)


def test_one_member_is_itself() -> None:
    X, y = load_iris(return_X_y=True)
    weighted = WeightedEnsembleClassifier(MEMBERS[:1], cv=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(weighted.predict_proba(X), AveragingEnsembleClassifier(MEMBERS[:1]).fit(X, y).predict_proba(X))


class Answers(GaussianNB):
    """Gives an answer that has nothing to do with the rows."""

    def __init__(self, value: float = np.nan, n_classes: int = 3) -> None:
        super().__init__()
        self.value = value
        self.n_classes = n_classes

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.full((len(X), self.n_classes), self.value)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (Answers(np.nan), r"Member 'odd' \(Answers\) answers about held-out rows with NaN"),
        (Answers(np.inf), r"Member 'odd' \(Answers\) answers about held-out rows with NaN or infinity"),
        (Answers(0.5, n_classes=2), r"Member 'odd' \(Answers\) failed to answer about held-out rows: .*shape"),
    ],
)
def test_member_with_useless_answers_is_named(member: Any, message: str) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        WeightedEnsembleClassifier([("good", GaussianNB()), ("odd", member)], cv=2).fit(X, y)


def test_failing_member_is_named_in_folds_too() -> None:
    with pytest.raises(ValueError, match="Member 'bad'"):
        WeightedEnsembleClassifier([("bad", LogisticRegression(C=-1))], cv=2).fit(*load_iris(return_X_y=True))


class TestFrozenMembers:
    X, y = NOISY
    labels = np.array(["x", "y", "z"])[y]

    def frozen(self) -> FrozenEstimator:
        return FrozenEstimator(GaussianNB().fit(self.X[:100], self.labels[:100]))

    def test_costs_no_fit_and_speaks_labels(self) -> None:
        frozen = self.frozen()
        members = [("frozen", frozen), ("linear", MEMBERS[0][1])]
        ensemble = WeightedEnsembleClassifier(members, cv=3, random_state=0).fit(self.X[100:], self.labels[100:])
        assert ensemble.estimators_[0] is frozen
        expected = np.average([m.predict_proba(self.X) for m in ensemble.estimators_], axis=0, weights=ensemble.weights_)
        np.testing.assert_allclose(ensemble.predict_proba(self.X), expected)

    def test_all_frozen_is_an_optimum_on_the_given_rows(self) -> None:
        members = [("a", self.frozen()), ("b", FrozenEstimator(MEMBERS[0][1].fit(self.X[:100], self.labels[:100])))]
        X, y = self.X[100:], self.labels[100:]
        ensemble = WeightedEnsembleClassifier(members, refit=False, random_state=0).fit(X, y)
        assert ensemble.held_out_loss_ == pytest.approx(log_loss(y, ensemble.predict_proba(X)), abs=1e-12)
        assert ensemble.optimality_gap_ <= 1e-9

    def test_votes(self) -> None:
        members = [("frozen", self.frozen()), ("again", self.frozen())]
        votes = VotingEnsembleClassifier(members, voting="hard").fit(self.X, self.labels)
        np.testing.assert_array_equal(votes.predict(self.X), self.frozen().predict(self.X))

    def test_other_classes_are_refused(self) -> None:
        frozen = FrozenEstimator(GaussianNB().fit(self.X[self.y < 2], self.labels[self.y < 2]))
        with pytest.raises(ValueError, match=r"Member 'odd'.*\['x', 'y'\], the ensemble \['x', 'y', 'z'\]"):
            VotingEnsembleClassifier([("odd", frozen)]).fit(self.X, self.labels)


def test_fold_models_are_averaged_without_refit() -> None:
    X, y = NOISY
    folds = list(StratifiedKFold(3).split(X, y))
    ensemble = WeightedEnsembleClassifier(MEMBERS[:2], cv=folds, refit=False).fit(X, y)
    by_hand = np.mean([clone(MEMBERS[0][1]).fit(X[a], y[a]).predict_proba(X) for a, _ in folds], axis=0)
    np.testing.assert_allclose(ensemble.estimators_[0].predict_proba(X), by_hand)
    again = WeightedEnsembleClassifier(MEMBERS[:2], cv=folds).fit(X, y)
    np.testing.assert_array_equal(ensemble.weights_, again.weights_)


def test_fold_models_without_a_class() -> None:
    X, y = NOISY
    y = y.copy()
    y[y == 2] = np.where(np.arange((y == 2).sum()) < 1, 2, 0)
    ensemble = WeightedEnsembleClassifier([("bayes", XGBClassifier(n_estimators=2))], cv=3, refit=False, random_state=0)
    proba = ensemble.fit(X, y).predict_proba(X)
    assert proba.shape == (len(y), 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("weights", ["greedy", "score", [3, 0, 1]])
def test_other_weights_are_on_the_simplex_and_never_beat_the_optimum(weights: Any) -> None:
    X, y = NOISY
    ensemble = WeightedEnsembleClassifier(MEMBERS, weights=weights, random_state=0).fit(X, y)
    assert ensemble.weights_.min() >= 0
    assert ensemble.weights_.sum() == pytest.approx(1)
    if isinstance(weights, str):
        best = WeightedEnsembleClassifier(MEMBERS, random_state=0).fit(X, y)
        assert best.held_out_loss_ <= ensemble.held_out_loss_ + 1e-9
        assert ensemble.held_out_loss_ - ensemble.optimality_gap_ <= best.held_out_loss_ + 1e-12


def test_given_weights_hold_nothing_out() -> None:
    X, y = NOISY
    ensemble = WeightedEnsembleClassifier(MEMBERS, weights=[3, 0, 1]).set_params(bayes="drop").fit(X, y)
    assert ensemble.weights_.tolist() == [0.75, 0.25]
    assert not hasattr(ensemble, "held_out_loss_")
    theirs = VotingClassifier(MEMBERS, voting="soft", weights=[3, 0, 1]).set_params(bayes="drop").fit(X, y)
    np.testing.assert_allclose(ensemble.predict_proba(X), theirs.predict_proba(X))


def test_greedy_takes_any_scorer() -> None:
    X, y = NOISY
    accuracy = WeightedEnsembleClassifier(MEMBERS, weights="greedy", scoring="accuracy", random_state=0).fit(X, y)
    assert accuracy.weights_.sum() == pytest.approx(1)


def test_score_weights_are_proportional() -> None:
    X, y = NOISY
    folds = list(StratifiedKFold(3).split(X, y))
    ensemble = WeightedEnsembleClassifier(MEMBERS, weights="score", cv=folds).fit(X, y)
    accuracies = np.array([np.mean(cross_val_predict(member, X, y, cv=folds) == y) for _, member in MEMBERS])
    np.testing.assert_allclose(ensemble.weights_, accuracies / accuracies.sum())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weights": "optimum"}, r"weights='optimum' is unknown; choose one of \['optimal', 'greedy', 'score'\]"),
        ({"weights": [1.0]}, r"shape \(1,\), but there are 3 estimators"),
        ({"weights": "score", "scoring": "neg_log_loss"}, "needs a score above zero"),
    ],
)
def test_errors(params: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WeightedEnsembleClassifier(MEMBERS, **params).fit(*NOISY)


REGRESSORS = [
    ("ridge", Ridge(alpha=0.1)),
    ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
    ("constant", DummyRegressor()),
]


class TestRegressor:
    X, y = load_diabetes(return_X_y=True)

    def test_weights_beat_all_others_on_held_out_rows(self) -> None:
        folds = list(KFold(4, shuffle=True, random_state=0).split(self.X))
        ensemble = WeightedEnsembleRegressor(REGRESSORS, cv=folds).fit(self.X, self.y)
        held_out = np.array([cross_val_predict(member, self.X, self.y, cv=folds) for _, member in REGRESSORS])

        def loss(weights: np.ndarray) -> float:
            return np.mean((self.y - weights @ held_out) ** 2)

        assert ensemble.held_out_loss_ == pytest.approx(loss(ensemble.weights_))
        candidates = np.vstack([np.eye(3), np.random.default_rng(0).dirichlet(np.ones(3), size=100)])
        assert min(map(loss, candidates)) >= ensemble.held_out_loss_ - 1e-9 * ensemble.held_out_loss_

    def test_prediction_is_the_weighted_mean(self) -> None:
        ensemble = WeightedEnsembleRegressor(REGRESSORS, random_state=0).fit(self.X, self.y)
        expected = ensemble.weights_ @ [member.predict(self.X) for member in ensemble.estimators_]
        np.testing.assert_allclose(ensemble.predict(self.X), expected)

    @pytest.mark.parametrize("weights", ["greedy", "score"])
    def test_other_weights(self, weights: str) -> None:
        ensemble = WeightedEnsembleRegressor(REGRESSORS, weights=weights, refit=False, random_state=0)
        ensemble.fit(self.X, self.y)
        assert ensemble.weights_.sum() == pytest.approx(1)
        assert ensemble.score(self.X, self.y) > 0.3

    def test_rows_in_the_order_of_the_target(self) -> None:
        order = np.argsort(self.y)
        ensemble = WeightedEnsembleRegressor(REGRESSORS, random_state=0).fit(self.X[order], self.y[order])
        assert ensemble.weights_[2] < 0.2
