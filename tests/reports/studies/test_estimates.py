"""Energy and prices: only where they are asked for, said to be estimates, and found without a word to anybody."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import ESTIMATES
from ensemblekit_reports.render import to_html
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.running import energy
from ensemblekit_reports.running import run as running
from ensemblekit_reports.running.cost import TimedProcesses
from ensemblekit_reports.studies.estimates import Estimates
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.tables.table import bundled_table


def plan_with(**estimates):
    wanted = Estimates(**estimates)
    return Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 2), 0, quick=True, estimates=wanted)


@pytest.fixture
def made_up_costs(monkeypatch):
    """In the place of timed processes: every fit takes 36 s, 10,000 rows take 2 s."""
    costs = {"fit_wall_s": 36.0, "predict_rows_per_s_10000": 5000.0, "fit_energy_j": 40.0, "energy_note": ""}

    def measure(processes, model, fold):
        key = {"dataset": fold.table.name, "model": model.name, "repeat": fold.repeat, "fold": fold.number}
        return key | {"reason": "", "costs": costs | ({} if processes.energy else {"fit_energy_j": None})}

    monkeypatch.setattr(TimedProcesses, "measure", measure)
    return costs


def test_prices_are_time_times_rate_and_are_said_to_be_estimates(tmp_path, made_up_costs):
    results = running.run(plan_with(price_per_hour=2.0, currency="EUR"), tmp_path, jobs=1, command="c")
    timed = results.cells.dropna(subset="fit_wall_s")
    assert timed["fit_money"].tolist() == [pytest.approx(0.02)]
    assert timed["predict_money"].tolist() == [pytest.approx(2 * 2 / 3600)]
    page = to_html(build(results))
    assert "Price of a fit (estimate)" in page
    assert "Prices are estimates: wall-clock time at 2 EUR an hour" in page
    assert "Fit energy" not in page
    # another rate needs no other timing, and none at all leaves no trace
    without = running.run(plan_with(), tmp_path, jobs=1, command="c")
    assert not {quantity.name for quantity in ESTIMATES} & set(without.cells)
    assert "estimate)" not in to_html(build(without))


def test_energy_is_measured_anew_and_shown(tmp_path, made_up_costs):
    plain, wanted = plan_cells(plan_with(), tmp_path), plan_cells(plan_with(energy="FRA"), tmp_path)
    assert plain[0].cost != wanted[0].cost
    assert plain[0].accuracy == wanted[0].accuracy
    results = running.run(plan_with(energy="FRA"), tmp_path, jobs=1, command="c")
    assert results.cells["fit_energy_j"].dropna().tolist() == [40.0]
    page = to_html(build(results))
    assert "Fit energy (estimate)" in page
    assert "CO2e by the mean electricity of FRA" in page


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [({"energy": "fr"}, "three capital letters"), ({"price_per_hour": -1.0}, "not be negative"), ({"price_per_hour": float("nan")}, "nan")],
)
def test_what_makes_no_sense_is_refused_before_the_run(tmp_path, wrong, complaint):
    with pytest.raises(UserError, match=complaint):
        Study(tables=(TableChoice(name="iris"),), **wrong).plan(tmp_path)


def test_where_nothing_can_be_read_there_is_a_reason(monkeypatch):
    def broken(country):
        raise OSError("no sensor")

    monkeypatch.setattr(energy, "_tracker", broken)
    found = energy.estimate(lambda: None, lambda: None, "FRA")
    assert found["energy_note"] == "Energy was not estimated: no sensor."
    assert all(np.isnan(found[name]) for name in energy.NAMES)


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")
def test_codecarbon_estimates_in_silence(tmp_path, monkeypatch, capfd):
    pytest.importorskip("codecarbon")
    # a file of settings that would send everything away
    home = tmp_path / "home"
    home.mkdir()
    (home / ".codecarbon.config").write_text("[codecarbon]\nemissions_endpoint=http://127.0.0.1:9/\nsave_to_file=true\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(socket.socket, "connect", lambda *to: called.append(to))
    monkeypatch.setattr(energy, "SECONDS", 0.3)
    array = np.random.default_rng(0).normal(size=(300, 300))
    found = energy.estimate(lambda: np.linalg.svd(array), lambda: array @ array, "FRA")
    assert found["energy_note"] == ""
    assert found["fit_energy_j"] > found["predict_energy_j"] > 0
    assert found["fit_co2e_g"] > 0
    assert called == []
    assert [file.name for file in tmp_path.iterdir()] == ["home"]
    assert capfd.readouterr() == ("", "")
