"""Models that harm their process, one habit each: a row with its reason, and the rest finish."""

from __future__ import annotations

import dataclasses
import html
import sys
import time

import numpy as np
import pandas as pd
import pytest

from ensemblekit_reports import render
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.reporting import report
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.peak_memory import reset_peak
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.scheme import Scheme
from tests.reports.running import oddities
from tests.reports.running.test_running import PLAN, TREE

HABITS = {
    "raises": (oddities.Raises(), "failed", "RuntimeError: the first line"),
    "panics": (oddities.Panics(), "failed", "Panic: something broke below"),
    "surrogate": (oddities.SaysWhatNoFileTakes(), "failed", "a name with a lone surrogate"),
    "returns-nan": (oddities.ReturnsNaN(), "failed", "values that are NaN or infinite"),
    "wrong-shape": (oddities.WrongShape(), "failed", "predict_proba returned shape"),
    "hangs": (oddities.Hangs(), "timeout", "it took longer than 8 s"),
    "hangs-in-c": (oddities.HangsHoldingOn(), "timeout", "it took longer than 8 s"),
    "eats": (oddities.Eats(), "out-of-memory", "it needed more than 400 MB of memory"),
    "dies": (oddities.Dies(), "out-of-memory", "it ended its process (SIGKILL, often a sign of too little memory)"),
    "crashes": (oddities.Crashes(), "failed", "it ended its process (SIGSEGV)"),
    "leaves": (oddities.Leaves(), "failed", "it ended its process (exit status 3)"),
    "chatty": (oddities.Chatty(), "ok", ""),
    "forks": (oddities.Forks(), "ok", ""),
    "leaves-children": (oddities.LeavesChildren(), "ok", ""),
}

#: What a model sees that is fitted after one that leaves nothing as it was: surroundings as they should be.
UNTOUCHED = "(np.True_, 'warn', 'default', True) 1 False 1"
HABITS |= {"a-vandal": (oddities.Vandal(), "ok", ""), "b-after": (oddities.Sees(), "failed", UNTOUCHED)}

FOLDS = 2


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All of them between two models that behave, in one run, in its budget: time enough on a busy machine for all that do not hang."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile = [model_from_estimator(name, estimator) for name, (estimator, *_) in HABITS.items()]
    models = (TREE, *hostile, model_from_estimator("last", oddities.Prior()))
    budget = Budget(seconds=8, megabytes=400 if sys.platform == "linux" else 0)
    plan = dataclasses.replace(PLAN, models=models, scheme=Scheme(1, FOLDS), budget=budget)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    results = run(plan, folder, jobs=2, command="c")
    monkeypatch.undo()
    return plan, folder, results


@pytest.mark.parametrize("name", HABITS)
def test_each_is_a_row_with_its_reason(found, name):
    _, _, results = found
    cells = results.cells[results.cells["model"] == name]
    _, status, reason = HABITS[name]
    assert len(cells) == FOLDS
    assert set(cells["status"]) == {status}
    assert all(reason in said for said in cells["reason"])
    assert cells["accuracy"].notna().all() == (status == "ok")


@pytest.mark.parametrize("name", ["tree", "last"])
def test_the_rest_finish(found, name):
    _, _, results = found
    assert set(results.cells.loc[results.cells["model"] == name, "status"]) == {"ok"}


def test_reasons_are_in_every_output(found, tmp_path):
    _, _, results = found
    render.write(report.build(results), tmp_path)
    for name in ("report.html", "report.md", "results.csv", "results.json"):
        content = html.unescape((tmp_path / name).read_text()).replace("\\", "")
        missing = [habit for habit, (_, status, reason) in HABITS.items() if status != "ok" and reason not in content]
        assert not missing, f"{name} lacks the reasons of {missing}"
    table = pd.read_parquet(tmp_path / "results.parquet").set_index("model")
    for name, (_, status, reason) in HABITS.items():
        assert set(table.loc[name, "status"]) == {status}
        assert all(reason in said for said in table.loc[name, "reason"])


def test_every_cell_is_there_once(found):
    plan, folder, results = found
    assert not results.cells.duplicated(["model", "repeat", "fold"]).any()
    assert len(list((folder / "cells" / "accuracy").iterdir())) == FOLDS * len(plan.models)


def test_a_copy_of_the_process_is_said(found):
    _, _, results = found
    assert any("forks: the model left a copy of this process" in note for note in results.notes)


