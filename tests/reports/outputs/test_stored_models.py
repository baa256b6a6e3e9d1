"""A stored model predicts what the fitted one did, from a table as a stranger writes it, and a file can make nothing else happen."""

from __future__ import annotations

import io
import json
import pickle
import warnings
import zipfile
from collections import deque
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier
from ensemblekit.mixture import MixtureOfExpertsClassifier, frozen_experts
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.known_columns import UNKNOWN
from ensemblekit_reports.outputs.loaded_trees import check_trees
from ensemblekit_reports.outputs.predicting import predict_file
from ensemblekit_reports.outputs.refitting import refit
from ensemblekit_reports.outputs.stored_model import ABOUT, _with_about, load_model, save_model
from ensemblekit_reports.outputs.trusted_types import TRUSTED
from ensemblekit_reports.studies.compressed import with_compressed
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import REGISTRY, REGRESSORS
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.tables.table import bundled_table, table_from_frame

skops = pytest.importorskip("skops.io")


def frame(n_rows=90, seed=0):
    """Rows with everything that real tables have."""
    random = np.random.default_rng(seed)
    size, gap = random.normal(size=n_rows), random.normal(size=n_rows)
    gap[::7] = np.nan
    return pd.DataFrame(
        {
            "size": size,
            "gap": gap,
            "=colour": random.choice(["red", "blue", "green", ""], n_rows),
            "new": random.choice([True, False], n_rows),
        }
    )


def answers(rows):
    return pd.Series(np.where(rows["size"] + 0.3 * rows["new"] > 0, "=yes", "no"), name="kind")


def plan_of(*models: Model) -> Plan:
    table = table_from_frame(frame(), answers(frame()), name="t")
    return Plan("p", (table,), models, "accuracy", 0.01, Scheme(1, 2), 0, quick=True)


TREE = model_from_estimator("tree", DecisionTreeClassifier(max_depth=4))


@pytest.fixture
def stored(tmp_path):
    plan = plan_of(TREE)
    kept = refit(plan, "tree")
    save_model(kept, tmp_path / "model.skops", plan.tables[0].X)
    return kept, tmp_path / "model.skops"


# Their forests take seconds, and they are made of what the others are made of.
SLOW = ("averaging", "weighted", "voting", "stacking", "random-forest", "moe-trees")


def slow_ones_marked(registry, slow):
    return [pytest.param(name, marks=pytest.mark.slow if name in slow else ()) for name in registry]


