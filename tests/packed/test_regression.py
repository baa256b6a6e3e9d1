"""Packed regressors answer as the estimators that they were packed from, to a millionth of the spread of their answers."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.datasets import make_regression
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor, XGBRFRegressor

from ensemblekit.ensembles import AveragingEnsembleRegressor, WeightedEnsembleRegressor
from ensemblekit.mixture import MixtureOfExpertsRegressor
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
from ensemblekit.packed import PackedModel, pack, reference
from ensemblekit.trees import node_visits, read_trees
from tests.packed.test_pack import quietly
from tests.trees import zoo

TREES = {
    "decision tree": lambda: DecisionTreeRegressor(max_depth=6, random_state=0),
    "random forest": lambda: RandomForestRegressor(9, random_state=0),
    "extra trees": lambda: ExtraTreesRegressor(9, max_depth=5, random_state=0),
    "gradient boosting": lambda: GradientBoostingRegressor(n_estimators=6, random_state=0),
    "gradient boosting, huber": lambda: GradientBoostingRegressor(n_estimators=6, loss="huber", random_state=0),
    "hist gradient boosting": lambda: HistGradientBoostingRegressor(max_iter=6),
    "hist gradient boosting, median": lambda: HistGradientBoostingRegressor(max_iter=6, loss="absolute_error"),
    "xgboost": lambda: XGBRegressor(**zoo.XGB),
    "xgboost, absolute error": lambda: XGBRegressor(objective="reg:absoluteerror", **zoo.XGB),
    "xgboost forest": lambda: XGBRFRegressor(**zoo.XGB),
    "lightgbm": lambda: LGBMRegressor(**zoo.LGB),
    "lightgbm, median": lambda: LGBMRegressor(objective="quantile", alpha=0.5, **zoo.LGB),
    "lightgbm forest": lambda: LGBMRegressor(boosting_type="rf", subsample=0.7, subsample_freq=1, **zoo.LGB),
}


def table():
    """Answers far from zero: a float32 sum of them would lose what makes them differ."""
    X, y = zoo.table(3)
    noise = np.random.default_rng(0).normal(size=len(X))
    return X, 1000 + np.where(y == 0, 3 * X[:, 0], -2 * X[:, 1]) + 0.1 * noise


def agrees(model, X, *, float32=False):
    """XGBoost adds up in float32, so that far from zero its own answers are that coarse."""
    packed = pack(model)
    expected = quietly(model.predict, X.astype(np.float64))  # linear regressions compute in the precision of their rows
    close = {"rtol": 0, "atol": 3e-7 * np.abs(expected).max() if float32 else 1e-6 * expected.std()}
    np.testing.assert_allclose(packed.predict(X), expected, **close)
    np.testing.assert_allclose(reference.predict_proba(packed, X)[:, 0], expected, **close)
    np.testing.assert_allclose([packed.predict(X[i : i + 1])[0] for i in range(9)], expected[:9], **close)
    return packed


@pytest.mark.parametrize("name", TREES)
def test_single_models_on_the_knifes_edge(name):
    X, y = table()
    model = zoo.fit(TREES[name](), X, y)
    edge = zoo.knife_edge(read_trees(model), X, infinite=False, missing=False)
    packed = agrees(model, edge, float32="xgboost" in name)
    assert packed.node_visits(edge).total == pytest.approx(node_visits(model, edge))


def test_linear_regressions():
    X, y = table()
    for model in (LinearRegression(), Ridge(fit_intercept=False), DummyRegressor(), FrozenEstimator(Ridge().fit(X, y))):
        agrees(model.fit(X, y), X)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gate": "gaussian"},
        {"gate": HierarchicalGate((2, 2)), "combination": "product"},
        {"gate": DecisionTreeRegressor(), "experts": "linear"},
        {"expert_features": [[0, 1], [2], [0, 0, 5], None], "routing": "threshold", "threshold": 0.3, "combination": "additive"},
        {"combination": "product", "routing": "top_k", "top_k": 2},
        {"experts": "boosted"},
        {"experts": BoostedExperts(n_estimators=20, shared=5), "routing": "top_k"},
        {"experts": DecisionTreeRegressor(max_depth=4), "expert_features": [[0, 1], [2], [0, 5], None]},
        {"experts": [Ridge(), RandomForestRegressor(5, random_state=0), TREES["lightgbm"](), TREES["gradient boosting"]()]},
        {"experts": XGBRegressor(base_score=1000.0, **zoo.XGB), "routing": "feedback", "top_k": 1},
    ],
)
def test_mixtures(settings):
    X, y = table()
    if isinstance(settings.get("gate"), DecisionTreeRegressor):
        settings = {"gate": zoo.PLAIN["decision tree"]()}
    model = quietly(MixtureOfExpertsRegressor(4, n_init=2, max_iter=15, random_state=0, **settings).fit, X, y)
    if model.routing == "feedback":
        model.success_ = np.array([0.2, 0.5, 0.9, 1.4])
    agrees(model, X, float32=isinstance(settings.get("experts"), XGBRegressor))


def test_boosted_experts_without_a_single_tree():
    X, y = table()
    model = quietly(MixtureOfExpertsRegressor(2, experts=BoostedExperts(n_estimators=5), random_state=0).fit, X, y)
    model.experts_.boosters_ = [None, model.experts_.boosters_[1]]
    agrees(model, X)


def test_ensembles():
    X, y = table()
    chosen = [(name.replace(" ", "-"), TREES[name]()) for name in ("random forest", "lightgbm", "decision tree")]
    chosen.append(("frozen", FrozenEstimator(Ridge().fit(X, y))))
    for model in (
        AveragingEnsembleRegressor(chosen),
        WeightedEnsembleRegressor(chosen, cv=2, random_state=0),
        WeightedEnsembleRegressor(chosen, cv=3, refit=False, weights=[1, 2, 3, 4], random_state=0),
        VotingRegressor(chosen[:3], weights=[4, 3, 2]).set_params(lightgbm="drop"),
    ):
        agrees(quietly(model.fit, X, y), X)


def test_there_and_back(tmp_path):
    X, y = table()
    packed = pack(RandomForestRegressor(3, random_state=0).fit(X, y))
    packed.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(PackedModel.load(tmp_path / "m.npz").predict(X), packed.predict(X))
    with pytest.raises(AttributeError, match="RandomForestRegressor is a regressor: it has predict"):
        packed.predict_proba(X)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda X, y: KNeighborsRegressor().fit(X, y), TypeError, "received sklearn.KNeighborsRegressor"),
        (lambda X, y: AveragingEnsembleRegressor([("k", KNeighborsRegressor())]).fit(X, y), TypeError, "Packing a regressor.*Ridge"),
        (lambda X, y: LinearRegression().fit(X, np.c_[y, y]), ValueError, "one output"),
        (lambda X, y: RandomForestRegressor(2).fit(X, np.c_[y, y]), ValueError, "one output"),
        (lambda X, y: XGBRegressor(**zoo.XGB).fit(X, np.c_[y, y]), ValueError, "one output"),
        (lambda X, y: XGBRegressor(objective="count:poisson", **zoo.XGB).fit(X, abs(y)), ValueError, "reg:squarederror"),
        (lambda X, y: XGBRegressor(objective="binary:logistic", **zoo.XGB).fit(X, y > 1000), ValueError, "XGBRegressor with the objective"),
        (lambda X, y: LGBMRegressor(objective="poisson", **zoo.LGB).fit(X, abs(y)), ValueError, "regression_l1"),
        (lambda X, y: LGBMRegressor(reg_sqrt=True, **zoo.LGB).fit(X, y), ValueError, "regression sqrt"),
        (lambda X, y: HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(X, abs(y)), ValueError, "under a logarithm"),
        (lambda X, y: GradientBoostingRegressor(init=Ridge(), n_estimators=2).fit(X, y), ValueError, "init='zero'"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_packed(make, error, message):
    with pytest.raises(error, match=message):
        pack(make(*table()))


def test_leaves_that_float32_does_not_hold_are_refused():
    X, y = make_regression(60, 3, random_state=0)
    for model in (RandomForestRegressor(3, random_state=0), DecisionTreeRegressor(max_depth=3, random_state=0)):
        with pytest.raises(ValueError, match="Packed leaves are float32"):
            pack(model.fit(X, 1e40 * y))
