"""Few bytes, the same ways through the trees, answers that hardly move, and files that hold no surprise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit.compression import PrunedClassifier, QuantizedClassifier, QuantizedModel, prune, quantize
from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression
from ensemblekit.ensembles import AveragingEnsembleClassifier, make_members
from ensemblekit.mixture import BoostedExperts, MixtureOfExpertsClassifier
from ensemblekit.packed import PackedModel, pack, reference
from ensemblekit.packed.taking_apart import experts_of
from ensemblekit.trees import as_rows
from ensemblekit.trees.walk import leaf_nodes

MODELS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(20, random_state=0),
    "lightgbm": make_members("lightgbm", random_state=0)[0][1].set_params(n_estimators=40),
    "boosted mixture": MixtureOfExpertsClassifier(3, experts=BoostedExperts(n_estimators=40, n_init=2), routing="top_k", random_state=0),
    "linear mixture": MixtureOfExpertsClassifier(3, n_init=2, random_state=0),
    "classifier as gate": MixtureOfExpertsClassifier(
        2, gate=DecisionTreeClassifier(max_depth=3), n_init=2, max_iter=20, tol=1e-3, random_state=0
    ),
    "averaging": AveragingEnsembleClassifier([("forest", RandomForestClassifier(5, random_state=0)), ("linear", LogisticRegression())]),
}


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_regimes_classification(1200, 6, n_classes=3, random_state=0)
    return X.astype(np.float32), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def packs(table):
    return {name: pack(model.fit(*table)) for name, model in MODELS.items()}


@pytest.mark.parametrize("dtype", ["int8", "float16"])
@pytest.mark.parametrize("name", MODELS)
def test_answers_hardly_move_and_every_engine_gives_them(packs, table, name, dtype, tmp_path):
    X, y = table
    small = quantize(packs[name], dtype, X, y)
    answers = small.model.predict_proba(X)
    assert small.largest_change == pytest.approx(np.abs(answers - packs[name].predict_proba(X)).max(), abs=1e-12)
    assert small.largest_change < 5e-3
    assert np.abs(answers - reference.predict_proba(small.model.unpacked, as_rows(X, 6))).max() < 1e-9
    assert small.model.unpacked.node_visits(X) == packs[name].node_visits(X)
    small.model.save(tmp_path / "small.npz")
    again = QuantizedModel.load(tmp_path / "small.npz")
    assert np.array_equal(again.predict_proba(X), answers)
    assert again.nbytes == small.model.nbytes == small.report.after.nbytes
    if packs[name].n_trees > 10:
        assert small.model.nbytes < 0.4 * packs[name].nbytes


@pytest.mark.parametrize("name", ["tree", "forest", "lightgbm", "boosted mixture"])
def test_rows_reach_the_same_leaves(packs, table, name):
    X, y = table
    for before, after in zip(experts_of(packs[name]), experts_of(quantize(packs[name], "int8", X, y).model.unpacked), strict=True):
        depth = [trees.depth[leaf_nodes(trees, X)] for trees in (before.trees, after.trees)]
        assert np.array_equal(*depth)
        values = [trees.leaf_values[trees.leaf[leaf_nodes(trees, X)]] for trees in (before.trees, after.trees)]
        spread = np.ptp(before.trees.leaf_values) / 255
        assert np.abs(values[0] - values[1]).max() <= spread


def test_thresholds_that_no_row_tells_apart_become_one_byte_and_move_no_row():
    """Coarse rows, a forest grown on fine ones: far more than 256 thresholds, few of them apart for the coarse rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 2)).astype(np.float32)
    packed = pack(RandomForestClassifier(10, random_state=0).fit(X, X[:, 0] + rng.normal(size=3000) > 0))
    coarse = np.round(X * 20).astype(np.float32) / 20
    labels = packed.predict(coarse)
    small = quantize(packed, "int8", coarse, labels).model
    assert small.trees.place.dtype == np.uint8
    assert quantize(packed, "int8", X, packed.predict(X)).model.trees.place.dtype == np.uint16
    (before,), (after,) = experts_of(packed), experts_of(small.unpacked)
    walks = [leaf_nodes(one.trees, coarse) for one in (before, after)]
    values = [one.trees.leaf_values[one.trees.leaf[walk]] for one, walk in zip((before, after), walks, strict=True)]
    assert np.abs(values[0] - values[1]).max() < 1 / 255
    fine = [one.trees.depth[leaf_nodes(one.trees, X)] for one in (before, after)]
    assert not np.array_equal(*fine)  # rows that were not given may move: the check above can fail


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 12), classes=st.integers(2, 4))
def test_any_tree_comes_back_with_its_shape(seed, depth, classes):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)).astype(np.float32)
    model = pack(DecisionTreeClassifier(max_depth=depth, random_state=seed).fit(X, np.arange(60) % classes))
    small = quantize(model, "float16", X, model.predict(X)).model
    other = rng.normal(size=(200, 3)).astype(np.float32)
    assert np.abs(small.predict_proba(other) - model.predict_proba(other)).max() < 1e-3
    assert small.unpacked.node_visits(other) == model.node_visits(other)


