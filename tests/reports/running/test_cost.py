"""The cost pass: fresh processes, orders of magnitude that must be right, and processes that die."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.running import timing
from ensemblekit_reports.running.cost import TimedProcesses, clean_environment
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.notes import notes_of
from ensemblekit_reports.running.pace import Pace
from ensemblekit_reports.running.pairs import with_pace
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.registry import REGISTRY
from ensemblekit_reports.tables.table import bundled_table
from tests.reports.running import oddities

IRIS = bundled_table("iris")
FOLD = Fold(IRIS, 0, 0, np.arange(150) % 5 == 0, 0)


@pytest.fixture(scope="module")
def processes():
    with TimedProcesses(threads=1, quick=True) as running:
        yield running


def test_known_times_and_sizes_are_found(processes):
    costs = processes.measure(model_from_estimator("sleepy", oddities.Sleepy()), FOLD)["costs"]
    assert 0.3 < costs["fit_wall_s"] < 3
    assert costs["fit_cpu_s"] < costs["fit_wall_s"] - 0.25
    assert costs["contended"] is True
    assert 0.001 < costs["predict_single_p50_s"] < 0.1
    assert np.isnan(costs["compute_active"])
    assert costs["compute_note"].startswith("Packing is possible for")
    assert costs["predict_single_p50_s"] <= costs["predict_single_p90_s"]
    assert costs["predict_rows_per_s_100"] < 100_000 < costs["predict_rows_per_s_10000"]
    assert timing.QUICK_CALLS <= costs["predict_single_calls"] < timing.SINGLE_CALLS
    assert costs["predict_single_p99_s"] is None or math.isnan(costs["predict_single_p99_s"])
    if sys.platform == "linux" and not costs["memory_note"]:
        assert 39e6 < costs["fit_peak_bytes"] < 60e6


def test_every_job_has_a_process_of_its_own_with_a_clean_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    model = model_from_estimator("m", oddities.Surroundings())
    with TimedProcesses(threads=1, quick=True) as started_now:
        reasons = [started_now.measure(model, FOLD)["reason"] for _ in range(2)]
    found = [reason.removeprefix("RuntimeError: ").split() for reason in reasons]
    assert [part[:2] for part in found] == [["1", "False"]] * 2
    assert found[0][2] != found[1][2]


def test_a_registry_model_is_measured_whole(processes):
    record = processes.measure(REGISTRY["logistic"], FOLD)
    assert record["reason"] == ""
    assert "budget" not in record
    assert set(record["costs"]) == {cost.name for cost in COSTS} | {
        "contended",
        "memory_note",
        "compute_note",
        "predict_single_calls",
        "pace_fastest_s",
        "pace_fit_s",
        "pace_predict_s",
        "size_note",
    }
    assert 1e-5 < record["costs"]["pace_fastest_s"] <= record["costs"]["pace_fit_s"] < 1
    # four columns, three classes
    assert record["costs"]["compute_total"] == record["costs"]["compute_active"] == record["costs"]["multiply_adds_active"] == 12
    assert 0 < record["costs"]["size_compressed_bytes"] < record["costs"]["size_bytes"] < 1e5


def test_a_process_that_dies_is_a_reason_and_the_next_is_measured(processes):
    record = processes.measure(model_from_estimator("dies", oddities.Dies()), FOLD)
    assert record["reason"] == "the timed process died (SIGKILL, often a sign of too little memory)"
    assert math.isnan(record["costs"]["fit_wall_s"])
    assert processes.measure(REGISTRY["logistic"], FOLD)["reason"] == ""


def test_a_model_that_prints_does_not_disturb(processes, capfd):
    assert processes.measure(model_from_estimator("chatty", oddities.Chatty()), FOLD)["reason"] == ""
    assert capfd.readouterr() == ("", "")


def test_a_model_that_cannot_be_stored_has_times_and_no_size(processes):
    record = processes.measure(model_from_estimator("m", oddities.HoldsALock()), FOLD)
    assert record["reason"] == ""
    assert record["costs"]["fit_wall_s"] > 0
    assert np.isnan(np.array([record["costs"][name] for name in ("size_bytes", "size_compressed_bytes")], dtype=float)).all()
    assert "m: its size was not measured, because it cannot be stored: TypeError: cannot pickle '_thread.lock' object" in notes_of(
        [(None, record)], quick=True
    )


def test_enough_calls_for_a_99th_percentile_when_not_quick():
    fitted = DecisionTreeClassifier().fit(IRIS.X, IRIS.y)
    record = timing._single_rows(fitted.predict, IRIS.X, Pace(), quick=False)
    assert record["predict_single_calls"] >= 1000
    assert record["predict_single_p99_s"] >= record["predict_single_p90_s"] >= record["predict_single_p50_s"] > 0


def test_without_a_way_to_reset_the_mark_memory_is_not_a_number(monkeypatch):
    def refuse(*everything, **options):
        raise PermissionError

    monkeypatch.setattr(timing.Path, "write_text", refuse)
    assert math.isnan(timing._settle())


def test_a_server_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setattr(
        "ensemblekit_reports.running.cost.clean_environment",
        lambda threads: clean_environment(threads) | {"PYTHONPATH": "", "PYTHONHOME": "/nowhere"},
    )
    with TimedProcesses(threads=1, quick=True) as broken, pytest.raises(UserError, match="does not start"):
        broken.measure(REGISTRY["logistic"], FOLD)


def test_predictions_that_take_too_long_are_ended():
    with TimedProcesses(threads=1, quick=True, budget=Budget(seconds=1)) as impatient:
        record = impatient.measure(model_from_estimator("slow", oddities.HangsWhenAsked()), FOLD)
        assert record["reason"] == "it took longer than 1 s"
        assert record["budget"] == {"seconds": 1, "megabytes": 0}
        assert impatient.measure(REGISTRY["logistic"], FOLD)["reason"] == ""


def test_costs_of_a_slow_spell_are_called_contended():
    paces = [(1.0, 1.1, 1.1), (1.0, 1.7, 1.0), (1.6, 1.6, 1.7)]
    costs = [dict(zip(("pace_fastest_s", "pace_fit_s", "pace_predict_s"), pace, strict=True), contended=False) for pace in paces]
    costs.append({"contended": False})  # of a run before paces were looked at
    with_pace([*(({"status": "ok"}, {"costs": each}) for each in costs), ({"status": "ok"}, None)])
    assert [each["contended"] for each in costs] == [False, True, True, False]
