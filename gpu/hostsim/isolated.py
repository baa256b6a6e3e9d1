"""Runs a model through edited kernels in a process of its own: a planted fault may write anywhere."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ensemblekit_gpu.evaluation import Evaluation
from gpu.hostsim.host import HostLauncher, KernelFaultError

ROOT = Path(__file__).parents[2]


class Outcome(NamedTuple):
    """What became of it.

    Parameters
    ----------
    answers : list of ndarray
        One for each order; empty after a crash or a named fault.
    fault : str
        What the simulation said, or "crashed"; empty when it ran through.
    """

    answers: list[np.ndarray]
    fault: str


def run_isolated(fields: Mapping[str, Any], rows: np.ndarray, orders: Sequence[int], edits: Mapping[str, tuple[str, str]]) -> Outcome:
    """Evaluate rows in a child process, once for each order of threads."""
    task = pickle.dumps((dict(fields), rows, list(orders), dict(edits)))
    done = subprocess.run([sys.executable, "-m", "gpu.hostsim.isolated"], input=task, capture_output=True, cwd=ROOT, check=False)
    if done.returncode < 0:
        return Outcome([], "crashed")
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-4000:])
    return Outcome(*pickle.loads(done.stdout))  # noqa: S301  # our own child wrote it


def _work() -> None:
    fields, rows, orders, edits = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own parent wrote it
    try:
        answers = [Evaluation(HostLauncher(order, edits), fields, threads=64).predict_proba(rows) for order in orders]
        outcome = Outcome(answers, "")
    except KernelFaultError as error:
        outcome = Outcome([], str(error))
    sys.stdout.buffer.write(pickle.dumps(tuple(outcome)))


if __name__ == "__main__":
    _work()
