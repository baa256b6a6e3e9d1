"""Regressors: the same numbers from the same leaves, and a refusal where a loss stands between leaves and answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor
from xgboost import XGBRegressor, XGBRFRegressor

from ensemblekit.ensembles import make_members
from ensemblekit.trees import as_rows, node_visits, read_trees
from ensemblekit.trees.link import probabilities
from ensemblekit.trees.walk import margins
from tests.trees import zoo

XGB: dict[str, Any] = {"n_estimators": 6, "max_depth": 4, "n_jobs": 1}
LGB: dict[str, Any] = {"n_estimators": 6, "num_leaves": 12, "n_jobs": 1, "verbose": -1, "random_state": 0}

REGRESSORS = {
    "decision tree": DecisionTreeRegressor(max_depth=6, random_state=0),
    "extra tree": ExtraTreeRegressor(max_depth=6, random_state=0),
    "random forest": RandomForestRegressor(8, max_depth=7, random_state=0),
    "extra trees": ExtraTreesRegressor(8, max_depth=7, random_state=0),
    "gradient boosting": GradientBoostingRegressor(n_estimators=6, random_state=0),
    "gradient boosting from zero": GradientBoostingRegressor(n_estimators=6, init="zero", loss="huber", random_state=0),
    "hist gradient boosting": HistGradientBoostingRegressor(max_iter=6),
    "hist gradient boosting, median": HistGradientBoostingRegressor(max_iter=6, loss="absolute_error"),
    "xgboost": XGBRegressor(**XGB),
    "xgboost, median": XGBRegressor(objective="reg:absoluteerror", **XGB),
    "xgboost dart": XGBRegressor(booster="dart", rate_drop=0.5, **XGB),
    "xgboost forest": XGBRFRegressor(**XGB),
    "lightgbm": LGBMRegressor(**LGB),
    "lightgbm, quantile": LGBMRegressor(objective="quantile", alpha=0.3, **LGB),
    "lightgbm forest": LGBMRegressor(boosting_type="rf", subsample=0.7, subsample_freq=1, **LGB),
    "own xgboost": dict(make_members("xgboost", task="regression", random_state=0))["xgboost"].set_params(n_estimators=6),
    "own lightgbm": dict(make_members("lightgbm", task="regression", random_state=0))["lightgbm"].set_params(n_estimators=6),
}


def numbers(missing: bool = False) -> tuple[np.ndarray, np.ndarray]:
    X, y = zoo.table(3, missing=missing)
    return X, 100.0 + y + np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("missing", [False, True])
def test_the_same_numbers(name: str, missing: bool) -> None:
    if missing and name.startswith("gradient boosting"):
        pytest.skip("takes no missing values")
    X, y = numbers(missing)
    model = zoo.fit(REGRESSORS[name], X, y)
    trees = read_trees(model)
    edge = zoo.knife_edge(trees, X, infinite=False, missing=missing)
    for rows in (X, edge):
        answers = probabilities(margins(trees, as_rows(rows, trees.n_features)), trees.link)
        np.testing.assert_allclose(answers[:, 0], model.predict(rows), rtol=1e-6)
    assert trees.classes is None


def test_visits_equal_the_decision_path() -> None:
    X, y = numbers()
    forest = RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, y)
    paths, _ = forest.decision_path(X)
    assert node_visits(forest, X) == pytest.approx(paths.sum() / len(X) - 5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (RandomForestRegressor(2), "one output; this model was fitted with 2"),
        (XGBRegressor(**XGB), "one output; this model was fitted with 2"),
    ],
)
def test_several_targets_are_refused(model: Any, message: str) -> None:
    X, y = numbers()
    with pytest.raises(ValueError, match=message):
        read_trees(model.fit(X, np.column_stack([y, -y])))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LGBMRegressor(objective="poisson", **LGB), "Objective 'poisson' is not read here. Valid: binary, .*regression"),
        (LGBMRegressor(reg_sqrt=True, **LGB), "Objective 'regression sqrt' is not read here"),
        (XGBRegressor(objective="count:poisson", **XGB), "Objective 'count:poisson' is not read here"),
        (HistGradientBoostingRegressor(max_iter=2, loss="gamma"), "loss='gamma'. predicts under a logarithm"),
        (GradientBoostingRegressor(n_estimators=2, init=LinearRegression()), r"GradientBoostingRegressor\(init=.*init='zero'"),
    ],
)
def test_losses_that_flat_trees_cannot_hold(model: Any, message: str) -> None:
    X, y = numbers()
    with pytest.raises(ValueError, match=message):
        read_trees(zoo.fit(model, X, y))


def test_a_constant_start_is_fine() -> None:
    X, y = numbers()
    model = GradientBoostingRegressor(n_estimators=2, init=DummyRegressor(strategy="median")).fit(X, y)
    np.testing.assert_allclose(margins(read_trees(model), as_rows(X, 8))[:, 0], model.predict(X), rtol=1e-6)
