"""Every launch of an evaluation, repeated with one OS thread for each CUDA thread under ThreadSanitizer and AddressSanitizer."""

from __future__ import annotations

import os
import shutil
import subprocess

import numpy as np
import pytest

from ensemblekit_gpu.estep import expectation
from ensemblekit_gpu.evaluation import Evaluation
from ensemblekit_gpu.marginal import MarginalLikelihood
from ensemblekit_gpu.signatures import KERNELS
from gpu.hostsim.host import NO_COMPILER, HostLauncher, compile_with_gxx, replay_program
from tests.gpu.models import GATES, TREES, forest_model, linear_model, mixed_model
from tests.gpu.test_faults import FAULTS

pytestmark = [pytest.mark.kernels, pytest.mark.skipif(NO_COMPILER is not None, reason=str(NO_COMPILER))]
# ThreadSanitizer of this generation cannot start under some address layouts; without setarch it is left to luck.
FIXED_ADDRESSES = [path, "-R"] if (path := shutil.which("setarch")) else []
SANITIZERS = {"thread": "ThreadSanitizer", "address": "AddressSanitizer"}


@pytest.fixture(scope="module")
def launches():
    """One launch for each kernel, and both leaf forms of each forest, on few rows."""
    launcher = HostLauncher(record=True)
    gated = [mixed_model(2, gate=gate) for gate in GATES]
    for model, X in [*gated, *map(forest_model, TREES), linear_model(2)]:
        Evaluation(launcher, vars(model), threads=32).predict_proba(launcher.upload(X[:70]))
    rng = np.random.default_rng(0)
    expectation(launcher, *map(launcher.upload, (rng.normal(size=(70, 4)), rng.normal(size=(70, 4)), np.ones(70))), threads=64)
    columns, labels = rng.normal(size=(70, 3)), rng.integers(0, 2, (2, 70)).astype(float)
    for targets, floor in ((labels, None), (columns.T[:1], 0.1)):
        outputs = 3 + 4 * 2
        MarginalLikelihood(launcher, columns, targets, np.ones(70), n_experts=4, variance_floor=floor, threads=64)(np.ones((3, outputs)))
    chosen = {(launch.name, tuple(launch.defines.items())): launch for launch in launcher.launched}
    assert {name for name, _ in chosen} == set(KERNELS)
    return list(chosen.values())


def replay(launch, sanitizer, folder, edit=None):
    program = folder / "replay"
    compile_with_gxx(replay_program(launch, edit), program, "-DSIM_THREADS", f"-fsanitize={sanitizer}", "-g", "-pthread")
    paths = []
    for i, value in enumerate(v for v in launch.ordered if isinstance(v, np.ndarray)):
        paths.append(folder / f"{i}.bin")
        value.tofile(paths[-1])
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "halt_on_error=1"}
    command = [*FIXED_ADDRESSES, str(program), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_kernel_races_or_strays(sanitizer, launches, tmp_path):
    for launch in launches:
        done = replay(launch, sanitizer, tmp_path)
        assert done.returncode == 0, (launch.name, launch.defines, done.stderr[-3000:])


@pytest.mark.parametrize(
    ("sanitizer", "fault"),
    [
        ("thread", "no barrier after copying trees"),
        ("thread", "no barrier before copying trees"),
        ("thread", "no barrier after copying rows"),
        ("address", "shared memory too small"),
    ],
)
def test_planted_faults_are_reported(sanitizer, fault, launches, tmp_path):
    source, edit = FAULTS[fault]
    reports = [replay(launch, sanitizer, tmp_path, edit).stderr for launch in launches if KERNELS[launch.name].source == source]
    assert any(SANITIZERS[sanitizer] in report for report in reports), reports