@pytest.mark.parametrize("kind", ["alone", "in a mixture"])
def test_columns_of_any_scale_keep_their_weights(kind):
    """One column in thousandths, one in thousands, and a time in seconds, whose weight is small and its product with 1.7e9 large."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(400, 3))
    y = (cells.sum(axis=1) + 0.5 * rng.normal(size=400) > 0).astype(int)
    X = (cells * [1e-3, 1e3, 1e7] + [0.0, 0.0, 1.7e9]).astype(np.float32).astype(np.float64)
    if kind == "alone":
        scaler, model = make_pipeline(StandardScaler(), LogisticRegression(C=1e6)).fit(X, y)
        model.coef_ = model.coef_ / scaler.scale_
        model.intercept_ = model.intercept_ - model.coef_ @ scaler.mean_
    else:
        model = MixtureOfExpertsClassifier(2, alpha=0.01, n_init=1, random_state=0).fit(X, y)
    packed = pack(model)
    assert np.ptp(packed.predict_proba(X)[:, 1]) > 0.9
    assert quantize(packed, "int8", X, y).largest_change < 1e-4


def test_regressors():
    X, y, _ = make_regimes_regression(600, 5, random_state=0)
    packed = pack(RandomForestRegressor(20, random_state=0).fit(X, y))
    for dtype in ("int8", "float16"):
        assert quantize(packed, dtype, X, y).largest_change < 5e-3 * np.ptp(y)


@pytest.mark.parametrize(("begin", "unit"), [(0.0, 1.0), (1e8, 1e8), (1e8, 10.0)])
@pytest.mark.parametrize("kind", [RandomForestRegressor, GradientBoostingRegressor, DecisionTreeRegressor])
def test_answers_stay_within_the_bound_that_the_guide_states_also_for_large_amounts(kind, begin, unit):
    """Half a step of each tree, however far from zero the answers lie: what they have in common is no part of the leaves."""
    X, y, _ = make_regimes_regression(300, 5, random_state=0)
    y = begin + unit * y
    packed = pack(kind(random_state=0).set_params(**({"n_estimators": 15} if kind is not DecisionTreeRegressor else {})).fit(X, y))
    (expert,) = experts_of(packed)
    trees = expert.trees
    leaves = [trees.leaf_values[trees.leaf[first:last][trees.leaf[first:last] >= 0]] for first, last in pairwise([*trees.roots, None])]
    bounds = {"int8": sum(map(np.ptp, leaves)) / 510, "float16": sum(np.abs(leaf).max() for leaf in leaves) / 2**11}
    for dtype, bound in bounds.items():
        change = quantize(packed, dtype, X, y).largest_change
        assert change <= trees.scale * bound * (1 + 1e-4) < 0.02 * np.ptp(y)


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e7])
def test_leaves_beyond_either_end_of_float16(unit):
    X, y, _ = make_regimes_regression(300, 5, random_state=0)
    packed = pack(RandomForestRegressor(5, criterion="absolute_error", max_depth=4, random_state=0).fit(X, unit * y))
    assert quantize(packed, "float16", X, unit * y).largest_change < 1e-3 * unit * np.ptp(y)


def test_routed_gates_stay_as_they_are(packs, table):
    routed, soft = (quantize(packs[name], "int8", *table).model for name in ("boosted mixture", "linear mixture"))
    assert np.array_equal(routed.unpacked.gate, packs["boosted mixture"].gate)
    assert "gate" in soft.weights
    assert not np.array_equal(soft.unpacked.gate, packs["linear mixture"].gate)


@pytest.mark.parametrize("name", ["is_leaf", "n_nodes", "column", "place", "leaf", "table_start"])
def test_damaged_files_are_refused(packs, table, tmp_path, name):
    model = quantize(packs["forest"], "int8", *table).model
    damaged = getattr(model.trees, name).copy()
    damaged[: len(damaged) // 2] = np.iinfo(damaged.dtype).max
    QuantizedModel(model.dtype, model.shell, model.trees._replace(**{name: damaged}), model.weights).save(tmp_path / "bad.npz")
    if name == "leaf":  # any byte is a leaf
        QuantizedModel.load(tmp_path / "bad.npz")
        return
    with pytest.raises(ValueError, match="holds no quantised model"):
        QuantizedModel.load(tmp_path / "bad.npz")


def test_files_of_packed_models_are_not_mixed_up(packs, table, tmp_path):
    packs["tree"].save(tmp_path / "packed.npz")
    quantize(packs["tree"], "int8", *table).model.save(tmp_path / "small.npz")
    with pytest.raises(ValueError, match="quantise the model again"):
        QuantizedModel.load(tmp_path / "packed.npz")
    with pytest.raises(ValueError, match="holds no packed model"):
        PackedModel.load(tmp_path / "small.npz")


def test_what_was_quantised_can_be_pruned_and_quantised_again(packs, table):
    small = quantize(packs["forest"], "float16", *table).model
    assert quantize(small, "int8", *table).report.after.nbytes < small.unpacked.nbytes
    assert prune(small, *table, max_loss_increase=0.05).report.before.node_visits == small.unpacked.node_visits(table[0]).active


def test_unknown_dtype(packs, table):
    with pytest.raises(ValueError, match="'float16' or 'int8'"):
        quantize(packs["tree"], "int4", *table)


def test_missing_cells_are_refused_for_the_packed_model_and_not_for_the_fitted_one():
    X, y, _ = make_regimes_classification(300, 4, random_state=0)
    X[::7, 3] = np.nan
    model = MixtureOfExpertsClassifier(2, experts=BoostedExperts(n_estimators=5, n_init=1), gate_features=[0, 1], random_state=0)
    for compressed in (PrunedClassifier, QuantizedClassifier):
        with pytest.raises(ValueError, match=r"Column 3 holds missing values. .* even where the fitted one does"):
            compressed(model).fit(X, y)


def test_rows_are_those_that_the_model_reads(table):
    frame, y = pd.DataFrame(table[0], columns=list("abcdef")), table[1]
    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(frame, y)
    losses = [quantize(*model_and_rows, y).report.before.loss for model_and_rows in ((tree, "int8", frame), (pack(tree), "int8", table[0]))]
    assert losses[0] == losses[1]
    with pytest.raises(ValueError, match=r"columns \['f', .*fitted to \['a', "):
        quantize(tree, "int8", frame[list("fedcba")], y)
    pipeline = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=4, random_state=0)).fit(frame, y)
    with pytest.raises(ValueError, match=r"'standardscaler'.*last step"):
        quantize(pipeline, "int8", frame, y)
    with pytest.raises(ValueError, match=r"received 1200 and y of shape \(3,\)"):
        quantize(tree, "int8", frame, y[:3])
