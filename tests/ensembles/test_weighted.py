"""Learned weights: the best on held-out rows, which are truly held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, ShuffleSplit, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, WeightedEnsembleClassifier

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
    assert ensemble.held_out_log_loss_ == pytest.approx(loss(ensemble.weights_), abs=1e-9)
    candidates = np.vstack([np.eye(3), np.random.default_rng(0).dirichlet(np.ones(3), size=100)])
    assert min(map(loss, candidates)) >= ensemble.held_out_log_loss_ - 1e-9


def test_prediction_is_the_weighted_mean() -> None:
    X, y = NOISY
    ensemble = WeightedEnsembleClassifier(MEMBERS, random_state=0).fit(X, y)
    expected = np.average(
        [member.predict_proba(X) for member in ensemble.estimators_], axis=0, weights=ensemble.weights_
    )
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
    assert np.isfinite(ensemble.held_out_log_loss_)


def test_training_fold_of_one_class() -> None:
    X, y = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    folds = [(np.arange(4), np.arange(4, 8)), (np.array([0, 1, 6, 7]), np.array([2, 3, 4, 5]))]
    ensemble = WeightedEnsembleClassifier(MEMBERS[:1], cv=folds).fit(X, y)
    assert ensemble.weights_.tolist() == [1.0]


@pytest.mark.parametrize(
    "cv", [2, ShuffleSplit(3, random_state=0), StratifiedKFold(2), [(np.arange(100), np.arange(100, 150))]]
)
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
    assert weighted.held_out_log_loss_ == pytest.approx(repeated.held_out_log_loss_, abs=1e-6)


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
        members = [
            (name, sklearn.base.clone(member).set_fit_request(sample_weight=True)) for name, member in MEMBERS[:2]
        ]
        routed = WeightedEnsembleClassifier(members, random_state=0).fit(X, y, sample_weight=sample_weight)
    np.testing.assert_array_equal(routed.weights_, expected.weights_)


def test_one_member_is_itself() -> None:
    X, y = load_iris(return_X_y=True)
    weighted = WeightedEnsembleClassifier(MEMBERS[:1], cv=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(
        weighted.predict_proba(X), AveragingEnsembleClassifier(MEMBERS[:1]).fit(X, y).predict_proba(X)
    )


def test_failing_member_is_named_in_folds_too() -> None:
    with pytest.raises(ValueError, match="Member 'bad'"):
        WeightedEnsembleClassifier([("bad", LogisticRegression(C=-1))], cv=2).fit(*load_iris(return_X_y=True))
