"""Can the comparison be believed: false alarms and power, peers, runs that are killed, its own cost, and whether costs repeat.

    python benchmarks/comparison.py [--parts null peers kills overhead repeat] [--jobs 2] [--tables 300] [--kills 20]
                                    [--study STUDY.toml] [--keep FOLDER]

*null*: simulated tables on which the truth is known go through the same code as real ones: paired folds, corrected t, Holm,
call. Beside it, on the same folds, the ordinary paired t-test that many comparisons use. 200 rows and 10 x 10 folds each:

- halves: logistic regression on either half of ten exchangeable columns. Equal by construction.
- seeds: a randomised tree against itself, with a seed of its own for each fold. Equal by construction.
- fixed seeds: the same, but each side keeps one seed over all folds, as most comparisons do. On one table these are two
  different models; that is why the study never does so.
- weaker half: the second half carries 0.5 of the first one's effect. Truly different.

An interval is to cover zero, or where models differ the mean difference of all tables. Measured with 300 tables each (scikit-learn 1.9.1):

    scenario      naive paired t   our call  interval covers  mean difference
    halves                 55.7%       4.3%            95.7%      +0.07 points
    seeds                   7.0%       0.0%           100.0%      -0.01 points
    fixed seeds            42.7%       0.7%            99.3%      +0.52 points
    weaker half            94.0%      58.7%                       +11.03 points

The price of the correction is power: of differences of eleven points on 200 rows, four in ten stay undecided. And it is more
than careful where the folds' differences hang together less than it assumes: with seeds of their own, intervals are too wide.

*peers*: Nadeau-Bengio against baycomp, Friedman and Wilcoxon against scipy, Holm against statsmodels.

*kills*: the command on a bundled table, sent SIGKILL at 20 random moments and started again each time, then let finish: are
the accuracy results those of a run that nobody disturbed, with no cell lost, doubled or torn.

*overhead*: wall time of the accuracy pass of the default study with one process, over the summed seconds of its cells, minus one.
A cell's seconds are those of preparing its rows, fitting and predicting, in the process that does it. The rest is the machinery: starting
the process and its imports, a fork for each fold, handing over tables, scoring, what models tell about themselves, and writing
files, as far as the next fit waits for it. Planning comes before and the cost pass and the report come after; they are in neither
number. Needs an idle machine. Measured on two idle virtual cores: 3.9 % (154.8 s for 149.0 s of cells), 15 ms a cell.

*repeat*: two runs of the default study: counted compute is to be identical, measured costs are to agree within 10 % in every cell
that neither run called contended. Needs an idle machine. On two virtual cores whose pace was not steady: of 40 cells 35 were called
contended in one run or the other; of the other five none was off by more than 10 % in any cost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from baycomp import CorrelatedTTest
from joblib import Parallel, delayed
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats.multitest import multipletests

from ensemblekit_reports.example import example_results
from ensemblekit_reports.quantities import COSTS, METRICS
from ensemblekit_reports.reporting.comparisons import BETTER, WORSE, compare_on_table
from ensemblekit_reports.running.accuracy_pass import fit_missing
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.store import Store
from ensemblekit_reports.statistics.correlated_t import correlated_t
from ensemblekit_reports.statistics.multiplicity import holm
from ensemblekit_reports.statistics.several_tables import across_tables, friedman
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.study_file import DEFAULT_STUDY, study_from_toml

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Scores = Callable[[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int], tuple[float, float]]

ROWS, SPLITS, REPEATS, HALF = 200, 10, 10, 5
#: So many tables are simulated between two writes of what was found.
PORTION = 50
_EXAMPLE = example_results()


def halves(X, y, train, test, _fold):
    models = [LogisticRegression().fit(X[train][:, side], y[train]) for side in (slice(HALF), slice(HALF, None))]
    return tuple(m.score(X[test][:, side], y[test]) for m, side in zip(models, (slice(HALF), slice(HALF, None)), strict=True))


def seeds(X, y, train, test, fold):
    return tuple(_tree(2 * fold + side).fit(X[train], y[train]).score(X[test], y[test]) for side in (0, 1))


def fixed_seeds(X, y, train, test, _fold):
    return tuple(_tree(side).fit(X[train], y[train]).score(X[test], y[test]) for side in (0, 1))


def _tree(seed):
    return DecisionTreeClassifier(max_features=2, max_depth=4, random_state=seed)


SCENARIOS = {"halves": (halves, 1.0), "seeds": (seeds, 1.0), "fixed seeds": (fixed_seeds, 1.0), "weaker half": (halves, 0.5)}


def table(seed: int, second_half: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    X = random.standard_normal((ROWS, 2 * HALF))
    effect = np.repeat([0.6, 0.6 * second_half], HALF)
    return X, (random.random(ROWS) < 1 / (1 + np.exp(-X @ effect))).astype(np.int64)


def outcome(scores: Scores, second_half: float, seed: int) -> dict[str, float]:
    X, y = table(seed, second_half)
    folds = RepeatedStratifiedKFold(n_splits=SPLITS, n_repeats=REPEATS, random_state=seed)
    pairs = np.array([scores(X, y, train, test, fold) for fold, (train, test) in enumerate(folds.split(X, y))])
    (found,) = compare_on_table(replace(_EXAMPLE, cells=_cells(pairs)), "moons", [("moe", "averaging")])
    naive = stats.ttest_rel(*pairs.T).pvalue if np.ptp(pairs[:, 0] - pairs[:, 1]) else 1.0
    called = float(found.call in {BETTER, WORSE})
    return {"naive": float(naive < 0.05), "called": called, "low": found.low, "high": found.high, "difference": found.gain}


def _cells(pairs: NDArray[np.float64]) -> pd.DataFrame:
    n = len(pairs)
    key = {"repeat": np.arange(n) // SPLITS, "fold": np.arange(n) % SPLITS, "dataset": "moons", "status": "ok"}
    sizes = {"n_train": ROWS - ROWS // SPLITS, "n_test": ROWS // SPLITS, "predict_single_p50_s": 1.0}
    sides = zip(("moe", "averaging"), pairs.T, strict=True)
    return pd.concat([pd.DataFrame(key | sizes | {"model": name, "accuracy": side}) for name, side in sides])


def null(options: argparse.Namespace) -> None:
    print(
        f"null: {options.tables} tables each, {ROWS} rows, {REPEATS} x {SPLITS} folds; 5 % and 95 % would be right where models are equal"
    )
    print(f"{'scenario':12}  {'naive paired t':>14}  {'our call':>9}  {'interval covers':>15}  {'mean difference':>15}")
    for name, (_, second_half) in SCENARIOS.items():
        found = _outcomes(name, options)
        # Equal by construction, the truth is zero; else it is what all tables together say.
        truth = 0.0 if second_half == 1 else found["difference"].mean()
        covers = ((found["low"] <= truth) & (truth <= found["high"])).mean()
        rates = f"{found['naive'].mean():>14.1%}  {found['called'].mean():>9.1%}  {covers:>15.1%}"
        print(f"{name:12}  {rates}  {100 * found['difference'].mean():>+9.2f} points", flush=True)


def _outcomes(scenario: str, options: argparse.Namespace) -> pd.DataFrame:
    """Outcomes of all tables, those that the file of an earlier run holds read from it."""
    scores, second_half = SCENARIOS[scenario]
    file = options.keep / f"null-{scenario.replace(' ', '-')}.csv" if options.keep else None
    found = pd.read_csv(file) if file and file.exists() else pd.DataFrame()
    for start in range(len(found), options.tables, PORTION):
        seeds = range(start, min(start + PORTION, options.tables))
        more = Parallel(options.jobs)(delayed(outcome)(scores, second_half, seed) for seed in seeds)
        found = pd.concat([found, pd.DataFrame(more)], ignore_index=True)
        if file:
            found.to_csv(file, index=False)
    return found[: options.tables]


def peers(options: argparse.Namespace) -> None:  # noqa: ARG001 - the signature of a part
    rng = np.random.default_rng(0)
    schemes = [(10, 10, 0.0), (3, 5, 0.01), (1, 5, 0.01), (2, 5, 0.0)] * 25
    _say_apart("Nadeau-Bengio and baycomp", [_posterior_apart(rng, *scheme) for scheme in schemes])
    _say_apart("Holm and statsmodels", [_holm_apart(rng.uniform(0, 0.1, 9)) for _ in range(100)])
    # Ours look at every pair of models beside, with a sampled posterior each: seconds a draw.
    _say_apart("Wilcoxon and scipy", [_wilcoxon_apart(rng.normal(0.01, 0.02, 6)) for _ in range(3)])
    _say_apart("Friedman and scipy", [_friedman_apart(rng.normal(0.8, 0.03, (6, 3)).round(2)) for _ in range(3)])


def _say_apart(pair: str, apart: list[float]) -> None:
    print(f"peers: {pair:25} differ by {max(apart):.1e} at most in {len(apart)} draws: {_judged(max(apart) < 1e-10)}", flush=True)


def _posterior_apart(rng: np.random.Generator, repeats: int, splits: int, rope: float) -> float:
    x, y = rng.normal(0.8, 0.03, (2, repeats * splits))
    ours = correlated_t(y - x, 1 / (splits - 1), rope)
    shares = (ours.worse, ours.equal, ours.better) if rope else (ours.worse, ours.better)
    return np.abs(np.subtract(shares, CorrelatedTTest(x, y, rope, runs=repeats).probs())).max()


def _friedman_apart(scores: NDArray[np.float64]) -> float:
    return abs(friedman(scores).p - stats.friedmanchisquare(*scores.T).pvalue)


def _wilcoxon_apart(values: NDArray[np.float64]) -> float:
    return abs(across_tables(values, 0.01, seed=0).p - stats.wilcoxon(values).pvalue)


def _holm_apart(p: NDArray[np.float64]) -> float:
    return np.abs(holm(p) - multipletests(p, method="holm")[1]).max()


COMMAND = ["compare", "wine", "--models", "logistic,random-forest,lightgbm,averaging", "--folds", "5x5", "--quick"]
KEY = ["dataset", "model", "repeat", "fold"]


def kills(options: argparse.Namespace) -> None:
    command = [str(Path(sys.executable).with_name("ensemblekit")), *COMMAND, "--jobs", str(options.jobs)]
    with tempfile.TemporaryDirectory() as scratch:
        whole, cut = Path(scratch) / "whole", Path(scratch) / "cut"
        started = time.monotonic()
        subprocess.run([*command, "--out", str(whole)], check=True, capture_output=True)
        seconds, rng = time.monotonic() - started, np.random.default_rng(0)
        lost = torn = most = 0
        for _ in range(options.kills):
            process = subprocess.Popen([*command, "--out", str(cut)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.4 * seconds))
            process.kill()
            process.wait()
            whole_files, torn_files = _read_cells(cut)
            lost, torn, most = lost + max(0, most - whole_files), torn + torn_files, whole_files
        print(f"kills: {options.kills} times; cells lost {lost}, torn {torn}; finished by then {most}: {_judged(not lost and not torn)}")
        subprocess.run([*command, "--out", str(cut)], check=True, capture_output=True)
        first, second = (pd.read_csv(folder / "results.csv") for folder in (whole, cut))
        repeatable = [*KEY, "status", "n_train", "n_test", *(metric.name for metric in METRICS if metric.name in first)]
        doubled, same = int(second.duplicated(KEY).sum()), first[repeatable].equals(second[repeatable])
        print(
            f"kills: then {len(second)} of {len(first)} cells, doubled {doubled}, results identical {same}: {_judged(same and not doubled)}"
        )


def _read_cells(folder: Path) -> tuple[int, int]:
    whole = torn = 0
    for file in folder.glob("cells/accuracy/*.json"):
        try:
            whole += json.loads(file.read_text())["status"] == "ok"
        except ValueError:
            torn += 1
    return whole, torn


def overhead(options: argparse.Namespace) -> None:
    plan = study_from_toml(options.study).plan(options.study.parent)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        cells = plan_cells(plan, store.directory)
        started = time.monotonic()
        fit_missing(plan, cells, store, jobs=1)
        wall = time.monotonic() - started
        fitting = sum(store.load(cell.accuracy)["seconds"] for cell in cells)
    share = wall / fitting - 1
    print(f"overhead: {plan.name}, {len(cells)} cells: accuracy pass {wall:.1f} s with one process, fit and predict {fitting:.1f} s")
    print(f"overhead: {share:.1%} of fit and predict, {1000 * (wall - fitting) / len(cells):.0f} ms a cell: {_judged(share < 0.05)}")


def repeat(options: argparse.Namespace) -> None:
    study = study_from_toml(options.study)
    plan = study.plan(options.study.parent)
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            run(plan, Path(folder) / name, jobs=options.jobs, command="").cells.dropna(subset="fit_wall_s").set_index(KEY)
            for name in ("first", "second")
        )
    counted = [cost.name for cost in COSTS if cost.unit == "operations"]
    same = first[counted].equals(second[counted])
    print(f"repeat: compute of {len(first)} timed cells identical: {_judged(same)}")
    contended = first["contended"] | second["contended"]
    print(f"repeat: {int(contended.sum())} cells were called contended in one run or the other")
    for cost in COSTS:
        if cost.name in counted or first[cost.name].isna().all():
            continue
        change = (second[cost.name] / first[cost.name] - 1).abs()
        quiet = change[~contended & change.notna()]
        late = int((quiet > 0.1).sum())
        if quiet.empty:
            print(f"repeat: {cost.name:24} median change {change.median():6.1%}; every cell was called contended")
            continue
        found = f"median change {change.median():6.1%}; over 10 % though not contended {late} of {len(quiet)}"
        print(f"repeat: {cost.name:24} {found}: {_judged(not late)}")


def _judged(holds: bool) -> str:
    return "as claimed" if holds else "NOT AS CLAIMED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--study", type=Path, default=DEFAULT_STUDY, help="for overhead and repeat")
    parser.add_argument("--keep", type=Path, help="folder for outcomes of null: a run that was stopped goes on there")
    parts = {part.__name__: part for part in (null, peers, kills, overhead, repeat)}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    options = parser.parse_args()
    for part in options.parts:
        parts[part](options)


if __name__ == "__main__":
    main()
