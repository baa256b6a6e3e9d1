"""A dry run counts what is missing, guesses its time from short fits, and says what fails in them."""

from __future__ import annotations

import dataclasses

import pytest

from ensemblekit_reports.running.run import run
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.dry_run import _part_of, _probe_share, dry_run
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.tables.table import bundled_table
from tests.reports.running import oddities
from tests.reports.running.test_running import PLAN

DIGITS = bundled_table("digits")


@pytest.fixture(autouse=True)
def without_costs(monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)


def test_what_is_finished_is_not_counted_again(tmp_path):
    assert dry_run(PLAN, tmp_path, jobs=1).n_finished == 0
    assert not list(tmp_path.iterdir())
    run(PLAN, tmp_path, jobs=1, command="c")
    next((tmp_path / "cells" / "accuracy").glob("iris-tree-r0-f1-*")).unlink()
    found = dry_run(PLAN, tmp_path, jobs=1)
    assert (found.n_cells, found.n_finished, found.n_timed) == (6, 5, 2)
    assert "6 cells, 5 of them finished" in found.text


def test_time_is_that_of_the_fits(tmp_path):
    # Three folds with 100 training rows each.
    sleepy = dataclasses.replace(PLAN, models=(model_from_estimator("sleepy", oddities.SleepsPerRow()),))
    found = dry_run(sleepy, tmp_path, jobs=1)
    costs = found.n_timed * 2.0
    expected = 3 * 100 * oddities.SleepsPerRow.SECONDS
    assert expected < found.seconds - found.n_timed * 1.0 - costs < 1.5 * expected


def test_what_fails_is_said(tmp_path):
    models = tuple(model_from_estimator(name, m) for name, m in (("bad", oddities.Raises()), ("hangs", oddities.Hangs())))
    found = dry_run(dataclasses.replace(PLAN, models=models, budget=Budget(seconds=1)), tmp_path, jobs=1)
    assert found.failing == ("bad failed on iris: RuntimeError: the first line", "hangs failed on iris: it took longer than 1 s")
    assert "when tried, bad failed on iris" in found.text


def test_a_part_of_a_table_has_every_class(monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.studies.dry_run.PROBE_ROWS", 600)
    part = _part_of(DIGITS, _probe_share(DIGITS))
    assert len(part.y) == 600
    assert set(part.y) == set(DIGITS.y)
    assert _part_of(PLAN.tables[0], 1.0) is PLAN.tables[0]
