"""How many experts does ``n_experts="auto"`` find, and what does it cost: python benchmarks/selection.py [number] [none] [cost] [streams].

Generated tables on which the truth is known. Development used seeds from 1000 on, and each version was judged once on others: see below.
Results are kept, one line a table, in the file that ``--results`` names, and a later call goes on where the last one ended;
``--portion N`` ends it after N tables, ``--seeds 100:150`` says which tables.

- *number*: 2 to 6 regimes, 5,000 rows, 6 columns N(0, 1), binary answers. The first two columns say which regime a row is in, by a softmax
  gate whose directions divide the circle evenly, with coefficients of length 8: rows near a border fall on either side. In every regime
  the logit is linear in the other four columns, with coefficients N(0, 3^2) that sum to zero over the regimes, drawn anew until those of
  any two regimes are at least 6 apart: on rows of both, their logits differ with a standard deviation of 6 or more.
- *none*: plain logistic data: the logit is linear in all six columns, with coefficients N(0, 1).
- *streams*: three regimes as in *number*; a mixture of three experts, fitted to 5,000 rows, meets 1,000 more, then a switch, then 500 rows
  after it, in pieces of 50 whose answers it learns afterwards. Then 5,000 rows of the new kind are answered. Kinds of switch: *exchanged*,
  every regime moves on to the next one's sector; *turned*, all sectors turn by 60 degrees; *frequencies*, rows of one sector become ten
  times as frequent as others. Instead of a switch: *wandering*, all sectors turn by 60 degrees, bit by bit over the 1,500 rows; *nothing*.
  The oracle gate is the true one at the end, over the same fitted experts. *new rows alone* is a gate learnt from exactly the last 500
  rows, as by one who was told of the switch.
- *cost*: CPU seconds of "auto" against those of one fit with the largest number of experts that "auto" tried (one or two more than there
  are regimes, as a rule), all other parameters being those by default, so that it begins at 20 random starts and ends at the exact optimum.
  "auto" pays for all numbers up to that one and down again. Medians and ranges over five tables.

Measured once on seeds 420 to 469 (``number none --seeds 420:470``), the search as it is now, which leaves early what cannot
lead higher (linear/growing.py), and as it was before; ratios on a quiet machine (``cost``). Work is rows times experts, for every
evaluation of the likelihood, against that of the single fit:

    regimes                     1             2             3             4             5             6
    right                  50 of 50      50 of 50      50 of 50      50 of 50      49 of 50      45 of 50
    right, before                                                                  50 of 50      46 of 50
    CPU                      0.3 s         0.3 s         0.6 s         0.9 s         1.0 s         1.2 s, medians
    CPU, before                                                                    2.4 s         2.3 s
    ratio, 200:205  0.8 (0.5-1.0) 0.7 (0.6-0.8) 1.0 (0.7-1.5) 1.0 (1.0-1.3) 1.0 (0.9-1.2) 1.3 (1.0-1.7), medians (ranges)
    ratio, 400:405  0.8 (0.7-1.0) 0.6 (0.5-0.8) 0.9 (0.6-1.1) 1.2 (1.0-1.3) 1.2 (0.5-1.5) 1.1 (1.0-1.3)
    ratio, before   0.9 (0.7-1.1) 0.6 (0.5-0.6) 1.0 (0.7-1.1) 1.2 (1.1-1.6) 1.5 (1.2-1.9) 1.6 (1.5-3.0), on 200:205
    work            0.5 (0.5-0.8) 0.5 (0.5-0.6) 0.7 (0.5-1.1) 0.7 (0.7-1.0) 0.7 (0.7-1.0) 1.0 (0.7-1.1), on 200:205
    work, before                                              0.9 (0.9-1.2) 1.0 (0.9-1.1) 1.3 (1.1-1.5)

Where six are missed, one or two too many are chosen, and five once: the way up went wrong, and neither the way down nor random starts found
back. On seeds 400 to 419 six were found in 19 of 20, five and none in all.

On development tables (from seed 1000 on) five were found in 60 of 60 and six in 58 of 60, both misses being missed before, too; but that
was before mergers were fitted to the rows of their experts alone, with which six were found in 39 of 40, as often as before. With six
regimes work was 0.8 of the single fit's in the median, 1.1 before, and 1.4 at most: on tables where the way up had gone wrong.
To recall splits and neighbours where 12 % of their rows' weight had changed, not 5 %, saved a tenth more and missed five of 80.

Earlier versions, each judged once. On seeds 200 to 219, before anything was left early: none and six 20 of 20, five 19. On seeds 100 to
149, before that:

    regimes         1        2        3        4        5        6
    right    50 of 50 50 of 50 50 of 50 50 of 50 49 of 50 49 of 50; 6 experts instead of five, 5 instead of six

Both misses are local optima: begun at the truth, the fit has the smaller BIC. On seeds 0 to 49 the search had been judged before it divided
the rows of neighbours anew (linear/redividing.py): all were right but for eight of the 50 tables with six regimes. Of these 50,
judged again with that, 48 were right.

Measured once on seeds 200 to 219 (``streams --seeds 200:220``), with ``adapt_gate`` as it is now, a stable and a quick gate
(mixture/paired_gates.py), and as it was before, one gate that forgets:

    points lost against the oracle gate, mean of 20 streams (largest), 500 rows after the switch
    change          left alone   adapt_gate       before  new rows alone  update_feedback  partial_fit
    exchanged      50.3 (52.9)    0.7 (1.5)    1.8 (3.4)       0.7 (1.6)      50.2 (52.8)  43.2 (46.6)
    turned         23.9 (25.7)    0.7 (1.2)    1.3 (3.2)       0.7 (1.3)      23.8 (25.5)  19.9 (22.0)
    frequencies     0.7 (1.2)     0.7 (1.2)    0.7 (1.4)       0.7 (1.1)       0.5 (0.9)    0.7 (1.9)
    wandering      23.8 (25.7)    2.1 (3.5)    1.9 (3.0)       2.3 (3.4)     14 streams, seeds 200 to 213
    nothing         0.1 (0.4)     0.1 (0.4)    1.0 (1.7)       0.9 (1.4)     13 streams, seeds 200 to 212

Every stream with a switch is within two points now; before, 14 and 18 of 20 were where regimes were exchanged and turned. Where only
frequencies change, standing still loses little, since the columns show the regime anyway. The price is paid by sectors that wander: the
fitted gate stays until another is better beyond doubt, after 400 to 600 rows at this pace. Points lost on the way, on ten development
streams (seeds 1000 to 1009), each piece answered before it was learnt:

                                  wandering  its rows 300 to 450  nothing
    the gate that answers               2.5                  3.2      0.1
    the quick one alone                 2.4                  2.3      1.2
    the stable one alone                3.1                  4.0      0.1
    the better of both, each piece      2.2                  2.3      0.1

which leaves little to win by telling them apart. Averages of both by their likelihoods (Bayesian model averaging) lost 2.5, too, even ones
2.6; with fixed shares (Herbster and Warmuth, 1998) of a 20th, a 50th, a 200th and a 1000th for the lead the answers lost 2.7, 2.6, 2.6 and
2.6 on six of the streams, as they do without. All was left as it is. Seeds 213 to 219 were judged after that, once: wandering 2.4 (3.4),
nothing 0.1 (0.2), new rows alone 2.5 and 0.8.

Before that, measured once on seeds 0 to 19: ``adapt_gate`` as it was lost 1.8 (3.1), 1.3 (2.8) and 0.7 (1.6) points after a switch.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import json
import time
import warnings
from collections import Counter
from collections.abc import Callable
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, softmax

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.mixture.adapting import Recent, as_open_as_fitted, follow

ROWS, COLUMNS, SEEDS = 5000, 6, 50
SHARPNESS, SCALE, SEPARATION = 8.0, 3.0, 6.0
NUMBERS = (2, 3, 4, 5, 6)
PIECE = 50
SWITCHES = ("exchanged", "turned", "frequencies", "wandering", "nothing")


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


def stream_tables(seed: int, switch: str) -> tuple[Callable[..., Any], np.ndarray]:
    """Return a function that draws rows before, in or after the change, and the rules."""
    rng = np.random.default_rng(seed)
    rules = separated_rules(rng, 3)

    def draw(n_rows: int, moved: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw rows, answers and the true gate's probabilities, when so much of the change has come about."""
        switched, turn = moved > 0, moved * np.pi / 3 if switch in ("turned", "wandering") else 0.0
        X = rng.normal(size=(n_rows if switch != "frequencies" else 5 * n_rows, COLUMNS))
        angles = 2 * np.pi * np.arange(3) / 3 + turn
        gate = softmax(X[:, :2] @ (SHARPNESS * np.stack([np.cos(angles), np.sin(angles)])), axis=1)
        if switch == "frequencies":
            kept = rng.random(len(X)) < np.where((gate.argmax(axis=1) == 0) == switched, 1.0, 0.1)
            X, gate = X[kept][:n_rows], gate[kept][:n_rows]
        if switched and switch == "exchanged":
            gate = np.roll(gate, 1, axis=1)
        regime = np.minimum((gate.cumsum(axis=1) < rng.random((len(X), 1))).sum(axis=1), 2)
        return X, rng.random(len(X)) < expit(np.einsum("nf,nf->n", X[:, 2:], rules[regime])), gate

    return draw, rules