@pytest.mark.parametrize("name", slow_ones_marked(REGRESSORS, (*SLOW, "moe", "moe-boosted")))
def test_every_regressor_comes_back_and_predicts_the_same(tmp_path, name):
    rows = frame()
    amounts = pd.Series(3 * rows["size"] + rows["new"], name="amount")
    table = table_from_frame(rows, amounts, name="t", task="regression")
    plan = Plan("p", (table,), (REGRESSORS[name],), "r2", 0.01, Scheme(1, 2), 0, quick=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = refit(plan, name)
    save_model(kept, tmp_path / "model.skops", table.X)
    back = load_model(tmp_path / "model.skops")
    np.testing.assert_allclose(back.predict(frame(40, seed=1)), kept.predict(frame(40, seed=1)), rtol=1e-9)
    with pytest.raises(UserError, match="gives no probabilities"):
        back.predict_proba(rows)


@pytest.mark.parametrize("name", slow_ones_marked(REGISTRY, SLOW))
def test_every_model_of_the_registry_comes_back_and_predicts_the_same(tmp_path, name):
    plan = plan_of(REGISTRY[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = refit(plan, name)
    save_model(kept, tmp_path / "model.skops", plan.tables[0].X)
    back = load_model(tmp_path / "model.skops")
    new = frame(40, seed=1)
    X, notes = back.encoding.encode(new)
    assert notes == ()
    assert back.notes == ()
    assert (back.answer(X) == kept.answer(X)).all()
    assert set(back.predict(new)) <= {"=yes", "no"}
    if kept.gives_probabilities:
        np.testing.assert_allclose(back.predict_proba(new), kept.predict_proba(new), rtol=1e-9)
    assert (back.facts["table"]["checksum"], back.facts["seed"]) == (plan.tables[0].checksum, 0)


@pytest.mark.parametrize("method", ["pruned", "distilled", "int8"])
def test_a_compressed_variant_comes_back_and_predicts_the_same(tmp_path, method):
    small = AveragingEnsembleClassifier([(name, DecisionTreeClassifier(max_depth=3, random_state=i)) for i, name in enumerate("ab")])
    plan = plan_of(*with_compressed((model_from_estimator("trees", small),), compress=True, tuned=False))
    kept = refit(plan, f"trees-{method}")
    save_model(kept, tmp_path / "model.skops", plan.tables[0].X)
    back, new = load_model(tmp_path / "model.skops"), frame(40, seed=1)
    np.testing.assert_allclose(back.predict_proba(new), kept.predict_proba(new), rtol=1e-9)
    packed = back.pipeline.steps[-1][1].compressed_
    if method == "pruned":
        back.pipeline.steps[-1][1].compressed_ = replace(packed, node_start=packed.node_start + 1000)
    elif method == "int8":
        back.pipeline.steps[-1][1].compressed_ = replace(packed, shell=replace(packed.shell, gate_node=packed.shell.gate_node + 9))
    if method != "distilled":
        with pytest.raises(ValueError, match=r"(node_start|gate_node) is damaged"):
            check_trees(back.pipeline)


def test_a_mixture_that_chooses_by_itself_comes_back_with_what_it_chose(tmp_path):
    mixture = MixtureOfExpertsClassifier("auto", max_experts=2, routing="auto", combination="auto", max_iter=10)
    kept = refit(plan_of(model_from_estimator("auto", mixture)), "auto")
    save_model(kept, tmp_path / "model.skops", plan_of(TREE).tables[0].X)
    before, after = kept.pipeline[-1], load_model(tmp_path / "model.skops").pipeline[-1]
    assert after.selection_path_ == before.selection_path_
    assert after.mixing_path_ == before.mixing_path_


def test_a_mixture_of_another_ones_experts_comes_back(tmp_path):
    iris = bundled_table("iris")
    experts = frozen_experts(MixtureOfExpertsClassifier(2, max_iter=5, random_state=0).fit(iris.X, iris.y))
    plan = replace(plan_of(model_from_estimator("m", MixtureOfExpertsClassifier(2, experts=experts, max_iter=5))), tables=(iris,))
    kept = refit(plan, "m")
    save_model(kept, tmp_path / "model.skops", iris.X)
    np.testing.assert_allclose(load_model(tmp_path / "model.skops").pipeline.predict_proba(iris.X), kept.pipeline.predict_proba(iris.X))


def test_a_model_that_scales_in_place_leaves_the_table_as_it_was():
    table = bundled_table("iris")
    before, in_place = table.X.copy(), make_pipeline(MinMaxScaler(copy=False), DummyClassifier())
    refit(replace(plan_of(model_from_estimator("mine", in_place)), tables=(table,)), "mine")
    np.testing.assert_array_equal(table.X, before)


def test_every_trusted_type_is_there():
    for name in TRUSTED:
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(import_module(module), kind), type), name


def test_the_training_table_read_again_is_the_training_table(stored):
    kept, _ = stored
    X, notes = kept.encoding.encode(frame())
    np.testing.assert_array_equal(X, plan_of(TREE).tables[0].X)
    assert notes == ()


def test_text_cells_mean_what_typed_ones_mean(stored):
    kept, _ = stored
    texts = frame().astype(object).map(lambda cell: "?" if cell != cell else str(cell))
    X, notes = kept.encoding.encode(texts[["new", "=colour", "gap", "size"]])
    np.testing.assert_array_equal(X, plan_of(TREE).tables[0].X)
    assert notes == ()


def test_what_is_strange_in_a_new_table_is_said(stored):
    kept, _ = stored
    rows = frame().assign(memo="x")
    rows.loc[0, "=colour"] = "violet"
    rows["size"] = rows["size"].mask(rows.index == 1)
    rows["gap"] = rows["gap"].astype(object).mask(rows.index == 2, "n.a.")
    X, notes = kept.encoding.encode(rows)
    assert [note.split(";")[0] for note in notes] == [
        "Column 'size': 1 cell is missing, and none was in fitting",
        "Column 'gap': 1 cell is not numbers ('n.a.') and read as missing.",
        "Column '=colour': 1 cell holds a category that the model never met ('violet')",
        "The model does not use the column 'memo'",
    ]
    assert X[1, 0] == np.median(frame()["size"])
    assert np.isnan(X[2, 1])
    assert X[0, 2] == UNKNOWN, "an unknown category is no missing cell: those may be a level of their own"
    assert not np.isnan(kept.pipeline.predict_proba(X)).any()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda rows: rows.drop(columns="gap"), "lacks a column that the model needs: 'gap'"),
        (lambda rows: rows.rename(columns={"gap": "Gap", "size": "sizes"}), "2 columns that the model needs: 'size' (is it 'sizes'?)"),
        (lambda rows: rows.assign(size="large"), "column 'size' held numbers when the model was fitted; here 90 of 90 cells do not"),
        (lambda rows: rows.assign(new="maybe"), "column 'new' held true and false"),
        (lambda rows: rows.assign(size=rows["new"]), "column 'size' held numbers"),
        (lambda rows: rows.assign(size=pd.Timestamp("2020-01-31")), "column 'size' held numbers"),
        (lambda rows: rows.iloc[:0], "no rows"),
        (lambda rows: rows[["size", "size", "gap", "=colour", "new"]], "more than one column named 'size'"),
    ],
)
def test_a_table_that_is_none_for_this_model_is_refused(stored, change, complaint):
    kept, _ = stored
    with pytest.raises(UserError) as raised:
        kept.encoding.encode(change(frame()))
    assert complaint in str(raised.value)


