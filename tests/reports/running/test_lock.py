"""A folder has one run at a time, and a run that was killed locks nobody out."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import textwrap

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.lock import LOCK, only_run_in
from ensemblekit_reports.running.run import run
from ensemblekit_reports.studies.own_model import model_from_estimator
from tests.reports.running import oddities
from tests.reports.running.test_running import PLAN

HOLD = """
    import sys, time
    from pathlib import Path
    from ensemblekit_reports.running.lock import only_run_in
    with only_run_in(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(100)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_says_who_is_there_and_touches_nothing(tmp_path, holder):
    with pytest.raises(UserError, match=rf"another run \(process {holder.pid}, since \d{{4}}-.*choose another folder with --out"):
        run(PLAN, tmp_path, jobs=1, command="c", fresh=True)
    assert [file.name for file in tmp_path.iterdir()] == [LOCK]


def test_a_killed_run_locks_nobody_out(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with only_run_in(tmp_path):
        assert (tmp_path / LOCK).read_text().startswith("process ")


def test_the_folder_is_free_after_a_run_and_after_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("ensemblekit_reports.running.run.time_missing", lambda *everything: None)
    plan = dataclasses.replace(PLAN, models=(model_from_estimator("bad", oddities.Raises()),))
    for _ in range(2):
        run(plan, tmp_path, jobs=1, command="c")
    monkeypatch.setattr("ensemblekit_reports.running.run.plan_cells", lambda *everything: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(plan, tmp_path, jobs=1, command="c")
    with only_run_in(tmp_path):
        pass