def one_stream(seed: int, switch: str) -> dict[str, float]:
    """Accuracy after the switch, in per cent, of every way to go on."""
    draw, rules = stream_tables(seed, switch)
    X, y, _ = draw(ROWS, 0)
    fitted, _ = timed(MixtureOfExpertsClassifier(3, random_state=seed), X, y)
    last, after = 1500 // PIECE, 500 // PIECE
    pieces = [draw(PIECE, step / (last - 1) if switch == "wandering" else step >= last - after) for step in range(last)]
    ways = {name: deepcopy(fitted) for name in ("none", "adapt_gate", "update_feedback", "partial_fit")}
    ways["update_feedback"].set_params(routing="feedback")
    for rows, answers, _ in pieces:
        ways["adapt_gate"].adapt_gate(rows, answers)
        ways["update_feedback"].update_feedback(rows, answers, memory=200)
        ways["partial_fit"].set_params(batch_size=PIECE).partial_fit(rows, answers)
    ways["new rows alone"] = knowing_when(fitted, pieces[-after:])
    X, y, gate = draw(ROWS, 1)
    found = {name: 100 * model.score(X, y) for name, model in ways.items()}
    # which expert learnt which rule: the assignment with the smallest distances
    learnt = fitted.experts_.coef_[:, 1, 2:]
    _, mine = linear_sum_assignment(np.linalg.norm(rules[:, None] - learnt[None], axis=2))
    proba = np.einsum("nk,nk->n", gate, fitted.expert_proba(X)[:, mine, 1])
    return {"oracle": 100 * float(np.mean((proba > 0.5) == y)), **found}


