"""Smaller ensembles are taken from the fitted one, and the largest is the fitted one itself."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRegressor

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


BOOSTERS = {
    "xgboost": XGBClassifier(n_estimators=6, max_depth=2, subsample=0.8, random_state=0),
    "own xgboost": dict(make_members("xgboost", random_state=0))["xgboost"].set_params(n_estimators=6),
    "lightgbm": LGBMClassifier(n_estimators=6, num_leaves=4, n_jobs=1, verbosity=-1, random_state=0),
    "own lightgbm": dict(make_members("lightgbm", random_state=0))["lightgbm"].set_params(n_estimators=6),
    "histogram": HistGradientBoostingClassifier(max_iter=6, random_state=0),
    "gradient": GradientBoostingClassifier(n_estimators=6, random_state=0),
}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", BOOSTERS)
def test_rounds_of_a_booster_are_shorter_boosters(name: str) -> None:
    folds = list(StratifiedKFold(3).split(X, y))
    curve = size_curve(BOOSTERS[name], X, LABELS, cv=folds, sizes=[2, 6])
    assert curve.part == "rounds"
    rounds = "max_iter" if name == "histogram" else "n_estimators"
    for column, size in enumerate([2, 6]):
        shorter = clone(BOOSTERS[name]).set_params(**{rounds: size})
        np.testing.assert_allclose(curve.scores[:, column], cross_val_score(shorter, X, y, cv=folds, scoring="neg_log_loss"), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("kind", [XGBRegressor, LGBMRegressor, HistGradientBoostingRegressor, GradientBoostingRegressor])
def test_rounds_of_regressors(kind: type) -> None:
    settings = {"max_iter": 20} if kind is HistGradientBoostingRegressor else {"n_estimators": 20}
    quiet = {"verbosity": -1, "n_jobs": 1} if kind is LGBMRegressor else {}
    curve = size_curve(kind(**settings, **quiet, random_state=0), *load_diabetes(return_X_y=True), cv=3, sizes=[1, 20])
    assert (curve.scores[:, 1] > curve.scores[:, 0]).all()


def test_early_stopping_leaves_the_rounds_there_are() -> None:
    model = HistGradientBoostingClassifier(max_iter=400, learning_rate=0.5, early_stopping=True, n_iter_no_change=2, random_state=0)
    folds = list(StratifiedKFold(2).split(X, y))
    assert all(clone(model).fit(X[train], y[train]).n_iter_ < 100 for train, _ in folds)
    curve = size_curve(model, X, y, cv=folds, sizes=[1, 100, 400])
    np.testing.assert_array_equal(curve.scores[:, 1], curve.scores[:, 2])


def test_errors() -> None:
    with pytest.raises(TypeError, match=r"plain averages, and of the boosters .*; received DecisionTreeClassifier"):
        size_curve(DecisionTreeClassifier(), X, y)
    with pytest.raises(ValueError, match="between 1 and 12, the number of trees"):
        size_curve(FOREST, X, y, sizes=[13])
    with pytest.raises(ValueError, match="the number of rounds"):
        size_curve(XGBClassifier(), X, y, sizes=[101])
