"""Runs: what is there is read, what is missing is run, and a change of anything makes it missing."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from ensemblekit_reports.cli import USER_ERROR, main
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import COSTS, metrics_of
from ensemblekit_reports.results import KEY_COLUMNS, Leak
from ensemblekit_reports.running import run as running
from ensemblekit_reports.running import timing
from ensemblekit_reports.running.cost import TimedProcesses
from ensemblekit_reports.running.fitters import Fitters
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import read_json, to_json
from ensemblekit_reports.studies import keys
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.tables.table import bundled_table
from tests.reports.running import oddities

IRIS = bundled_table("iris")
TREE = model_from_estimator("tree", DecisionTreeClassifier(max_depth=2))
PLAN = Plan("p", (IRIS,), (*find_models(["logistic"]), TREE), "accuracy", 0.01, Scheme(1, 3), 0, quick=True)


@pytest.fixture
def without_costs(monkeypatch):
    """Leave the cost pass out: its processes take seconds, and these tests are not about them."""
    monkeypatch.setattr(running, "time_missing", lambda *everything: None)


@pytest.fixture
def counted(monkeypatch):
    """The (model, fold) pairs that were really run."""
    ran = []
    fit = Fitters.fit

    def counting(fitters, fold, group):
        ran.extend((model.name, fold.number) for model, _ in group)
        fit(fitters, fold, group)

    monkeypatch.setattr(Fitters, "fit", counting)
    return ran


def scores_of(results):
    names = [metric.name for metric in metrics_of("classification")]
    return results.cells.set_index(list(KEY_COLUMNS))[names].sort_index()


def test_columns_are_those_of_the_contract(tmp_path, without_costs):
    cells = run(PLAN, tmp_path, jobs=1, command="c").cells
    expected = [*KEY_COLUMNS, "status", "reason", "n_train", "n_test"]
    expected += [quantity.name for quantity in metrics_of("classification") + COSTS] + ["predict_single_calls", "contended"]
    assert list(cells.columns) == expected
    assert len(cells) == 2 * 3
    assert (cells["n_train"] + cells["n_test"] == 150).all()


def test_the_folds_are_stored(tmp_path, without_costs):
    run(PLAN, tmp_path, jobs=1, command="c")
    (file,) = (tmp_path / "folds").glob("iris-*.npy")
    assert (np.load(file, allow_pickle=False) == PLAN.assignments["iris"]).all()


def test_a_second_run_reads_what_the_first_left(tmp_path, without_costs, counted):
    first = run(PLAN, tmp_path, jobs=1, command="c")
    assert len(counted) == 6
    second = run(PLAN, tmp_path, jobs=1, command="c")
    assert len(counted) == 6
    assert scores_of(first).equals(scores_of(second))
    assert second.environment.elapsed_s >= first.environment.elapsed_s
    assert second.environment.started_at == first.environment.started_at
    run(PLAN, tmp_path, jobs=1, command="c", fresh=True)
    assert len(counted) == 12


def test_only_missing_cells_are_run(tmp_path, without_costs, counted):
    first = run(PLAN, tmp_path, jobs=1, command="c")
    next((tmp_path / "cells" / "accuracy").glob("iris-tree-r0-f1-*")).unlink()
    with pytest.raises(UserError, match=r"not finished: 1 of 6 cells are missing. Go on with: the command"):
        _load_after_noting_command(tmp_path)
    counted.clear()
    assert scores_of(run(PLAN, tmp_path, jobs=1, command="c")).equals(scores_of(first))
    assert counted == [("tree", 1)]


def _load_after_noting_command(folder):
    file = folder / "run.json"
    file.write_text(file.read_text().replace('"command": "c"', '"command": "the command"'))
    load_results(folder)


def test_a_page_without_its_cells_is_said_to_be_one(tmp_path, without_costs, capsys):
    run(PLAN, tmp_path, jobs=1, command="ensemblekit compare --fresh iris")
    for file in (tmp_path / "cells").glob("*/*"):
        file.unlink()
    with pytest.raises(UserError, match="not finished: 6 of 6 cells are missing"):
        load_results(tmp_path)
    (tmp_path / "report.html").write_text("a page")
    older = tmp_path / "cells" / "accuracy" / "of-an-older-run.json"
    older.write_text("{}")
    with pytest.raises(UserError, match="not finished: 6 of 6 cells are missing"):
        load_results(tmp_path)
    older.unlink()
    assert main(["report", str(tmp_path)]) == USER_ERROR
    said = capsys.readouterr().err
    assert f"{tmp_path} holds a published report without the cells that it was made of: read {tmp_path}/report.html" in said
    assert said.endswith("which fits every model again: ensemblekit compare iris\n")
    assert (tmp_path / "report.html").read_text() == "a page"


def test_a_run_without_its_costs_says_so_and_how_to_get_them(tmp_path, without_costs):
    notes = run(PLAN, tmp_path, jobs=1, command="ensemblekit compare --fresh iris").notes
    assert notes[0] == "No costs were measured: the cost pass was stopped. Go on with: ensemblekit compare iris"
    assert not any("Costs were measured" in note for note in notes)
    (cell, _) = sorted(file for file in read_json(tmp_path / "run.json")["cells"] if file[1])
    (tmp_path / "cells" / "cost" / cell[1]).write_bytes(to_json({"repeat": 0, "fold": 0, "reason": "", "costs": {"contended": False}}))
    assert load_results(tmp_path).notes[0].startswith("1 of 2 timings are missing")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"tables": (dataclasses.replace(IRIS, X=IRIS.X + 1),)},
        {"models": (PLAN.models[0], model_from_estimator("tree", DecisionTreeClassifier(max_depth=3)))},
        {"models": (PLAN.models[0], dataclasses.replace(TREE, preprocessing="linear"))},
        {"scheme": Scheme(1, 4)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_runs_again_what_it_touches(tmp_path, without_costs, counted, change):
    run(PLAN, tmp_path, jobs=1, command="c")
    counted.clear()
    changed = dataclasses.replace(PLAN, **change)
    run(changed, tmp_path, jobs=1, command="c")
    touched = {"tree"} if "models" in change else {"tree", "logistic"}
    assert sorted(counted) == sorted((name, fold) for name in touched for fold in range(changed.scheme.n_splits))


def test_another_version_or_another_line_of_code_runs_again(tmp_path, without_costs, counted, monkeypatch):
    run(PLAN, tmp_path, jobs=1, command="c")
    for part in ("_versions", "_code"):
        counted.clear()
        monkeypatch.setattr(keys, part, lambda: "another")
        run(PLAN, tmp_path, jobs=1, command="c")
        assert len(counted) == 6


def test_processes_do_not_change_results(tmp_path, without_costs):
    one = run(PLAN, tmp_path / "one", jobs=1, command="c")
    two = run(PLAN, tmp_path / "two", jobs=2, command="c")
    assert scores_of(one).equals(scores_of(two))


def test_one_model_that_raises_leaves_the_others_alone(tmp_path, without_costs):
    plan = dataclasses.replace(PLAN, models=(model_from_estimator("bad", oddities.Raises()), TREE))
    cells = run(plan, tmp_path, jobs=2, command="c").cells
    bad, good = cells[cells["model"] == "bad"], cells[cells["model"] == "tree"]
    assert (bad["status"] == "failed").all()
    assert (bad["reason"] == "RuntimeError: the first line").all()
    assert bad["accuracy"].isna().all()
    assert (good["status"] == "ok").all()
    assert (good["accuracy"] > 0.85).all()


def test_what_libraries_say_is_in_the_notes(tmp_path, without_costs):
    plan = dataclasses.replace(PLAN, models=(model_from_estimator("chatty", oddities.Chatty()),))
    notes = run(plan, tmp_path, jobs=1, command="c").notes
    assert "Said by a library 3 times while fitting chatty: UserWarning: said by a warning" in notes


def test_another_metric_needs_no_other_fit(tmp_path, without_costs, counted):
    declared = run(PLAN, tmp_path, jobs=1, command="c")
    counted.clear()
    # As if this metric had come with a later version.
    for file in (tmp_path / "cells" / "accuracy").iterdir():
        record = read_json(file)
        del record["metrics"]["f1_macro"], record["metrics"]["log_loss"]
        file.write_bytes(to_json(record))
    found = load_results(tmp_path, metric="f1_macro", rope=0.05)
    assert (found.metric, found.rope) == ("f1_macro", 0.05)
    assert scores_of(found).equals(scores_of(declared))
    assert "declared before the run was Accuracy" in found.notes[-2]
    assert "equivalence declared before the run was 0.01" in found.notes[-1]
    assert not counted
    with pytest.raises(UserError, match="unknown metric 'f1': did you mean 'f1_macro'"):
        load_results(tmp_path, metric="f1")


def test_predictions_that_are_gone_are_said(tmp_path, without_costs):
    run(PLAN, tmp_path, jobs=1, command="c")
    (file, *_) = (tmp_path / "cells" / "accuracy").iterdir()
    record = read_json(file)
    del record["metrics"]["log_loss"]
    file.write_bytes(to_json(record))
    (tmp_path / "cells" / "predictions" / f"{file.stem}.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(UserError, match=r"the predictions .* cannot be read"):
        load_results(tmp_path)


def test_an_empty_folder_holds_no_run(tmp_path):
    with pytest.raises(UserError, match="holds no run"):
        load_results(tmp_path)


def test_interrupted_runs_leave_whole_cells_and_go_on(tmp_path, without_costs, monkeypatch):
    whole = run(PLAN, tmp_path / "whole", jobs=1, command="c")

    @contextmanager
    def interrupting(name, cells, work):
        def advance(cells, work, board=None):
            raise KeyboardInterrupt

        yield advance

    found = (Leak("iris", "petal length", 0.99),)
    monkeypatch.setattr(running, "find_leaks", lambda *everything: found)
    with pytest.raises(KeyboardInterrupt):
        run(PLAN, tmp_path / "cut", jobs=1, command="c", stage=interrupting)
    assert read_json(tmp_path / "cut" / "run.json")["leaks"] == [dataclasses.asdict(leak) for leak in found]
    kept = list((tmp_path / "cut" / "cells" / "accuracy").iterdir())
    assert 0 < len(kept) < 6
    assert scores_of(run(PLAN, tmp_path / "cut", jobs=1, command="c")).equals(scores_of(whole))


def test_what_took_longer_than_a_tightened_limit_is_run_again(tmp_path, counted):
    run(PLAN, tmp_path, jobs=1, command="c")
    (slow,) = (tmp_path / "cells" / "accuracy").glob("iris-tree-r0-f0-*.json")
    slow.write_bytes(to_json(read_json(slow) | {"seconds": 100.0}))
    counted.clear()
    run(dataclasses.replace(PLAN, budget=Budget(0)), tmp_path, jobs=1, command="c")
    assert counted == []
    late = read_json(slow) | {"status": "timeout", "reason": "it took longer than 50 s", "budget": dataclasses.asdict(Budget(50))}
    run(dataclasses.replace(PLAN, budget=Budget(50)), tmp_path, jobs=1, command="c")
    assert counted == [("tree", 0)]
    slow.write_bytes(to_json(late))
    cells = run(dataclasses.replace(PLAN, budget=Budget(50)), tmp_path, jobs=1, command="c").cells
    assert cells.loc[cells["status"] == "timeout", "fit_wall_s"].isna().all(), "costs are of models that finished in time"


def test_the_cost_pass_times_the_planned_folds_only(tmp_path):
    results = run(PLAN, tmp_path, jobs=1, command="c")
    timed = results.cells[results.cells["fit_wall_s"].notna()]
    assert sorted(zip(timed["model"], timed["repeat"], timed["fold"], strict=True)) == [("logistic", 0, 0), ("tree", 0, 0)]
    costs = timed[[cost.name for cost in COSTS]].drop(columns="predict_single_p99_s")
    assert np.isfinite(costs.to_numpy()).all()
    assert (timed["predict_single_calls"] >= timing.QUICK_CALLS).all()


def test_costs_that_a_budget_ended_are_measured_again_under_another(tmp_path, monkeypatch):
    asked = []

    def ended(processes, model, fold):
        asked.append(model.name)
        record = {"dataset": fold.table.name, "model": model.name, "repeat": fold.repeat, "fold": fold.number}
        given = {"budget": dataclasses.asdict(processes.budget)} if model.name == "tree" else {}
        return record | {"reason": "it took longer than 1 s" if given else "", "costs": {}} | given

    monkeypatch.setattr(TimedProcesses, "measure", ended)
    for seconds, expected in [(1, ["logistic", "tree"]), (1, []), (2, ["tree"]), (2, [])]:
        asked.clear()
        run(dataclasses.replace(PLAN, budget=Budget(seconds)), tmp_path, jobs=1, command="c")
        assert asked == expected