def test_predictions_as_csv_and_parquet(stored, tmp_path):
    kept, file = stored
    frame().to_csv(tmp_path / "new.csv", index=False)
    assert predict_file(load_model(file), tmp_path / "new.csv", tmp_path / "out.csv", with_probabilities=True) == ()
    predict_file(load_model(file), tmp_path / "new.csv", tmp_path / "out.parquet", with_probabilities=True)
    exact = pd.read_parquet(tmp_path / "out.parquet")
    assert list(exact) == ["prediction", "probability of =yes", "probability of no"]
    assert (exact["prediction"] == kept.predict(frame())).all()
    text = pd.read_csv(tmp_path / "out.csv")
    assert set(text["prediction"]) == {"'=yes", "no"}, "a spreadsheet would run what begins with ="
    assert (text["probability of =yes"] == exact["probability of =yes"]).all()
    with pytest.raises(UserError, match=r"must end in \.csv or \.parquet"):
        predict_file(kept, tmp_path / "new.csv", tmp_path / "out.xlsx")


class Stranger(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=np.int64)


def test_a_strange_type_is_refused_until_it_is_named(tmp_path):
    plan = plan_of(model_from_estimator("mine", Stranger()))
    save_model(refit(plan, "mine"), tmp_path / "model.skops", plan.tables[0].X)
    name = f"{Stranger.__module__}.Stranger"
    with pytest.raises(UserError, match="holds types that are not loaded unasked") as raised:
        load_model(tmp_path / "model.skops")
    assert f"--trust {name}" in str(raised.value)
    back = load_model(tmp_path / "model.skops", trust=[name])
    assert set(back.predict(frame())) == {"=yes"}
    with pytest.raises(UserError, match="mine gives no probabilities"):
        back.predict_proba(frame())


@pytest.mark.parametrize("payload", ["os.system", "builtins.eval", "numpy.testing._private.utils.runstring"])
def test_a_function_in_a_file_is_refused(stored, payload):
    _, file = stored
    module, _, name = payload.rpartition(".")

    def plant(schema):
        steps = schema["content"]["content"]["steps"]["content"]
        steps[0]["content"][1] = {"__class__": name, "__module__": module, "__loader__": "FunctionNode", "content": name}

    change_schema(file, plant)
    with pytest.raises(UserError, match=r"not loaded unasked|damaged"):
        load_model(file)


def change_schema(file, change):
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"])
    change(schema)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (members | {"schema.json": json.dumps(schema)}).items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a zip", pickle.dumps({"a": 1}), pytest.param(None, id="a zip of something else")],
)
def test_other_files_are_refused(tmp_path, content):
    if content is None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("readme.txt", "hello")
        content = buffer.getvalue()
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="no stored model of ensemblekit"):
        load_model(tmp_path / "file")


def test_a_torn_file_is_refused(stored):
    _, file = stored
    with zipfile.ZipFile(file) as archive:
        about = archive.read(ABOUT)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(ABOUT, about)
    with pytest.raises(UserError, match="is damaged"):
        load_model(file)


