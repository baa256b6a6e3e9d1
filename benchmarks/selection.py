"""How many experts does ``n_experts="auto"`` find, and what does it cost: python benchmarks/selection.py [number] [none] [cost] [streams].

Generated tables on which the truth is known. The judged seeds are 0 to 49; development used 1000 and above. Results are kept, one line a
table, in the file that ``--results`` names, and a later call goes on where the last one ended; ``--portion N`` ends it after N tables.

- *number*: 2 to 6 regimes, 5,000 rows, 6 columns N(0, 1), binary answers. The first two columns say which regime a row is in, by a softmax
  gate whose directions divide the circle evenly, with coefficients of length 8: rows near a border fall on either side. In every regime
  the logit is linear in the other four columns, with coefficients N(0, 3^2) that sum to zero over the regimes, drawn anew until those of
  any two regimes are at least 6 apart: on rows of both, their logits differ with a standard deviation of 6 or more.
- *none*: plain logistic data: the logit is linear in all six columns, with coefficients N(0, 1).
- *cost*: CPU seconds of "auto" against those of one fit with the largest number of experts that "auto" tried.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import json
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.special import expit, softmax

from ensemblekit import MixtureOfExpertsClassifier

ROWS, COLUMNS, SEEDS = 5000, 6, 50
SHARPNESS, SCALE, SEPARATION = 8.0, 3.0, 6.0
NUMBERS = (2, 3, 4, 5, 6)


def regimes(seed: int, n_regimes: int, n_rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Draw a table of well separated regimes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, COLUMNS))
    angles = 2 * np.pi * np.arange(n_regimes) / n_regimes
    gate = softmax(X[:, :2] @ (SHARPNESS * np.stack([np.cos(angles), np.sin(angles)])), axis=1)
    regime = np.minimum((gate.cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1), n_regimes - 1)
    rules = separated_rules(rng, n_regimes)
    return X, rng.random(n_rows) < expit(np.einsum("nf,nf->n", X[:, 2:], rules[regime]))


def separated_rules(rng: np.random.Generator, n_regimes: int) -> np.ndarray:
    """Draw coefficients until any two regimes differ."""
    while True:
        rules = rng.normal(scale=SCALE, size=(n_regimes, COLUMNS - 2))
        rules -= rules.mean(axis=0)
        apart = np.linalg.norm(rules[:, None] - rules[None], axis=2)
        if apart[~np.eye(n_regimes, dtype=bool)].min() >= SEPARATION:
            return rules


def no_regime(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a table of plain logistic data."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, COLUMNS))
    return X, rng.random(ROWS) < expit(X @ rng.normal(size=COLUMNS))


def choose(n_regimes: int, seed: int) -> dict[str, object]:
    """Let "auto" choose for one table."""
    X, y = regimes(seed, n_regimes) if n_regimes > 1 else no_regime(seed)
    model, seconds = timed(MixtureOfExpertsClassifier("auto", random_state=seed), X, y)
    path = {step.n_experts: round(step.criterion, 1) for step in model.selection_path_}
    return {"regimes": n_regimes, "seed": seed, "chosen": model.n_experts_, "cpu_s": round(seconds, 2), "bic": path}


def timed(model: MixtureOfExpertsClassifier, X: np.ndarray, y: np.ndarray) -> tuple[MixtureOfExpertsClassifier, float]:
    """Fit, and return CPU seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # idle experts are what is looked for
        start = time.process_time()
        return model.fit(X, y), time.process_time() - start


def numbers(wanted: tuple[int, ...], seeds: range, results: Path, portion: int) -> None:
    """Go through the tables that are not in the results yet, then print all of them."""
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    known = {(row["regimes"], row["seed"]) for row in done}
    missing = [(n_regimes, seed) for n_regimes in wanted for seed in seeds if (n_regimes, seed) not in known]
    for n_regimes, seed in missing[:portion]:
        done.append(choose(n_regimes, seed))
        with results.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
    print(f"{max(len(missing) - portion, 0)} tables are left")
    for n_regimes in wanted:
        rows = [row for row in done if row["regimes"] == n_regimes and row["seed"] in seeds]
        if rows:
            right = sum(row["chosen"] == n_regimes for row in rows)
            misses = Counter(row["chosen"] for row in rows if row["chosen"] != n_regimes)
            taken = "; instead: " + ", ".join(f"{number} ({times})" for number, times in sorted(misses.items())) if misses else ""
            median = np.median([row["cpu_s"] for row in rows])
            print(f"{n_regimes} regimes: right in {right} of {len(rows)} ({right / len(rows):.0%}), median CPU {median:.1f} s{taken}")


def cost(seeds: range) -> None:
    """Compare CPU seconds of the whole path with those of its longest fit."""
    for n_regimes in (1, *NUMBERS):
        ratios = []
        for seed in seeds:
            X, y = regimes(seed, n_regimes) if n_regimes > 1 else no_regime(seed)
            auto, whole_path = timed(MixtureOfExpertsClassifier("auto", random_state=seed), X, y)
            largest = max(step.n_experts for step in auto.selection_path_)
            ratios.append((largest, whole_path, timed(MixtureOfExpertsClassifier(largest, random_state=seed), X, y)[1]))
        told = ", ".join(f"K={largest}: {path:.1f} s / {single:.1f} s" for largest, path, single in ratios)
        print(f"{n_regimes} regimes: median ratio {np.median([path / single for _, path, single in ratios]):.2f} ({told})", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["number", "none", "cost"], help="number, none, cost")
    parser.add_argument("--results", type=Path, default=Path("selection.jsonl"))
    parser.add_argument("--portion", type=int, default=1_000_000)
    parser.add_argument("--seeds", default=f"0:{SEEDS}", help="FIRST:END")
    parser.add_argument("--numbers", type=int, nargs="*", default=NUMBERS)
    options = parser.parse_args()
    seeds = range(*map(int, options.seeds.split(":")))
    if "number" in options.parts:
        numbers(tuple(options.numbers), seeds, options.results, options.portion)
    if "none" in options.parts:
        numbers((1,), seeds, options.results, options.portion)
    if "cost" in options.parts:
        cost(seeds[:3])


if __name__ == "__main__":
    main()
