"""Groups stay together, weights count as repetition, and both arrive from a study, from flags and from Python."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier, StackingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit_reports import compare
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.stored_model import load_model
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.cost import TimedProcesses
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.grouped_folds import divides_groups, with_grouped_folds
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.metrics import score
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import read_json, to_json
from ensemblekit_reports.studies.compressed import with_compressed
from ensemblekit_reports.studies.dry_run import dry_run
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.registry import REGISTRY, find_models
from ensemblekit_reports.studies.scheme import Scheme, assign_folds
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.tables.row_facts import encode_groups
from ensemblekit_reports.tables.table import bundled_table, table_from_file
from tests.reports.running import oddities

IRIS = bundled_table("iris")
GROUPS = np.random.default_rng(0).integers(0, 30, size=150)
WEIGHTS = np.random.default_rng(1).integers(1, 4, size=150).astype(float)


def test_a_group_is_in_one_fold_only():
    dealt = assign_folds(IRIS.y, Scheme(3, 5), 0, "iris", GROUPS)
    for repeat in dealt:
        assert all(len(set(repeat[group == GROUPS])) == 1 for group in set(GROUPS))
        assert set(repeat) == set(range(5))
    assert not (dealt[0] == dealt[1]).all(), "repeats deal anew"
    assert (dealt == assign_folds(IRIS.y, Scheme(3, 5), 0, "iris", GROUPS)).all()


def test_too_few_groups_are_said():
    with pytest.raises(UserError, match=r"has 2 groups, which are too few for 5 folds.*--folds 1x2"):
        assign_folds(IRIS.y, Scheme(1, 5), 0, "iris", IRIS.y % 2)


def test_a_weight_is_repetition_in_every_metric():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 3, size=(2, 40))
    probabilities = rng.dirichlet(np.ones(3), size=40)
    times = rng.integers(1, 5, size=40)
    repeated = score(*(np.repeat(part, times, axis=0) for part in (y, predicted, probabilities)))
    assert score(y, predicted, probabilities, times.astype(float)) == pytest.approx(repeated)
    assert score(y, predicted, probabilities) != pytest.approx(repeated)


def test_weights_reach_the_fit_and_the_metrics():
    fold = Fold(dataclasses.replace(IRIS, weights=WEIGHTS), 0, 0, np.arange(150) % 4 == 0, 0)
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    record, predictions = run_cell(model_from_estimator("tree", tree), Prepared(fold), None)
    tree.fit(IRIS.X[~fold.tested], IRIS.y[~fold.tested], sample_weight=WEIGHTS[~fold.tested])
    np.testing.assert_allclose(predictions.probabilities, tree.predict_proba(IRIS.X[fold.tested]))
    assert record["metrics"]["accuracy"] == pytest.approx(tree.score(IRIS.X[fold.tested], IRIS.y[fold.tested], WEIGHTS[fold.tested]))


def test_a_model_without_weights_says_so():
    fold = Fold(dataclasses.replace(IRIS, weights=WEIGHTS), 0, 0, np.arange(150) % 4 == 0, 0)
    record, _ = run_cell(model_from_estimator("knn", KNeighborsClassifier()), Prepared(fold), None)
    assert (record["status"], record["reason"]) == ("failed", "ValueError: KNeighborsClassifier takes no sample weights")


def test_groups_stay_together_inside_an_ensemble_too():
    grouped = dataclasses.replace(IRIS, X=GROUPS[:, None].astype(float), columns=IRIS.columns[:1], groups=GROUPS)
    fold = Fold(grouped, 0, 0, GROUPS < 6, 0)
    ensemble = dataclasses.replace(REGISTRY["weighted"], factory=lambda seed: oddities.weighted_over(oddities.NeverAskedOfTheSame()))
    record, _ = run_cell(ensemble, Prepared(fold), None)
    assert record["status"] == "ok", record["reason"]
    ungrouped, _ = run_cell(ensemble, Prepared(dataclasses.replace(fold, table=dataclasses.replace(grouped, groups=None))), None)
    assert "a group was asked about that was fitted" in ungrouped["reason"]


@pytest.fixture
def file(tmp_path):
    frame = pd.DataFrame(IRIS.X, columns=list("abcd")).assign(patient=[f"p{group}" for group in GROUPS], w=WEIGHTS, kind=IRIS.y)
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_columns_of_a_file_are_no_features(file):
    table = table_from_file(file, "kind", groups="patient", weights="w")
    assert [column.name for column in table.columns] == list("abcd")
    assert len(set(zip(table.groups, GROUPS, strict=True))) == len(set(GROUPS))
    np.testing.assert_array_equal(table.weights, WEIGHTS)
    assert table.checksum != table_from_file(file, "kind", groups="patient").checksum
    assert "Rows with the same 'patient' are never divided between training and test." in table.notes
    with pytest.raises(UserError, match="no column named 'pateint'; did you mean 'patient'"):
        table_from_file(file, "kind", groups="pateint")
    with pytest.raises(UserError, match=r"'kind' of .* cannot be both the answer and the weights: name another as weights"):
        table_from_file(file, "kind", weights="kind")
    with pytest.raises(UserError, match=r"'w' of .* cannot be both the groups and the weights"):
        table_from_file(file, "kind", groups="w", weights="w")


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("weights", [1, 0, 2], r"must be positive numbers; 10 are not, such as '0'"),
        ("weights", [1, "x", 2], r"such as 'x'"),
        ("groups", ["a", "", "b"], "missing in 10 rows"),
        ("groups", ["a", "a", "a"], "all rows in one group"),
        ("groups", ["a", "NA", "?"], "missing in 20 rows"),
        ("groups", ["7", "7.0", " 07 "], "all rows in one group"),
    ],
)
def test_wrong_columns_are_said(tmp_path, column, values, complaint):
    pd.DataFrame({"a": [1.5, 2, 7, 9, 9] * 6, "c": values * 10, "kind": ["x", "y"] * 15}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=complaint):
        table_from_file(tmp_path / "t.csv", "kind", **{column: "c"})


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["7", "7.0", " 7", "7 ", "8", "word", " word"]),
        pd.Series([7, 7.0, "7", np.float32(7), 8, "word", "word "], dtype=object),
        pd.Series([7, 7, 7, 7, 8, 9, 9], dtype="category"),
        pd.Series(["90071992547409930"] * 4 + ["90071992547409931", "90071992547409932", "90071992547409932.0"]),
    ],
)
def test_a_group_is_one_however_it_is_spelled(column):
    assert encode_groups(column).tolist() == [0, 0, 0, 0, 1, 2, 2]


def test_a_whole_study_with_both(file, tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    choice = TableChoice(path=str(file), target="kind", groups="patient", weights="w")
    plan = Study(tables=(choice,), models=("logistic",), folds="1x3", quick=True).plan(tmp_path)
    assert isinstance(plan, Plan)
    found = run(plan, tmp_path / "out", jobs=1, command="c")
    assert (found.cells["status"] == "ok").all()
    for cell in (tmp_path / "out" / "cells" / "accuracy").iterdir():
        record = read_json(cell)
        record["metrics"] = {}
        cell.write_bytes(to_json(record))
    assert load_results(tmp_path / "out").cells.equals(found.cells), "weights are kept with the predictions"


def test_from_python(tmp_path):
    features = pd.DataFrame(IRIS.X, columns=list("abcd"))
    beside = {"groups": GROUPS, "sample_weight": WEIGHTS, "price_per_hour": 3600.0, "currency": "EUR"}
    found = compare(["logistic"], features, IRIS.y, folds="1x2", quick=True, n_jobs=1, **beside)
    assert (found.results["status"] == "ok").all()
    assert found.results["fit_wall_s"].notna().any()
    assert "X, y, groups=groups, sample_weight=sample_weight, name='table'" in found.found.environment.command
    timed = found.results[found.results["fit_wall_s"].notna()]
    assert timed["fit_money"].equals(timed["fit_wall_s"].rename("fit_money"))
    assert "price_per_hour=3600.0, currency='EUR'" in found.found.environment.command
    pytest.importorskip("skops.io")
    stored = load_model(found.save_model(tmp_path / "mine.skops"))
    assert (stored.predict(features) == found.plan.tables[0].y.astype(str)).mean() > 0.9
    assert "mine.skops" in (tmp_path / "mine.skops.md").read_text()
    with pytest.raises(UserError, match="there is no folder"):
        found.save_model(tmp_path / "nowhere" / "mine.skops")
    with pytest.raises(UserError, match="unknown model 'moe'"):
        found.save_model(tmp_path / "mine.skops", "moe")
    with pytest.raises(UserError, match="tune is a whole number of trials, or a Tuning; received True"):
        compare(["logistic"], features, IRIS.y, tune=True)
    with pytest.raises(UserError, match="unknown check 'quick-schem'"):
        compare(["logistic"], features, IRIS.y, silence="quick-schem")
    with pytest.raises(UserError, match="X has 150 rows, groups has 3"):
        compare(["logistic"], features, IRIS.y, groups=[1, 2, 3])


def test_groups_stay_together_in_the_last_step_of_a_pipeline_and_where_there_are_two_of_them():
    two = np.arange(12) % 2
    y = np.arange(12) // 6
    pipeline = make_pipeline(StandardScaler(), StackingClassifier([("m", oddities.Prior())]))
    folds = with_grouped_folds(pipeline, y, two).steps[-1][1].cv
    assert [set(two[test]) & set(two[train]) for train, test in folds] == [set(), set()]
    alone = oddities.weighted_over(oddities.Prior())
    assert with_grouped_folds(alone, y, np.zeros(12, dtype=int)).cv == 3, "one group cannot be held out"
    assert isinstance(with_grouped_folds(alone, y.astype(float), two).cv, list), "amounts too"


@pytest.mark.parametrize(
    ("name", "divides"),
    [("moe", False), ("moe-trees", True), ("moe-boosted", True), ("weighted", False), ("random-forest", False), ("stacking", False)],
)
def test_which_models_divide_groups_is_known_and_said(name, divides):
    plan = Plan("p", (dataclasses.replace(IRIS, groups=GROUPS),), find_models([name]), "accuracy", 0.01, Scheme(1, 3), 0, quick=True)
    said = [note for note in plan.facts(plan.tables[0]).notes if "without regard to groups" in note]
    assert divides_groups(REGISTRY[name].factory(0)) == divides == bool(said)
    assert not dataclasses.replace(plan, tables=(IRIS,)).facts(IRIS).notes


def test_variants_of_a_model_divide_groups_where_it_does_and_where_they_are_pruned():
    said = {}
    for model in with_compressed(find_models(["moe", "moe-boosted"]), compress=True, tuned=False):
        said[model.name] = divides_groups(model.factory(0))
    assert {name for name, divides in said.items() if not divides} == {"moe", "moe-distilled", "moe-int8"}


@pytest.mark.parametrize(
    ("settings", "divides"),
    [
        ({"n_experts": "auto"}, False),
        ({"n_experts": "auto", "selection": "cv"}, True),
        ({"selection": "cv"}, False),
        ({"routing": "auto"}, True),
        ({"combination": "auto"}, True),
    ],
)
def test_a_mixture_that_chooses_by_held_out_rows_divides_groups(settings, divides):
    assert divides_groups(MixtureOfExpertsClassifier(**settings)) is divides
    assert divides_groups(make_pipeline(StandardScaler(), MixtureOfExpertsClassifier(**settings))) is divides


def test_a_booster_that_stops_early_divides_groups():
    assert divides_groups(HistGradientBoostingClassifier())
    assert not divides_groups(HistGradientBoostingClassifier(early_stopping=False))
    assert divides_groups(BaggingClassifier(StackingClassifier([("m", oddities.Prior())])))


def test_repeats_that_could_only_be_the_same_are_run_once(tmp_path):
    five = dataclasses.replace(IRIS, groups=np.arange(150) % 5)
    plan = Plan("p", (five,), find_models(["logistic"]), "accuracy", 0.01, Scheme(4, 5), 0, quick=True)
    assert plan.folds(five) == [(0, fold) for fold in range(5)]
    assert len(plan_cells(plan, tmp_path)) == 5
    assert "Only 1 of 4 repeats were run" in " ".join(plan.facts(five).notes)
    many = dataclasses.replace(five, groups=GROUPS)
    assert len(dataclasses.replace(plan, tables=(many,)).folds(many)) == 20


def test_a_repeat_that_was_left_out_does_not_thin_the_confusion(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    three = dataclasses.replace(IRIS, groups=np.arange(150) % 3)
    plan = Plan("p", (three,), find_models(["logistic"]), "accuracy", 0.01, Scheme(4, 3), 0, quick=True)
    (answers,) = run(plan, tmp_path, jobs=1, command="c").answers
    assert np.sum(answers.confusion, axis=1) == pytest.approx([50, 50, 50])


def test_groups_reach_the_timed_process(tmp_path):
    grouped = dataclasses.replace(IRIS, X=GROUPS[:, None].astype(float), columns=IRIS.columns[:1], groups=GROUPS)
    model = model_from_estimator("w", oddities.weighted_over(oddities.NeverAskedOfTheSame()))
    with TimedProcesses(threads=1, quick=True) as processes:
        record = processes.measure(model, Fold(grouped, 0, 0, GROUPS < 6, 0))
    assert record["reason"] == ""
    assert record["costs"]["fit_wall_s"] > 0


def test_a_dry_run_takes_groups_of_single_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.studies.dry_run.PROBE_ROWS", 30)
    tiny = dataclasses.replace(IRIS, groups=np.maximum(np.arange(150) - 145, 0))
    plan = Plan("p", (tiny,), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 5), 0, quick=True)
    assert dry_run(plan, tmp_path, jobs=1).n_cells == 5