def knowing_when(fitted: MixtureOfExpertsClassifier, pieces: list[Any]) -> MixtureOfExpertsClassifier:
    """Learn the gate from exactly the rows after the switch: as one would who was told of the switch."""
    X, y = (np.concatenate([piece[part] for piece in pieces]) for part in (0, 1))
    model, rows = copy(fitted), Recent(X, fitted.experts_.log_likelihood(X, y.astype(int)), np.ones(len(X)))
    model.gate_ = follow(as_open_as_fitted(fitted.gate_), rows, rows.weight)
    return model


def streams(seeds: range) -> None:
    """Print what every way to go on loses against the oracle gate."""
    for switch in SWITCHES:
        rows = [one_stream(seed, switch) for seed in seeds]
        oracle = np.array([row["oracle"] for row in rows])
        print(f"{switch}: oracle gate {oracle.mean():.1f} %; points lost by the others, mean (largest of {len(rows)} streams)")
        for way in rows[0]:
            if way != "oracle":
                lost = oracle - np.array([row[way] for row in rows])
                within = np.mean(lost <= 2)
                print(f"    {way:>15}: {lost.mean():5.1f} ({lost.max():5.1f}); within 2 points in {within:.0%}", flush=True)


def cost(seeds: range) -> None:
    """Compare CPU seconds of the whole path with those of its longest fit, once each for every table."""
    for n_regimes in (1, *NUMBERS):
        rows = []
        for seed in seeds:
            X, y = regimes(seed, n_regimes) if n_regimes > 1 else no_regime(seed)
            auto, whole_path = timed(MixtureOfExpertsClassifier("auto", random_state=seed), X, y)
            largest = max(step.n_experts for step in auto.selection_path_)
            rows.append((largest, whole_path, timed(MixtureOfExpertsClassifier(largest, random_state=seed), X, y)[1]))
        ratios = [path / single for _, path, single in rows]
        told = ", ".join(f"K={largest}: {path:.1f} s / {single:.1f} s" for largest, path, single in rows)
        print(f"{n_regimes} regimes: median ratio {np.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f} ({told})", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["number", "none", "streams", "cost"], help="number, none, streams, cost")
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
    if "streams" in options.parts:
        streams(seeds[:20])
    if "cost" in options.parts:
        cost(seeds[:5])


if __name__ == "__main__":
    main()
