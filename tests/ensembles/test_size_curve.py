"""Smaller ensembles are taken from the fitted one, and the largest is the fitted one itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score

from ensemblekit.ensembles import AveragingEnsembleClassifier, make_members
from ensemblekit.ensembles.size_curve import size_curve

X, y = load_iris(return_X_y=True)
LABELS = np.array(["s", "v", "w"])[y]
FOREST = RandomForestClassifier(n_estimators=12, random_state=0)


def test_full_size_is_the_forest_itself() -> None:
    folds = list(StratifiedKFold(3).split(X, y))
    curve = size_curve(FOREST, X, LABELS, cv=folds, scoring="accuracy", sizes=[1, 12], random_state=0)
    np.testing.assert_allclose(curve.scores[:, 1], cross_val_score(FOREST, X, y, cv=folds))
    assert curve.part == "trees"
    assert curve.mean[0] <= curve.mean[1]


def test_one_tree_is_the_mean_over_trees() -> None:
    train, test = next(StratifiedKFold(3).split(X, y))
    curve = size_curve(FOREST, X, y, cv=[(train, test), (test, train)], sizes=[1], n_orders=400, random_state=0)
    forest = RandomForestClassifier(n_estimators=12, random_state=0).fit(X[train], y[train])
    expected = -np.mean([log_loss(y[test], tree.predict_proba(X[test])) for tree in forest.estimators_])
    assert curve.scores[0, 0] == pytest.approx(expected, rel=0.1)


def test_members_of_an_average() -> None:
    members = [(name, member.set_params(n_estimators=3)) for name, member in make_members("forest", n=4, random_state=0)]
    curve = size_curve(AveragingEnsembleClassifier(members), X, LABELS, cv=3, scoring="accuracy", random_state=0)
    assert curve.sizes.tolist() == [1, 2, 3, 4]
    assert curve.part == "members"
    assert np.all(curve.lower <= curve.mean)
    assert np.all(curve.mean <= curve.upper)


def test_regressor() -> None:
    curve = size_curve(ExtraTreesRegressor(n_estimators=10, random_state=0), *load_diabetes(return_X_y=True), cv=3, random_state=0)
    assert curve.mean[-1] > curve.mean[0]


def test_interval_is_wider_than_the_naive_one() -> None:
    curve = size_curve(FOREST, X, y, cv=5, sizes=[3], random_state=0)
    naive = 2.776 * curve.scores.std(axis=0, ddof=1) / np.sqrt(5)
    # Five folds, a test fold a quarter of the training rows: sqrt(1/5 + 1/4) instead of sqrt(1/5).
    np.testing.assert_allclose(curve.upper - curve.mean, 1.5 * naive, rtol=1e-3)


def test_smaller_sizes_are_told_from_the_largest_by_paired_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    # Scores by size: easy and hard folds, sizes 1 and 2 worse on every fold by nearly the same amount.
    gain = np.array([-0.3, -0.1, 0.0, 0.0])
    level = iter(np.array([0.1, 0.9, 0.4, 0.6, 0.2]))
    noise = np.random.default_rng(0)
    monkeypatch.setattr(
        "ensemblekit.ensembles.size_curve._scores_by_size",
        lambda *_: next(level) + gain + noise.normal(scale=0.001, size=4),
    )
    assert size_curve(FOREST, X, y, cv=5, sizes=[1, 2, 4, 12]).worse_below == 4


def test_errors() -> None:
    with pytest.raises(TypeError, match="plain averages; received GradientBoostingClassifier"):
        size_curve(GradientBoostingClassifier(), X, y)
    with pytest.raises(ValueError, match="between 1 and 12"):
        size_curve(FOREST, X, y, sizes=[13])
