"""What processes tell of each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ensemblekit_reports.running import fitters, serving
from ensemblekit_reports.running.fitters import Fitters
from ensemblekit_reports.running.process_memory import memory_of
from ensemblekit_reports.running.processes import ReadyProcess
from ensemblekit_reports.studies.budget import Budget
from tests.reports.running.test_running import IRIS, PLAN, TREE

#: A hundred megabytes, shared with two forks, and a hundred of a child that a thread started.
FAMILY = """
import os, subprocess, sys, threading, time
held = b"x" * 100_000_000
for _ in range(2):
    if os.fork() == 0:
        time.sleep(100)
code = "held = b'x' * 100_000_000; print('ready', flush=True); import time; time.sleep(100)"
def start():
    subprocess.Popen([sys.executable, "-c", code]).wait()
threading.Thread(target=start).start()
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only here does the system tell who shares what")
def test_shared_memory_counts_once_and_children_of_threads_count():
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout.readline() == b"ready\n"
        assert 200e6 < memory_of(process.pid) < 300e6
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


def test_the_environment_that_travels_is_what_changed():
    process = ReadyProcess("nothing", {"SAME": "1", "OTHER": "1", "GONE": "1"})
    assert process.changed_since({"SAME": "1", "OTHER": "2", "NEW": "3"}) == {"OTHER": "2", "NEW": "3", "GONE": None}
    process.stop()


def test_any_name_of_a_folder_will_do_and_no_variable_is_written_there(tmp_path, monkeypatch):
    for idle in fitters._kept.values():
        while idle:  # an idle process of an earlier test does not know the variable yet, and would be told
            idle.pop().stop()
    monkeypatch.setenv("A_SECRET", "not for any file")
    folder = tmp_path / "two\nlines \udcff"
    folder.mkdir()
    jobs, run = [], ReadyProcess.run

    def reading(process, job, judge, *, weigh):
        jobs.append(job.read_bytes())
        return run(process, job, judge, weigh=weigh)

    monkeypatch.setattr(ReadyProcess, "run", reading)
    with Fitters(1, Budget(), folder) as fitting:
        fitting.share([IRIS])
        (folder / "accuracy").mkdir()
        (folder / "predictions").mkdir()
        fitting.fit(PLAN.fold(IRIS, 0, 0), [(TREE, folder / "accuracy" / "cell.json")])
    assert (folder / "accuracy" / "cell.json").exists()
    assert len(jobs) == 1
    assert b"not for any file" not in jobs[0]


def test_a_process_that_ends_while_it_is_weighed_weighs_nothing(monkeypatch):
    def gone(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "glob", gone)
    monkeypatch.setattr(Path, "read_text", gone)
    assert memory_of(os.getpid()) == 0


def test_an_error_that_cannot_be_said_is_named():
    class SilentError(Exception):
        def __str__(self):
            raise RuntimeError

    assert serving._say(SilentError()) == "SilentError"
    assert serving._say(FileNotFoundError(2, "No such file", "a.csv")) == "a.csv: No such file"
