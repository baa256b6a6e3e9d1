"""Learning curves: nested parts of the training rows, in cells of their own, beside a study that stays as it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.render import to_html, to_markdown
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.notes import failed_points
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import Store, cell_file, read_json
from ensemblekit_reports.studies.learning_rows import check_shares, kept_rows
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import curve_cells, plan_cells
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.tables.table import bundled_table

SHARES = (0.1, 0.25, 0.5, 1.0)
PLAN = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 3), 0, True)


@pytest.mark.parametrize("seed", [0, 1])
def test_smaller_parts_lie_within_larger_ones_and_keep_the_classes(seed: int) -> None:
    y = np.repeat([0, 1, 2], [300, 100, 7])
    train = np.flatnonzero(np.arange(407) % 5)
    parts = [kept_rows(train, y, None, share, seed, classes=True) for share in SHARES]
    for small, large in pairwise(parts):
        assert set(small) < set(large)
    assert np.array_equal(parts[-1], train)
    for part, share in zip(parts, SHARES, strict=True):
        assert np.all(np.bincount(y[part]) == np.maximum(1, np.round(share * np.bincount(y[train]))))
        assert np.all(np.diff(part) > 0)


def test_groups_stay_whole() -> None:
    groups = np.arange(100) // 4
    train = np.flatnonzero(groups % 5)
    few, more = (kept_rows(train, np.zeros(100), groups, share, 0, classes=True) for share in (0.25, 0.5))
    assert set(few) < set(more)
    assert len(few) == 4 * len(set(groups[few])) == 20


def test_amounts_need_no_classes() -> None:
    assert len(kept_rows(np.arange(40), np.linspace(0, 1, 50), None, 0.25, 0, classes=False)) == 10


def test_a_part_of_the_rows_is_all_that_a_model_sees(tmp_path: Path) -> None:
    Store(tmp_path)
    tested = np.arange(150) % 5 == 0
    part, whole = Fold(PLAN.tables[0], 0, 0, tested, 3, 0.25), Fold(PLAN.tables[0], 0, 0, tested, 3)
    # what is left out of the part may hold anything
    spoiled = PLAN.tables[0].X.copy()
    spoiled[np.setdiff1d(whole.train, part.train)] = 1e6
    records = []
    for number, fold in enumerate((part, replace(part, table=replace(PLAN.tables[0], X=spoiled)))):
        cell = cell_file(tmp_path, "accuracy", f"c{number}", "0")
        run_fold(fold, [(PLAN.models[0], cell)])
        records.append(read_json(cell))
    assert records[0]["status"] == "ok"
    assert records[0]["n_train"] == 30
    assert records[0]["n_test"] == 30
    assert records[0]["metrics"] == records[1]["metrics"]


def test_a_curve_adds_cells_and_changes_none() -> None:
    with_curve = replace(PLAN, shares=SHARES)
    assert plan_cells(with_curve, Path()) == plan_cells(PLAN, Path()) != []
    assert not curve_cells(PLAN, Path())
    extra = curve_cells(with_curve, Path())
    assert sorted({cell.share for cell in extra}) == [0.1, 0.25, 0.5]
    assert len({cell.accuracy for cell in extra}) == len(extra) == 9
    assert not {cell.accuracy for cell in extra} & {cell.accuracy for cell in plan_cells(PLAN, Path())}


def test_the_report_shows_what_was_run(tmp_path: Path) -> None:
    results = run(replace(PLAN, shares=(0.25, 1.0)), tmp_path, jobs=1, command="")
    assert results.curve is not None
    assert len(results.cells) == 3
    assert results.curve.groupby("share").size().to_dict() == {0.25: 3, 1.0: 3}
    assert set(results.curve.loc[results.curve["share"] < 1, "n_train"]) <= {24, 25, 26}
    whole = results.curve[results.curve["share"] == 1].reset_index(drop=True)
    assert whole["accuracy"].equals(results.cells["accuracy"])
    report = build(results)
    assert [point.n_train for point in report.learning[0].points] == [24, 100]
    page, text = to_html(report), to_markdown(report)
    assert "Would more rows help?" in page
    assert "learning-1-title" in page
    assert "Would more rows help?" in text


def test_points_that_failed_are_said() -> None:
    failed = {"dataset": "iris", "model": "moe", "status": "failed", "reason": "ValueError: too few"}
    points = [(failed, 0.1), (failed | {"reason": "another"}, 0.1), (failed | {"status": "ok"}, 0.1), (failed | {"status": "ok"}, 0.5)]
    assert failed_points(points) == ("iris, moe: on 0.1 of the training rows 2 of 3 folds failed: ValueError: too few",)


def test_shares_are_shares() -> None:
    assert check_shares((0.5, 0.1, 0.5)) == (0.1, 0.5, 1.0)
    for wrong in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(UserError, match="above 0 and up to 1"):
            check_shares([wrong])
