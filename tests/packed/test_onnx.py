"""Exported models answer in ONNX Runtime as the packed ones do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, WeightedEnsembleRegressor
from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.packed import pack, reference, to_onnx
from ensemblekit.trees import read_trees
from tests.gpu.models import GATES, mixed_model, regression_model
from tests.packed.test_pack import gated, members, quietly
from tests.trees import zoo

pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def run(packed, X, names=None):
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(to_onnx(packed).SerializeToString(), options).run(names, {"X": X})


def agrees(packed, X):
    label, proba = run(packed, X)
    expected = packed.predict_proba(X)
    np.testing.assert_allclose(proba, expected, atol=1e-6)
    clear = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 1e-6
    np.testing.assert_array_equal(label[clear], packed.predict(X)[clear])


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", zoo.PLAIN)
def test_single_models_on_the_knifes_edge(name, n_classes):
    X, y = zoo.table(n_classes, missing=name in zoo.TAKES_MISSING)
    model = zoo.fit(zoo.PLAIN[name](), X, y)
    agrees(pack(model), zoo.knife_edge(read_trees(model), X, missing=name in zoo.TAKES_MISSING))


def test_one_versus_all():
    X, y = zoo.table(3)
    agrees(pack(zoo.fit(LGBMClassifier(objective="multiclassova", **zoo.LGB), X, y)), X)


@pytest.mark.parametrize("top_k", [None, 2, 1])
@pytest.mark.parametrize("gate", GATES)
def test_gates_and_routing(gate, top_k):
    agrees(*mixed_model(top_k, gate=gate))


@pytest.mark.parametrize("combination", ["vote", "product", "additive"])
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_combinations(combination, threshold):
    agrees(*mixed_model(combination=combination, threshold=threshold))


def test_of_equal_gates_the_first_wins():
    model, X = gated(2)
    tied = replace(model, gate=np.zeros_like(model.gate))
    assert (reference.gate_proba(tied, X)[:, :2] == 0.5).all()
    agrees(tied, X)


@pytest.mark.parametrize("settings", [{}, {"routing": "top_k"}, {"experts": "boosted", "routing": "top_k"}])
def test_fitted_mixtures(settings):
    X, y = zoo.table(3)
    model = quietly(MixtureOfExpertsClassifier(3, n_init=2, max_iter=20, random_state=0, **settings).fit, X, np.array(list("abc"))[y])
    agrees(pack(model), X)


def test_ensembles():
    X, y = zoo.table(3)
    for model in (
        AveragingEnsembleClassifier(members("random forest", "xgboost", "lightgbm")),
        VotingEnsembleClassifier(members("random forest", "xgboost"), voting="hard", weights=[2, 1]),
    ):
        agrees(pack(quietly(model.fit, X, y)), X)


def test_labels_of_any_kind():
    X, y = zoo.table(3)
    for labels in (np.array(["no", "yes", "perhaps"]), np.array([7, -2, 1]), np.array([0.0, 1.0, 5.0]), np.array([True, False, True])):
        packed = pack(DecisionTreeClassifier(max_depth=3).fit(X, labels[y]))
        np.testing.assert_array_equal(run(packed, X, ["label"])[0], packed.predict(X))


def test_regressors():
    X, y = zoo.table(3)
    answer = 1000 + X[:, 0] * y
    chosen = [("forest", RandomForestRegressor(5, random_state=0)), ("lines", MixtureOfExpertsRegressor(2, n_init=1, random_state=0))]
    weighted = quietly(WeightedEnsembleRegressor(chosen[:1], weights=[1], cv=2).fit, X, answer)
    mixture = quietly(chosen[1][1].fit, X, answer)
    for packed, rows in ((pack(weighted), X), (pack(mixture), X), regression_model()):
        np.testing.assert_allclose(run(packed, rows)[0], packed.predict(rows), rtol=0, atol=1e-6 * packed.predict(rows).std())


def test_trees_of_one_leaf():
    packed = pack(RandomForestClassifier(3, max_depth=1, random_state=0).fit(np.zeros((4, 2)), [0, 1, 1, 1]))
    agrees(packed, np.ones((3, 2), np.float32))


def test_one_row_and_no_row():
    packed, X = mixed_model(1)
    for rows in (X[:1], X[:0]):
        np.testing.assert_allclose(run(packed, rows)[1], packed.predict_proba(rows), atol=1e-6)


def test_what_stays_outside_is_named():
    X, y = zoo.table(2)
    packed = pack(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y))
    assert to_onnx(packed).doc_string == "LogisticRegression, packed by ensemblekit; apply first: standardscaler"


def test_categorical_splits_are_refused():
    X, y = zoo.table(3, categorical=True)
    packed = pack(zoo.fit(zoo.CATEGORICAL["lightgbm"](), X, y, categorical=True))
    with pytest.raises(ValueError, match="one-hot columns"):
        run(packed, X)
