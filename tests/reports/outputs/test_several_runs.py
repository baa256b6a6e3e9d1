"""Runs side by side: paired where folds agree, unpaired in words where not, and never the times of two machines."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from ensemblekit_reports.cli import main
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.render.several_runs import headline, runs_to_html, runs_to_markdown
from ensemblekit_reports.reporting.several_runs import lay_side_by_side
from ensemblekit_reports.running import run as running
from ensemblekit_reports.statistics.correlated_t import correlated_t
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.tables.table import bundled_table

TREE = model_from_estimator("tree", DecisionTreeClassifier(max_depth=2))
PLAN = Plan("p", (bundled_table("iris"),), (*find_models(["logistic"]), TREE), "accuracy", 0.01, Scheme(2, 3), 0, quick=True)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "time_missing", lambda *everything: None)
        running.run(PLAN, folder, jobs=1, command="c")
    return folder


@pytest.fixture
def second(first, tmp_path):
    """The same run in another folder, for a test to change."""
    return shutil.copytree(first, tmp_path / "second")


def change_run(folder, change):
    file = folder / "run.json"
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))


def change_scores(folder, model, gains):
    """Lower or raise the accuracy of a model, fold by fold."""
    files = sorted((folder / "cells" / "accuracy").glob(f"*-{model}-*.json"))
    for file, gain in zip(files, gains, strict=True):
        record = json.loads(file.read_text())
        record["metrics"]["accuracy"] += gain
        file.write_text(json.dumps(record))


def test_a_run_and_itself_do_not_differ(first, second):
    found = lay_side_by_side([first, second])
    (table,) = found.tables
    assert table.paired == (True,)
    assert {row.model.name for row in table.rows} == {"logistic", "tree"}
    # Without variance nothing can be estimated, and so nothing called equal.
    assert all(change.gain == 0 and change.call == "not distinguishable" for row in table.rows for change in row.changes)
    assert found.remarks == ()
    assert headline(found) == "No difference shown in 2 paired comparisons."


def test_one_folder_named_twice_is_refused(first):
    with pytest.raises(UserError, match="is the same folder as"):
        lay_side_by_side([first, first.parent / "." / ".." / first.parent.name / first.name])


def test_differences_are_paired_by_fold_and_adjusted(first, second):
    gains = [-0.10, -0.12, -0.11, -0.09, -0.10, -0.13]
    change_scores(second, "tree", gains)
    found = lay_side_by_side([first, second])
    change = next(row for row in found.tables[0].rows if row.model.name == "tree").changes[0]
    expected = correlated_t(gains, 0.5, 0.01)
    assert change.gain == pytest.approx(expected.mean)
    assert change.low == pytest.approx(expected.low, rel=1e-6)
    assert change.p_holm == pytest.approx(2 * expected.p, rel=1e-6)
    assert change.call == "worse"
    assert headline(found) == "0 better and 1 worse than in run A, of 2 paired comparisons."


def test_other_folds_are_not_paired(first, second):
    (file,) = (second / "folds").glob("*.npy")
    np.save(file, np.roll(np.load(file), 1, axis=1))
    found = lay_side_by_side([first, second])
    assert found.tables[0].paired == (False,)
    assert all(np.isnan(row.changes[0].p) and row.changes[0].call == "not tested" for row in found.tables[0].rows)
    assert "its differences are unpaired" in runs_to_markdown(found)
    assert headline(found) == "2 common scores, none of them on the same folds: nothing is tested."


def test_what_differs_is_said(first, second):
    def change(record):
        record["study"] |= {"metric": "f1_macro", "rope": 0.02}
        record["environment"]["versions"]["numpy"] = "1.0"
        record["models"][1]["definition"] = "DecisionTreeClassifier(max_depth=9)"

    change_run(second, change)
    found = lay_side_by_side([first, second])
    assert found.quantity.name == "accuracy"
    assert found.remarks[0] == "Run B declared the metric f1_macro; here it is judged by accuracy."
    assert "numpy " in found.remarks[1]
    assert {row.model.name: row.redefined for row in found.tables[0].rows} == {"logistic": False, "tree": True}
    assert "other parameters" in runs_to_html(found)


def test_another_rope_is_said(first, second):
    change_run(second, lambda record: record["study"].update(rope=0.02))
    assert lay_side_by_side([first, second]).remarks == ("Run B took differences up to 0.02 to be equal; here it is 0.01.",)


def test_times_of_two_machines_are_refused(first, second):
    assert "Costs are not laid" not in runs_to_html(lay_side_by_side([first, second]))
    change_run(second, lambda record: record["environment"].update(fingerprint="ffff"))
    found = lay_side_by_side([first, second])
    for text in (runs_to_html(found), runs_to_markdown(found)):
        assert "Costs are not laid side by side: the runs were timed on different machines" in text
        assert "Fit time" not in text


def test_tables_of_other_content_are_not_compared(first, second):
    change_run(second, lambda record: record["tables"][0].update(checksum="00"))
    found = lay_side_by_side([first, second])
    assert found.tables == ()
    assert headline(found) == "The runs have no table in common."
    assert len(found.remarks) == 2


def test_other_tasks_are_refused(first, second):
    change_run(second, lambda record: record["study"].update(metric="r2", task="regression"))
    with pytest.raises(UserError, match="no score in common"):
        lay_side_by_side([first, second])


def test_hostile_names_are_inert(first, second):
    change_run(second, lambda record: record["models"][0].update(label="<script>alert(1)</script> | [x](y)"))
    found = lay_side_by_side([second, first])
    assert "<script" not in runs_to_html(found)
    assert "[x](y)" not in runs_to_markdown(found)


def test_by_the_command(first, second, tmp_path, capsys):
    assert main(["report", str(first), str(second), "--out", str(tmp_path / "both")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "No difference shown in 2 paired comparisons."
    assert said[-1] == str(tmp_path / "both" / "side-by-side.html")
    page = (tmp_path / "both" / "side-by-side.html").read_text()
    assert page.startswith("<!doctype html>")
    assert (tmp_path / "both" / "side-by-side.md").read_text().startswith("# No difference shown")