def test_nothing_is_left_running(found):
    oddities.LeavesChildren.assert_gone()


def test_another_budget_runs_again_what_the_old_one_ended(found, tmp_path):
    plan, folder, _ = found
    before = {file.name: file.stat().st_mtime_ns for file in (folder / "cells" / "accuracy").iterdir()}
    plan = dataclasses.replace(plan, budget=dataclasses.replace(plan.budget, seconds=2))
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    again = run(plan, folder, jobs=2, command="c")
    monkeypatch.undo()
    changed = {file.name for file in (folder / "cells" / "accuracy").iterdir() if before[file.name] != file.stat().st_mtime_ns}
    ended = {name for name, (_, _, reason) in HABITS.items() if reason.startswith(("it took", "it needed", "it ended"))}
    assert changed == {name for name in before if any(name.startswith(f"iris-{habit}-r") for habit in ended)}
    assert set(again.cells.loc[again.cells["model"] == "hangs", "reason"]) == {"it took longer than 2 s"}


@pytest.mark.skipif(np.isnan(reset_peak()), reason="here nobody knows how much memory a process had")
def test_a_tighter_budget_runs_again_what_took_more(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    plan = dataclasses.replace(PLAN, models=(TREE, model_from_estimator("sleepy", oddities.Sleepy())), scheme=Scheme(1, 4))
    assert set(run(plan, tmp_path, jobs=1, command="c").cells["status"]) == {"ok"}
    trees = {file: file.stat().st_mtime_ns for file in (tmp_path / "cells" / "accuracy").glob("iris-tree-*")}
    # It holds 40 MB for a moment that the watch may miss, and sleeps for 0.3 s.
    for budget, status in [(Budget(seconds=0.25), "timeout"), (Budget(megabytes=30), "out-of-memory")]:
        cells = run(dataclasses.replace(plan, budget=budget), tmp_path, jobs=1, command="c").cells
        assert set(cells.loc[cells["model"] == "sleepy", "status"]) == {status}
        assert not cells.loc[cells["model"] == "sleepy", "accuracy"].notna().any()
    assert not list((tmp_path / "cells" / "predictions").glob("iris-sleepy-*"))
    assert len(trees) == 4
    assert trees == {file: file.stat().st_mtime_ns for file in trees}


def test_a_model_that_raises_late_keeps_its_own_reason(tmp_path):
    store, model = Store(tmp_path), model_from_estimator("late", oddities.RaisesLate())
    run_fold(PLAN.fold(PLAN.tables[0], 0, 0), [(model, tmp_path / "cells" / "accuracy" / "cell.json")], budget=Budget(seconds=0.01))
    assert store.load(tmp_path / "cells" / "accuracy" / "cell.json")["reason"] == "RuntimeError: late"


def test_a_slow_model_is_ended_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    plan = dataclasses.replace(PLAN, models=(model_from_estimator("hangs", oddities.Hangs()),), budget=Budget(seconds=0.5))
    started = time.monotonic()
    results = run(plan, tmp_path, jobs=3, command="c")
    # It would sleep for 1,000 s; a busy machine may look late, but not that late.
    assert time.monotonic() - started < 200
    (file, *_) = (tmp_path / "cells" / "accuracy").iterdir()
    assert 0.5 < read_json(file)["seconds"] < 60
    assert (results.cells["status"] == "timeout").all()


def test_cells_that_cannot_be_written_are_said_and_the_finished_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    plan = dataclasses.replace(PLAN, models=(TREE, model_from_estimator("fills", oddities.FillsTheDisk())))
    with pytest.raises(UserError, match=r"predictions/iris-fills-r0-f\d-\w+.parquet: File too large. Finished cells are kept."):
        run(plan, tmp_path, jobs=1, command="c")
    assert [file.name[:9] for file in (tmp_path / "cells" / "accuracy").iterdir()] == ["iris-tree"]
    assert not list(tmp_path.rglob("*.partial"))


def test_no_budget_is_negative():
    with pytest.raises(UserError, match="must not be negative, and are none at 0; got -1 s"):
        Budget(seconds=-1).check()


def test_memory_cannot_be_limited_where_it_cannot_be_seen(monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.studies.budget.Path.exists", lambda path: False)
    with pytest.raises(UserError, match="needs Linux"):
        Budget(megabytes=1).check()
