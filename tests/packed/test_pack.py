"""Packed models answer as the estimators that they were packed from."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from ensemblekit import device as devices
from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    VotingEnsembleClassifier,
    WeightedEnsembleClassifier,
)
from ensemblekit.mixture import MixtureOfExpertsClassifier
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.gates.gaussian import GaussianGate
from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
from ensemblekit.packed import PackedModel, compute, pack, reference
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import LinearExpert, TreeExpert, pack_expert
from ensemblekit.trees import node_visits, read_trees
from tests.trees import zoo


def members(*names):
    return [(name.replace(" ", "-"), zoo.PLAIN[name]()) for name in names]


def quietly(function, *args):
    with warnings.catch_warnings(), threadpool_limits(1):  # many small fits on a busy machine wait for one another
        warnings.simplefilter("ignore")  # LightGBM talks about feature names
        return function(*args)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", zoo.PLAIN)
def test_single_models_on_the_knifes_edge(name, n_classes):
    X, y = zoo.table(n_classes, missing=name in zoo.TAKES_MISSING)
    model = zoo.fit(zoo.PLAIN[name](), X, y)
    packed = pack(model)
    edge = zoo.knife_edge(read_trees(model), X, infinite=False, missing=name in zoo.TAKES_MISSING)
    expected = zoo.proba(model, edge)
    np.testing.assert_allclose(packed.predict_proba(edge), expected, atol=1e-6)
    np.testing.assert_allclose(packed.predict_proba(edge), reference.predict_proba(packed, edge), atol=1e-12)
    few = np.vstack([packed.predict_proba(edge[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(few, expected[:20], atol=1e-6)


@pytest.mark.parametrize("name", zoo.CATEGORICAL)
def test_categories(name):
    X, y = zoo.table(3, missing=True, categorical=True)
    model = zoo.fit(zoo.CATEGORICAL[name](), X, y, categorical=True)
    packed = pack(model)
    assert list(packed.form) == [2]
    np.testing.assert_allclose(packed.predict_proba(X), zoo.proba(model, X), atol=1e-6)
    unseen = X.copy()
    unseen[:, 1] = [-1, 69, 200, 1e9] * 100
    np.testing.assert_allclose(packed.predict_proba(unseen), reference.predict_proba(packed, unseen), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_ensembles(n_classes):
    X, y = zoo.table(n_classes)
    labels = np.array(["a", "b", "c"], dtype=object)[y]
    chosen = members("random forest", "xgboost", "lightgbm", "decision tree")
    for model in (
        AveragingEnsembleClassifier(chosen),
        WeightedEnsembleClassifier(chosen, cv=2, random_state=0),
        VotingEnsembleClassifier(chosen, voting="soft", weights=[1, 2, 3, 4]),
        VotingClassifier(chosen, voting="soft", weights=[4, 3, 2, 1]).set_params(xgboost="drop"),
    ):
        quietly(model.fit, X, labels)
        packed = pack(model)
        np.testing.assert_allclose(packed.predict_proba(X), quietly(model.predict_proba, X), atol=1e-6)
        np.testing.assert_array_equal(packed.predict(X), quietly(model.predict, X))


def test_members_that_are_means_over_folds():
    X, y = zoo.table(3)
    labels = np.array(["a", "b", "c"], dtype=object)[y]
    chosen = members("random forest", "xgboost", "decision tree")
    # The second fold's training rows lack a class, those of the third have one class only.
    rows = np.arange(len(y))
    folds = [(rows[::2], rows[1::2]), (rows[y != 1], rows[y == 1]), (rows[y == 2], rows[y != 2])]
    model = WeightedEnsembleClassifier(chosen, refit=False, cv=folds, random_state=0)
    quietly(model.fit, X, labels)
    packed = pack(model)
    assert packed.n_experts == 9
    np.testing.assert_allclose(packed.predict_proba(X), quietly(model.predict_proba, X), atol=1e-6)


def test_frozen_members():
    X, y = zoo.table(3)
    labels = np.array(["c", "a", "b"], dtype=object)[y]
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    frozen = [("of labels", FrozenEstimator(clone(tree).fit(X, labels))), ("plain", DecisionTreeClassifier(max_depth=2, random_state=0))]
    codes = [("of codes", FrozenEstimator(clone(tree).fit(X, np.unique(labels, return_inverse=True)[1])))]
    for model in (
        AveragingEnsembleClassifier(frozen + codes),
        VotingEnsembleClassifier(frozen, voting="hard", weights=[2, 1]),
        WeightedEnsembleClassifier(frozen, weights=[3, 1]),
        WeightedEnsembleClassifier(frozen, refit=False, cv=3, random_state=0),
    ):
        model.fit(X, labels)
        packed = pack(model)
        np.testing.assert_array_equal(packed.predict(X), model.predict(X))
        if hasattr(model, "predict_proba"):
            np.testing.assert_allclose(packed.predict_proba(X), model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_mixture(n_classes):
    X, y = zoo.table(n_classes)
    model = MixtureOfExpertsClassifier(n_experts=3, n_init=2, random_state=0).fit(X, np.array(list("abc"))[y])
    packed = pack(model)
    np.testing.assert_allclose(packed.predict_proba(X), model.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(packed.predict(X), model.predict(X))
    np.testing.assert_allclose(reference.gate_proba(packed, X), model.gate_proba(X), atol=1e-12)
    best = model.gate_proba(X).argmax(axis=1)
    expected = model.expert_proba(X)[np.arange(len(X)), best]
    np.testing.assert_allclose(packed.routed(1).predict_proba(X), expected, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"gate": "constant"},
        {"routing": "top_k"},
        {"routing": "top_k", "top_k": 2},
        {"gate_features": [1, 3]},
        {"expert_features": [[0, 1], [2, 3, 4], None]},
        {"experts": RandomForestClassifier(6, max_depth=5, random_state=0)},
        {"experts": [DecisionTreeClassifier(max_depth=4), LogisticRegression(), RandomForestClassifier(4, random_state=0)]},
        {"experts": DecisionTreeClassifier(max_depth=4), "gate_features": [0], "routing": "top_k"},
        {"experts": DecisionTreeClassifier(max_depth=4), "expert_features": [[5], [2, 0, 7], None]},
        {"experts": LogisticRegression(), "expert_features": [[5], [2, 0, 7], [1, 1]], "combination": "product"},
        {"experts": RandomForestClassifier(5, max_depth=3, random_state=0), "combination": "product", "routing": "top_k", "top_k": 2},
        {"combination": "additive", "routing": "threshold", "threshold": 0.3},
        {"routing": "threshold", "threshold": 0.9},
        {"routing": "threshold", "threshold": 0.1, "top_k": 1},
        {"gate": "gaussian"},
        {"gate": GaussianGate("tied"), "gate_features": [1, 3]},
        {"gate": GaussianGate("diag"), "gate_features": [6, 2], "routing": "top_k"},
        {"gate": GaussianGate("spherical"), "experts": DecisionTreeClassifier(max_depth=4), "routing": "feedback"},
        {"gate": HierarchicalGate((3, 1)), "routing": "feedback"},
        {"gate": DecisionTreeClassifier(max_depth=3), "gate_features": [4, 1], "experts": DecisionTreeClassifier(max_depth=4)},
        {"gate": HistGradientBoostingClassifier(max_iter=4), "routing": "top_k", "top_k": 2},
        {"gate": LogisticRegression(), "routing": "feedback", "top_k": 1},
        {"experts": "boosted"},
        {"experts": BoostedExperts(shared=True, n_estimators=20), "routing": "top_k"},
    ],
)
def test_kinds_of_mixtures(settings):
    X, y = zoo.table(3)
    model = quietly(MixtureOfExpertsClassifier(n_experts=3, n_init=2, max_iter=20, random_state=0, **settings).fit, X, y)
    if model.routing == "feedback":
        model.success_ = np.array([0.2, 0.5, 0.9])
    packed = pack(model)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(packed.predict_proba(X), expected, atol=1e-6)
    np.testing.assert_allclose(reference.predict_proba(packed, X), expected, atol=1e-6)
    np.testing.assert_allclose(np.vstack([packed.predict_proba(X[i : i + 1]) for i in range(9)]), expected[:9], atol=1e-6)
    np.testing.assert_array_equal(reference.gate_proba(packed, X) > 0, model._shares(X) > 0)
    work = packed.node_visits(X)
    assert work.active <= work.total


def test_a_hierarchy_of_gates():
    X, y = zoo.table(3)
    settings = {"gate": HierarchicalGate((2, 2)), "n_init": 2, "max_iter": 20, "random_state": 0}
    model = quietly(MixtureOfExpertsClassifier(n_experts=4, **settings).fit, X, y)
    packed = pack(model)
    assert packed.gate.shape == (9, 6)
    np.testing.assert_allclose(packed.predict_proba(X), model.predict_proba(X), atol=1e-9)
    np.testing.assert_allclose(reference.gate_proba(packed, X), model.gate_proba(X), atol=1e-12)


def test_visits_of_a_gate_count_for_every_row():
    X, y = zoo.table(3)
    gate, expert = DecisionTreeClassifier(max_depth=3), DecisionTreeClassifier(max_depth=4)
    model = quietly(MixtureOfExpertsClassifier(2, gate=gate, experts=expert, routing="top_k", max_iter=5, random_state=0).fit, X, y)
    work = pack(model).node_visits(X)
    of_gate = node_visits(model.gate_.estimator_, X)
    each = [node_visits(model.experts_.estimators_[k], X[model.route(X)[:, 0] == k]) for k in range(2)]
    shares = np.bincount(model.route(X)[:, 0], minlength=2) / len(X)
    assert of_gate > 0
    assert work.active == pytest.approx(of_gate + shares @ each)
    assert work.total == pytest.approx(of_gate + sum(node_visits(e, X) for e in model.experts_.estimators_))


def test_experts_that_no_class_is_possible_for():
    """Two certain experts that contradict each other: the geometric mean shares the row evenly, as the mixture does."""
    X, y = zoo.table(2)
    model = MixtureOfExpertsClassifier(2, gate="constant", experts=DecisionTreeClassifier(), combination="product", random_state=0)
    model = quietly(model.fit, X, y)
    model.experts_.estimators_ = [DecisionTreeClassifier().fit(X, y), DecisionTreeClassifier().fit(X, 1 - y)]
    expected = model.predict_proba(X)
    np.testing.assert_array_equal(expected, 0.5)
    np.testing.assert_allclose(pack(model).predict_proba(X), expected)


def test_boosted_experts_without_a_single_tree():
    for n_classes in (2, 3):
        X, y = zoo.table(n_classes)
        model = quietly(MixtureOfExpertsClassifier(2, experts=BoostedExperts(n_estimators=5), random_state=0).fit, X, y)
        model.experts_.boosters_ = [None, model.experts_.boosters_[1]]
        np.testing.assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_frozen_experts_and_feedback():
    X, y = zoo.table(3)
    labels = np.array(list("abc"))[y]
    frozen = [FrozenEstimator(DecisionTreeClassifier(max_depth=d).fit(X[d::3], labels[d::3])) for d in (1, 2, 3)]
    model = quietly(MixtureOfExpertsClassifier(n_experts=3, experts=frozen, n_init=2, routing="feedback", random_state=0).fit, X, labels)
    model.success_ = np.array([0.2, 0.5, 0.9])
    np.testing.assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"routing": "random"}, ValueError, "routing='random' cannot be packed.*valid: 'soft', 'top_k', 'threshold', 'feedback'"),
        ({"gate": KNeighborsClassifier()}, TypeError, "possible for .*DecisionTreeClassifier.*received sklearn.KNeighborsClassifier"),
        ({"experts": GaussianNB()}, TypeError, "possible for .*DecisionTreeClassifier.*received sklearn.GaussianNB"),
    ],
)
def test_mixtures_that_cannot_be_packed(settings, error, message):
    X, y = zoo.table(2)
    model = quietly(MixtureOfExpertsClassifier(n_experts=2, n_init=1, max_iter=5, random_state=0, **settings).fit, X, y)
    with pytest.raises(error, match=message):
        pack(model)


def test_hard_votes():
    X, y = zoo.table(3)
    for kind in (VotingEnsembleClassifier, VotingClassifier):
        model = quietly(kind(members("random forest", "xgboost", "lightgbm"), voting="hard", weights=[2, 1, 1]).fit, X, y)
        packed = pack(model)
        np.testing.assert_array_equal(packed.predict(X), quietly(model.predict, X))
        np.testing.assert_allclose(packed.predict_proba(X), reference.predict_proba(packed, X))


def test_bagged_trees():
    """On columns of their own, some without a class that the others know."""
    X, y = zoo.table(3)
    labels = np.array(["b", "a", "c"])[y]
    rare = np.flatnonzero(y != 2)[:60].tolist() + np.flatnonzero(y == 2)[:2].tolist()
    settings = {"n_estimators": 8, "max_features": 3, "max_samples": 0.5, "random_state": 0}
    for rows in (np.arange(400), np.array(rare)):
        model = BaggingClassifier(DecisionTreeClassifier(max_depth=5), **settings).fit(X[rows], labels[rows])
        np.testing.assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-6)
    regressor = BaggingRegressor(**settings).fit(X, X[:, 0])
    np.testing.assert_allclose(pack(regressor).predict(X), regressor.predict(X), atol=1e-6)
    with pytest.raises(TypeError, match="valid: of decision trees"):
        pack(BaggingClassifier(LogisticRegression(), n_estimators=2).fit(X, y))


def test_default_members_of_an_ensemble():
    X, y = zoo.table(2)
    model = quietly(AveragingEnsembleClassifier(random_state=0).fit, X, y)
    np.testing.assert_allclose(pack(model).predict_proba(X), quietly(model.predict_proba, X), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression(n_classes):
    X, y = zoo.table(n_classes)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    np.testing.assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_pipelines_name_what_stays_outside():
    X, y = zoo.table(2)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    packed = pack(pipeline)
    assert packed.preprocessing == ("standardscaler",)
    np.testing.assert_allclose(packed.predict_proba(pipeline[:-1].transform(X)), pipeline.predict_proba(X), atol=1e-6)


def gated(top_k=None, n_experts=4, combination="mean"):
    """A gated model of every form of expert, one of which never saw the class 1."""
    X, y = zoo.table(3)
    rng = np.random.default_rng(5)
    kinds = ["random forest", "xgboost", "lightgbm"]
    experts = [pack_expert(zoo.fit(zoo.PLAIN[kind](), X, y), np.arange(3)) for kind in kinds[: n_experts - 1]]
    experts.append(LinearExpert(rng.normal(size=(2, 8)), rng.normal(size=2), np.array([0, 2])))
    gate = rng.normal(size=(9, len(experts))) / 3
    model = assemble(gate, experts, kind="test", classes=np.arange(3), n_features=8, top_k=top_k, combination=combination)
    return model, X


@pytest.mark.parametrize("combination", ["mean", "vote"])
@pytest.mark.parametrize("top_k", [None, 2, 1])
def test_gates_and_routing(top_k, combination):
    model, X = gated(top_k, combination=combination)
    expected = reference.predict_proba(model, X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_allclose(np.vstack([model.predict_proba(X[i : i + 1]) for i in range(30)]), expected[:30])
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    assert ((reference.gate_proba(model, X) > 0).sum(axis=1) == model.top_k).all()


def test_reference_gate_is_a_softmax_by_hand():
    model, X = gated(1)
    logits = X @ model.gate[:-1] + model.gate[-1]
    np.testing.assert_array_equal(reference.gate_proba(model, X).argmax(axis=1), logits.argmax(axis=1))


def test_of_equal_gates_the_first_wins():
    X, y = zoo.table(2)
    experts = [pack_expert(DecisionTreeClassifier(max_depth=depth).fit(X, y), np.arange(2)) for depth in (1, 3, 6)]
    model = assemble(np.zeros((9, 3)), experts, kind="test", classes=np.arange(2), n_features=8, top_k=2)
    np.testing.assert_allclose(reference.gate_proba(model, X[:1]), [[0.5, 0.5, 0]])
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(model, X))


def test_an_expert_that_never_saw_a_class():
    X, y = zoo.table(3)
    for name in ("random forest", "xgboost", "lightgbm", "gradient boosting"):
        seen = zoo.fit(zoo.PLAIN[name](), X[y < 2], y[y < 2])
        expert = pack_expert(seen, np.arange(3))
        model = assemble(constant_gate([1]), [expert], kind="test", classes=np.arange(3), n_features=8)
        found = model.predict_proba(X)
        np.testing.assert_allclose(found[:, :2], zoo.proba(seen, X), atol=1e-6)
        np.testing.assert_array_equal(found[:, 2], 0)


def test_threads_change_nothing():
    model, X = gated(2)
    rows = np.tile(X, (5, 1))
    np.testing.assert_array_equal(model.predict_proba(rows), model.predict_proba(rows, n_jobs=3))
    with pytest.raises(ValueError, match="n_jobs"):
        model.predict_proba(rows, n_jobs=0)


def test_long_blocks_of_rows_change_nothing(monkeypatch):
    """A large forest is walked by more rows at a time than a small one."""
    model, X = gated(2)
    rows = np.tile(X, (3, 1))
    expected = model.predict_proba(rows)
    monkeypatch.setattr("ensemblekit.packed.cpu_engine.CACHE", 1 << 13)
    again = replace(model)
    blocks = again._engine._experts[-1]
    assert blocks[-1] == 256
    assert blocks.max() == 8192
    np.testing.assert_array_equal(again.predict_proba(rows), expected)
    np.testing.assert_array_equal(np.vstack([again.predict_proba(rows[i : i + 1]) for i in range(5)]), expected[:5])


def test_no_rows():
    model, X = gated(2)
    assert model.predict_proba(X[:0]).shape == (0, 3)


def test_visits_of_padded_trees_are_those_of_the_trees():
    X, y = zoo.table(3)
    for name in ("random forest", "xgboost", "lightgbm"):
        estimator = zoo.fit(zoo.PLAIN[name](), X, y)
        assert pack(estimator).node_visits(X).total == pytest.approx(node_visits(estimator, X))
    routed, X = gated(1, n_experts=4)
    work = routed.node_visits(X)
    assert 0 < work.active < work.total
    assert routed.multiply_adds() == (8 * 4 + 8 * 2, 8 * 4 + 8 * 2 / 4)  # the linear expert knows two classes


def test_a_linear_expert_that_a_threshold_leaves_out_multiplies_nothing():
    X, y = zoo.table(3)
    mixture = MixtureOfExpertsClassifier(4, routing="threshold", threshold=0.3, random_state=0).fit(X, y)
    model = pack(mixture)
    experts = (reference.gate_proba(model, X.astype(np.float32)) > 0).sum(axis=1).mean()
    assert 1 <= experts < 4
    one, gate = X.shape[1] * 3, X.shape[1] * 4
    assert model.multiply_adds(X) == (gate + 4 * one, pytest.approx(gate + experts * one))
    assert compute(mixture, X).multiply_adds == model.multiply_adds(X)


def test_both_tree_forms_are_used():
    model, _ = gated()
    assert sorted(set(model.form.tolist())) == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda X, y: AdaBoostClassifier().fit(X, y), TypeError, "sklearn.RandomForestClassifier"),
        (lambda X, y: AveragingEnsembleClassifier([("a", AdaBoostClassifier())]).fit(X, y), TypeError, "AdaBoost"),
        (lambda X, y: RandomForestClassifier(), NotFittedError, "not fitted"),
        (lambda X, y: AveragingEnsembleClassifier(), NotFittedError, "not fitted"),
        (lambda X, y: "text", TypeError, "builtins.str"),
    ],
)
def test_what_cannot_be_packed(make, error, message):
    with pytest.raises(error, match=message):
        pack(make(*zoo.table(2)))


def test_rows_that_do_not_fit():
    model, X = gated()
    with pytest.raises(ValueError, match=r"shape \(n, 8\)"):
        model.predict_proba(X[:, :2])
    for wrong in (sparse.csr_array(X), [["a"] * 8]):
        with pytest.raises(ValueError, match="dense table of numbers"):
            model.predict_proba(wrong)
    X = X.copy()
    X[0, 2] = np.nan
    with pytest.raises(ValueError, match="Column 2 holds missing values"):
        model.predict_proba(X)
    with pytest.raises(ValueError, match="'cpu', 'cuda', 'auto'"):
        model.predict_proba(X, device="gpu")


def test_members_of_other_widths():
    X, y = zoo.table(2)
    trees = [TreeExpert(read_trees(DecisionTreeClassifier().fit(X[:, :w], y)), np.arange(2)) for w in (8, 3)]
    with pytest.raises(ValueError, match="3 columns"):
        assemble(constant_gate([1, 1]), trees, kind="test", classes=np.arange(2), n_features=8)


def test_without_numba_the_command_is_named():
    """In a process of its own: the engine is imported once."""
    code = """