def test_other_versions_are_said(stored):
    _, file = stored
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members[ABOUT])
    about["facts"]["versions"]["scikit-learn"] = "0.1"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (members | {ABOUT: json.dumps(about)}).items():
            archive.writestr(name, content)
    (note,) = load_model(file).notes
    assert note.startswith("The model was fitted with scikit-learn 0.1 (here ")


def grown():
    table = plan_of(TREE).tables[0]
    return RandomForestClassifier(3, random_state=0).fit(np.nan_to_num(table.X), table.y)


def spoil_child(tree, state):
    state["nodes"]["left_child"][0] = tree.node_count + 5


def spoil_circle(tree, state):
    state["nodes"]["right_child"][state["nodes"]["left_child"][0]] = 0
    state["nodes"]["left_child"][state["nodes"]["left_child"][0]] = 0


def spoil_column(tree, state):
    state["nodes"]["feature"][0] = 99


def spoil_count(tree, state):
    state["node_count"] = 0


@pytest.mark.parametrize("spoil", [spoil_child, spoil_circle, spoil_column, spoil_count])
def test_trees_that_lead_astray_are_refused(spoil):
    forest = grown()
    check_trees({"inside": [forest]})
    lead_astray(forest.estimators_[1], spoil)
    with pytest.raises(ValueError, match="tree"):
        check_trees({"inside": [forest]})


def lead_astray(member, spoil):
    state = member.tree_.__getstate__()
    spoil(member.tree_, state)
    _, arguments, _ = member.tree_.__reduce__()
    spoiled = type(member.tree_)(*arguments)
    spoiled.__setstate__(state)
    member.tree_ = spoiled
    member.n_features_in_ = 1000


def objects(*items, mask=None):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array if mask is None else np.ma.masked_array(array, mask)


class Attributed(dict):
    """A mapping with attributes, as scikit-learn's Bunch is."""


def beside(tree):
    kept = Attributed()
    kept.tree = tree
    return kept


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda tree: {tree}, id="set"),
        pytest.param(lambda tree: frozenset([tree]), id="frozenset"),
        pytest.param(lambda tree: {tree: 0}, id="key"),
        pytest.param(lambda tree: objects(tree, None), id="objects"),
        pytest.param(lambda tree: objects(tree, None, mask=[True, False]), id="masked"),
        pytest.param(beside, id="attribute of a mapping"),
        pytest.param(lambda tree: deque([tree]), id="deque"),
    ],
)
def test_trees_hide_in_no_container(hide):
    tree = grown().estimators_[0]
    lead_astray(tree, spoil_child)
    with pytest.raises(ValueError, match="tree"):
        check_trees({"inside": hide(tree)})


def test_a_file_whose_ensemble_keeps_a_spoiled_tree_in_a_set_is_refused(tmp_path):
    plan = plan_of(TREE)
    kept = refit(plan, "tree")
    tree = kept.pipeline.steps[-1][1]
    lead_astray(tree, spoil_child)
    ensemble = AveragingEnsembleClassifier()
    ensemble.members_ = {tree}
    spoiled = replace(kept, pipeline=Pipeline([("model", ensemble)]))
    (tmp_path / "model.skops").write_bytes(_with_about(skops.dumps(spoiled.pipeline), spoiled))
    with pytest.raises(UserError, match="cannot be read: ValueError: a node of a tree leads outside"):
        load_model(tmp_path / "model.skops")


class Locked(DummyClassifier):
    def __getstate__(self):
        raise RuntimeError("locked")


class Forgetful(DummyClassifier):
    def __getstate__(self):
        return super().__getstate__() | {"class_prior_": np.array([1.0, 0.0])}


@pytest.mark.parametrize(("kind", "complaint"), [(Locked, "does not take it"), (Forgetful, "predicts something else")])
def test_a_model_that_cannot_be_stored_is_said_and_leaves_nothing(tmp_path, kind, complaint):
    plan = plan_of(model_from_estimator("odd", kind(strategy="prior")))
    with pytest.raises(UserError, match=f"odd cannot be stored: .*{complaint}"):
        save_model(refit(plan, "odd"), tmp_path / "model.skops", plan.tables[0].X)
    assert not list(tmp_path.iterdir())
