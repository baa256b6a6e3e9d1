"""Where converters were seen to fail: here each is a right answer or a clear error.

Seen with treelite 4.8: a crash on early-stopped GradientBoosting, too few trees after `n_estimators` was changed, too
many after XGBoost's early stopping, wrong numbers for `zero_as_missing` and for unseen HistGradientBoosting categories.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, early_stopping
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

from ensemblekit.trees import as_rows, node_visits, read_trees
from ensemblekit.trees.link import probabilities
from ensemblekit.trees.walk import margins
from tests.trees import zoo

X, Y = zoo.table(3)
Y2 = (Y > 0).astype(int)


def agrees(model, rows=X):
    trees = read_trees(model)
    found = probabilities(margins(trees, as_rows(rows, trees.n_features)), trees.link)
    np.testing.assert_allclose(found, zoo.proba(model, rows), atol=1e-6)
    return trees


def test_early_stopped_gradient_boosting():
    model = GradientBoostingClassifier(n_estimators=100, n_iter_no_change=1, learning_rate=0.9, random_state=0).fit(X, Y)
    assert agrees(model).n_trees == 3 * model.n_estimators_ < 300


def test_early_stopped_hist_gradient_boosting():
    model = HistGradientBoostingClassifier(max_iter=100, early_stopping=True, learning_rate=0.9).fit(X, Y)
    assert agrees(model).n_trees == 3 * model.n_iter_ < 300


def test_early_stopped_xgboost():
    model = XGBClassifier(n_estimators=40, early_stopping_rounds=2, learning_rate=1.0, n_jobs=1)
    model.fit(X[:200], Y[:200], eval_set=[(X[200:], Y[200:])], verbose=False)
    assert agrees(model).n_trees == 3 * (model.best_iteration + 1) < 3 * model.get_booster().num_boosted_rounds()


def test_early_stopped_lightgbm():
    model = LGBMClassifier(n_estimators=60, learning_rate=0.9, verbose=-1, n_jobs=1)
    model.fit(X[:200], Y[:200], eval_X=X[200:], eval_y=Y[200:], callbacks=[early_stopping(2, verbose=False)])
    assert agrees(model).n_trees == 3 * model.best_iteration_


def test_forest_with_a_changed_number_of_trees():
    model = RandomForestClassifier(9, random_state=0).fit(X, Y).set_params(n_estimators=2)
    assert agrees(model).n_trees == 9


def test_exponential_loss_and_zero_start():
    agrees(GradientBoostingClassifier(loss="exponential", n_estimators=5).fit(X, Y2))
    agrees(GradientBoostingClassifier(init="zero", n_estimators=5).fit(X, Y))


def test_multi_output_trees_of_xgboost():
    agrees(XGBClassifier(multi_strategy="multi_output_tree", n_estimators=4, max_depth=3, n_jobs=1).fit(X, Y))


def test_one_versus_all_of_lightgbm():
    agrees(zoo.fit(LGBMClassifier(objective="multiclassova", **zoo.LGB), X, Y))
    agrees(zoo.fit(LGBMClassifier(sigmoid=2.0, **zoo.LGB), X, Y2))


def test_lightgbm_without_missing_values_reads_nan_as_zero():
    rows = X.copy()
    rows[::3, 2] = np.nan
    for use_missing in (False, True):
        agrees(zoo.fit(LGBMClassifier(use_missing=use_missing, **zoo.LGB), X, Y), rows)


def test_lightgbm_zero_band():
    """LightGBM reads |x| <= 1e-35 as zero; thresholds at the edge of that band must still route exactly."""
    rng = np.random.default_rng(0)
    sparse = np.where(rng.random((400, 8)) < 0.5, 0, X).astype(np.float32)
    model = zoo.fit(LGBMClassifier(**zoo.LGB), sparse, (np.abs(sparse[:, 0]) > 0).astype(int))
    trees = read_trees(model)
    assert (np.abs(trees.threshold[trees.feature >= 0]) < 1e-34).any()
    agrees(model, zoo.knife_edge(trees, sparse))


def test_single_leaves():
    agrees(zoo.fit(LGBMClassifier(**zoo.LGB), np.zeros((400, 2), np.float32), Y2), np.zeros((5, 2), np.float32))
    assert node_visits(zoo.fit(LGBMClassifier(**zoo.LGB), np.zeros((400, 2)), Y2), np.zeros((5, 2))) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LGBMClassifier(zero_as_missing=True, **zoo.LGB).fit(X, Y), "only NaN"),
        (lambda: LGBMClassifier(linear_tree=True, **zoo.LGB).fit(X, Y), "linear models in its leaves"),
        (lambda: XGBClassifier(missing=0.0, **zoo.XGB).fit(X, Y), "only NaN"),
        (lambda: XGBClassifier(booster="gblinear", n_estimators=2).fit(X, Y2), "'gbtree' and 'dart'"),
        (lambda: XGBClassifier(objective="binary:hinge", **zoo.XGB).fit(X, Y2), "binary:logistic"),
        (lambda: GradientBoostingClassifier(init=LogisticRegression(), n_estimators=2).fit(X, Y2), "init='zero'"),
        (lambda: RandomForestClassifier(2).fit(X, np.c_[Y, Y2]), "one output"),
        (lambda: HistGradientBoostingClassifier(max_iter=2).fit(_frame("text"), Y2), "whole numbers"),
        (lambda: XGBClassifier(enable_categorical=True, **zoo.XGB).fit(_frame("text"), Y2), "OrdinalEncoder"),
        (lambda: LGBMClassifier(**zoo.LGB).fit(_frame("text"), Y2), "OrdinalEncoder"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_flat_trees_cannot_hold_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        read_trees(make())


def _frame(kind):
    column = pd.Categorical(np.where(X[:, 0] > 0, "a", "b")) if kind == "text" else X[:, 0]
    frame = pd.DataFrame({"kind": column, "x": X[:, 1]})
    return frame.assign(kind=frame["kind"].astype("category"))


@pytest.mark.parametrize("model", [AdaBoostClassifier(), LogisticRegression(), "text", None])
def test_unknown_kinds(model):
    with pytest.raises(TypeError, match=r"sklearn\.RandomForestClassifier"):
        read_trees(model)


def test_a_subclass_that_predicts_differently_is_not_read_as_its_parent():
    class Sharper(RandomForestClassifier):
        def predict_proba(self, X):
            return super().predict_proba(X) ** 2

    class Renamed(RandomForestClassifier):
        pass

    agrees(Renamed(3).fit(X, Y))
    with pytest.raises(TypeError, match="received"):
        read_trees(Sharper(3).fit(X, Y))


def test_before_fit():
    for model in (RandomForestClassifier(), XGBClassifier(), LGBMClassifier(), HistGradientBoostingClassifier()):
        with pytest.raises(NotFittedError):
            read_trees(model)


def test_rows_that_do_not_fit():
    model = RandomForestClassifier(2).fit(X, Y)
    with pytest.raises(ValueError, match=r"shape \(n, 8\)"):
        node_visits(model, X[:, :3])
    with pytest.raises(ValueError, match="at least one row"):
        node_visits(model, X[:0])
    categorical = zoo.fit(zoo.CATEGORICAL["lightgbm"](), *zoo.table(2, categorical=True), categorical=True)
    with pytest.raises(ValueError, match="whole numbers"):
        node_visits(categorical, X + 0.5)