import sys
sys.modules["numba"] = None
import numpy as np
from sklearn.tree import DecisionTreeClassifier
from ensemblekit.packed import pack
packed = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
assert packed.node_visits([[0.0]]).total == 1
try:
    packed.predict_proba([[0.0]])
except ImportError as error:
    assert "pip install 'ensemblekit[fast]'" in str(error), error
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_boosted_experts_of_two_classes():
    X, y = zoo.table(2)
    model = quietly(MixtureOfExpertsClassifier(n_experts=2, experts="boosted", n_init=1, random_state=0).fit, X, y)
    np.testing.assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("weights", [[2, -1, 0], [0, 0, 0], [1, np.nan, 1]])
def test_weights_of_no_mean_are_refused(weights):
    with pytest.raises(ValueError, match="finite numbers that are not negative"):
        constant_gate(weights)


def test_a_vote_that_may_be_void_is_not_packed():
    X, y = zoo.table(3)
    members = [("tree", DecisionTreeClassifier(max_depth=3)), ("shallow", DecisionTreeClassifier(max_depth=1))]
    vote = VotingEnsembleClassifier(members, abstain_below=0.9, abstain_label=-1).fit(X, y)
    with pytest.raises(ValueError, match="set abstain_below=None"):
        pack(vote)


def test_no_probability_of_the_gpu_exceeds_one(monkeypatch):
    """Its sums are of float32, and scikit-learn's metrics refuse a last digit too many."""
    packed = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    gpu = SimpleNamespace(predict_proba=lambda _: np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]], np.float32))
    monkeypatch.setattr(devices, "resolve", lambda device: device)
    monkeypatch.setattr(PackedModel, "to_gpu", lambda _: gpu)
    answer = packed.predict_proba([[0.0]], device="cuda")
    assert answer.tolist() == [[1, 0]]
    assert answer.dtype == np.float32
