"""Runs that are killed, and disks that take no more: nothing torn, nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and limits as Linux has them")

COMMAND = [str(Path(sys.executable).with_name("ensemblekit")), "compare", "wine", "--models", "logistic,random-forest,lightgbm"]
COMMAND += ["--folds", "3x3", "--quick", "--jobs", "2"]
N_CELLS = 3 * 9
#: Columns of results.csv that do not depend on the clock.
REPEATABLE = ["dataset", "model", "repeat", "fold", "status", "accuracy", "balanced_accuracy", "log_loss", "recall_macro", "f1_macro"]


def start(folder, **options):
    return subprocess.Popen([*COMMAND, "--out", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def accuracy_results(folder):
    rows = csv.DictReader((folder / "results.csv").read_text().splitlines())
    return [[row[name] for name in REPEATABLE] for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    started = time.monotonic()
    process = start(folder)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return accuracy_results(folder), time.monotonic() - started


def test_killed_at_random_moments_and_resumed(whole, tmp_path):
    expected, seconds = whole
    rng = random.Random(0)  # noqa: S311 - moments, no secret
    kept, moments = 0, []
    for _ in range(2):
        process = start(tmp_path)
        moments.append(rng.uniform(0.2, 0.9) * seconds)
        time.sleep(moments[-1])
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cells = list((tmp_path / "cells" / "accuracy").glob("*.json"))
        assert all(json.loads(file.read_text())["status"] == "ok" for file in cells), "a torn cell"
        assert len(cells) >= kept, "a cell is lost"
        kept = len(cells)
    assert kept > 0, moments
    (tmp_path / ".scratch").mkdir(exist_ok=True)
    for folder in ("", "folds", "cells/cost", ".scratch"):
        (tmp_path / folder / "left.ensemblekit.partial").write_text("as if it had been killed while it wrote this")
    process = start(tmp_path)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert accuracy_results(tmp_path) == expected
    for kind in ("accuracy/*.json", "predictions/*.parquet"):
        assert len(list((tmp_path / "cells").glob(kind))) == N_CELLS
    assert not list(tmp_path.rglob("*.partial"))
    assert not (tmp_path / ".scratch").exists()


def test_nothing_runs_on_when_a_run_is_killed(tmp_path):
    process = start(tmp_path)
    deadline = time.monotonic() + 100
    while not list(tmp_path.glob("cells/accuracy/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    helpers = _descendants(process.pid)
    assert len(helpers) >= 2, "two processes wait for folds"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 20
    while _alive(helpers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(helpers)
    before = sorted(tmp_path.rglob("*"))
    time.sleep(0.5)
    assert sorted(tmp_path.rglob("*")) == before


def _descendants(pid):
    try:
        children = [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    except OSError:
        return []
    return children + [each for child in children for each in _descendants(child)]


def _alive(pids):
    """Those that run; one that has ended stays listed until somebody asks how."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state not in "ZX" else []
    return found


def test_a_disk_that_takes_no_more(tmp_path):
    # As on a full disk, writing ends in the middle of a file.
    # Python itself would leave torn bytecode behind, and trip over it later.
    quiet = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    process = start(tmp_path, env=quiet, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    _, said = process.communicate(timeout=100)
    assert process.returncode == 2, said
    assert said.splitlines()[-1].startswith("ensemblekit: ")
    assert f"{tmp_path}/folds/wine-" in said
    assert "File too large. Finished cells are kept." in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.rglob("*.partial"))
    again = start(tmp_path)
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert len(accuracy_results(tmp_path)) == N_CELLS


def test_a_folder_that_nobody_can_write_to(tmp_path):
    process = subprocess.run([*COMMAND, "--out", "/proc/nowhere"], capture_output=True, text=True, check=False, timeout=100, env=os.environ)
    assert process.returncode == 2
    assert process.stderr.startswith("ensemblekit: the output folder /proc/nowhere cannot be written to")
    assert len(process.stderr.splitlines()) == 1
