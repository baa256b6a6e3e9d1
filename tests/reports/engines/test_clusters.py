"""Dask and Ray: the same cells as here, whatever happens to a worker."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from ensemblekit_reports.engines.cluster import TRIES, LostError, fit_elsewhere
from ensemblekit_reports.engines.engine import Engine
from ensemblekit_reports.engines.order import Order, fit_order
from ensemblekit_reports.environment import versions
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.results import KEY_COLUMNS
from ensemblekit_reports.running import run as running
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.keys import content_key
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.registry import find_models
from tests.reports.running import oddities
from tests.reports.running.test_running import IRIS, PLAN, TREE


def plan_with(*models, **changes):
    return dataclasses.replace(PLAN, models=(*find_models(["logistic"]), TREE, *models), **changes)


@pytest.fixture(autouse=True)
def without_costs(monkeypatch):
    monkeypatch.setattr(running, "time_missing", lambda *everything: None)


def assert_a_killed_worker_changes_nothing(folder, engine):
    plan = plan_with(model_from_estimator("kills", oddities.KillsItsWorkerOnce(str(folder / "done"))))
    there = run(plan, folder / "there", jobs=2, command="c", engine=Engine(engine))
    assert (folder / "done").exists(), "no worker was killed"
    here = run(plan, folder / "here", jobs=1, command="c")
    repeatable = [*KEY_COLUMNS, "status", "reason", "n_train", "n_test", *(metric.name for metric in metrics_of(here.task))]
    assert there.cells[repeatable].equals(here.cells[repeatable])
    assert set(there.cells["status"]) == {"ok"}
    names = [sorted(file.name for file in (folder / place / "cells").glob("*/*")) for place in ("there", "here")]
    assert names[0] == names[1]


@pytest.mark.slow
def test_dask_goes_on_when_a_worker_is_killed(tmp_path):
    pytest.importorskip("distributed")
    assert_a_killed_worker_changes_nothing(tmp_path, "dask")


@pytest.mark.extras
def test_ray_goes_on_when_a_worker_is_killed(tmp_path):
    pytest.importorskip("ray")
    assert_a_killed_worker_changes_nothing(tmp_path, "ray")


class InThisProcess:
    """A cluster whose only worker is this very process, and which loses what it is told to lose."""

    def __init__(self, losses=0):
        self.losses = losses
        self.placed, self.most_out, self.out = [], 0, {}

    def slots(self):
        return 1

    def place(self, table):
        self.placed.append(table.name)
        return table

    def submit(self, placed, order):
        self.out[len(self.placed), order.repeat, order.number] = placed, order
        self.most_out = max(self.most_out, len(self.out))
        return len(self.placed), order.repeat, order.number

    def wait(self, tickets):
        return next(iter(tickets))

    def answer(self, ticket):
        placed, order = self.out.pop(ticket)
        if self.losses:
            self.losses -= 1
            raise LostError("gone")
        return fit_order(placed, order)


def groups_of(plan, folder):
    Store(folder)
    cells = plan_cells(plan, folder)
    return [[cell for cell in cells if cell.fold == fold] for fold in range(plan.scheme.n_splits)]


def test_what_is_lost_is_given_out_again_with_its_table(tmp_path):
    cluster = InThisProcess(losses=TRIES - 1)
    groups = groups_of(PLAN, tmp_path)
    assert len(list(fit_elsewhere(cluster, PLAN, groups))) == 3
    assert len(cluster.placed) == TRIES
    assert cluster.most_out == 2
    assert all(read_json(cell.accuracy)["status"] == "ok" for group in groups for cell in group)


def test_what_is_lost_time_and_again_is_said(tmp_path):
    with pytest.raises(UserError, match=rf"fold \d of repeat 0 of iris was lost {TRIES} times with its worker \(gone\)"):
        list(fit_elsewhere(InThisProcess(losses=100), PLAN, groups_of(PLAN, tmp_path)))


def test_models_that_harm_their_process_are_rows_there_too(tmp_path):
    hostile = [model_from_estimator("hangs", oddities.Hangs()), model_from_estimator("dies", oddities.Dies())]
    plan = plan_with(*hostile, budget=Budget(seconds=3))
    (group, *_) = groups_of(plan, tmp_path)
    list(fit_elsewhere(InThisProcess(), plan, [group]))
    assert [read_json(cell.accuracy)["status"] for cell in group] == ["ok", "ok", "timeout", "out-of-memory"]


def test_a_worker_with_other_software_refuses():
    fold = PLAN.fold(IRIS, 0, 0)
    order = Order(0, 0, fold.seed, fold.tested, 1.0, [], Budget(), "another", versions() | {"numpy": "1.0"})
    with pytest.raises(UserError, match=r"the worker on .* has numpy \S+ instead of 1.0: results would be others"):
        fit_order(IRIS, order)
    with pytest.raises(UserError, match="has other code of ensemblekit"):
        fit_order(IRIS, order._replace(versions=versions()))
    assert fit_order(IRIS, order._replace(software=content_key())) == {}


@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_extra_is_named(monkeypatch, engine, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"'{package}', which is not installed. Install it: pip install 'ensemblekit\[{engine}\]'"):
        Engine(engine).connect(1)


def test_a_scheduler_for_no_engine_is_refused():
    with pytest.raises(UserError, match="belongs to an engine that has one: --engine dask or ray"):
        Engine("local", "tcp://somewhere:1").check()
