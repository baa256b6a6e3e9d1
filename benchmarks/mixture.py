"""What the mixture reaches, and in what time: python benchmarks/mixture.py [references] [growth] [regimes].

Without arguments everything is run. Likelihoods are absolute; times are CPU seconds of one thread, given as ratios to the CPU seconds that
the reference implementation took for the same problem on another machine, and so of one digit only.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor

#: R flexmix 2.3, tolerance 1e-9, six restarts: best log-likelihood, CPU seconds of all restarts together.
FLEXMIX = {"gated_logistic_a": (-800.9482, 49.30), "gated_gaussian_a": (-1035.3799, 2.89)}
PROBLEMS = {"gated_logistic_a": (0, "logistic"), "gated_gaussian_a": (1, "gaussian")}


def gated_mixture(seed: int, response: str) -> tuple[np.ndarray, np.ndarray]:
    """2,000 rows, 4 columns N(0, 1), 3 experts; gate weights N(0, 2^2), expert weights N(0, 3^2)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 4))
    gate = rng.normal(size=(4, 3)) * 2.0
    weights = rng.normal(size=(3, 5, 1)) * 3.0
    which = (X @ gate + rng.gumbel(size=(2000, 3))).argmax(axis=1)
    eta = np.einsum("np,npc->nc", np.hstack([X, np.ones((2000, 1))]), weights[which])[:, 0]
    if response == "gaussian":
        return X, eta + 0.3 * rng.normal(size=2000)
    return X, (rng.random(2000) < 1.0 / (1.0 + np.exp(-eta))).astype(int)


def references() -> None:
    """Log-likelihoods at vanishing penalty, ten seeds, and CPU seconds of a whole fit."""
    for name, (seed, response) in PROBLEMS.items():
        X, y = gated_mixture(seed, response)
        best, seconds = FLEXMIX[name]
        kind = MixtureOfExpertsRegressor if response == "gaussian" else MixtureOfExpertsClassifier
        found, took = [], []
        for state in range(10):
            start = time.process_time()
            model = kind(3, alpha=1e-8, random_state=state).fit(X, y)
            took.append(time.process_time() - start)
            found.append(model.log_likelihood(X, y))
        reached = sum(value >= best - 1e-2 for value in found)
        print(f"{name}: reference {best:.4f} reached or bettered by {reached} of 10 seeds (best {max(found):.4f}, worst {min(found):.4f});")
        print(f"  CPU {np.median(took):.2f} s a fit, {seconds / np.median(took):.0f} times less than flexmix's {seconds:.1f} s")


def growth() -> None:
    """CPU seconds and peak memory against rows: binary, 20 columns, 8 experts. Each size in a process of its own."""
    sizes, seconds = [10_000, 100_000, 1_000_000], []
    for n_rows in sizes:
        out = subprocess.run([sys.executable, __file__, "fit", str(n_rows)], capture_output=True, text=True, check=True).stdout
        cpu, wall, peak, steps = map(float, out.split())
        seconds.append(cpu)
        x_bytes = n_rows * 20 * 8
        small = n_rows * (8 + 2) * 8
        print(f"{n_rows:>9,} rows: CPU {cpu:7.1f} s, wall {wall:6.1f} s, {steps:.0f} steps, peak {peak / x_bytes:.1f} times X")
        print(f"          allowed: 4 times X plus (n, K) and (n, C) arrays, {4 + small / x_bytes:.1f} times X")
    slopes = np.diff(np.log(seconds)) / np.diff(np.log(sizes))
    print(f"log-log slopes: {slopes.round(2)}")


def fit_once(n_rows: int) -> None:
    """Fit one table and print CPU seconds, wall seconds, peak bytes above the loaded table, steps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 20))
    gate, weights = 2 * rng.normal(size=(20, 8)), rng.normal(size=(20, 8))
    which = (X @ gate).argmax(axis=1)
    y = rng.random(n_rows) < 1 / (1 + np.exp(-np.einsum("np,pn->n", X, weights[:, which])))
    MixtureOfExpertsClassifier(8, n_init=2, random_state=0).fit(X[:500], y[:500])  # imports and first calls
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, wall = time.process_time(), time.perf_counter()
    model = MixtureOfExpertsClassifier(8, random_state=0).fit(X, y)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(time.process_time() - cpu, time.perf_counter() - wall, peak, model.n_iter_)


STEPS: dict[str, Callable[[], None]] = {"references": references, "growth": growth}

if __name__ == "__main__":
    if sys.argv[1:2] == ["fit"]:
        fit_once(int(sys.argv[2]))
    else:
        for step in sys.argv[1:] or STEPS:
            print(f"== {step}")
            STEPS[step]()
