"""Are the ensembles as strong as they should be: optimal weights, scikit-learn's bits, no wasted core, real tables.

    python benchmarks/ensembles.py [--tables DIR] [--only NAME ...] [--rows 3000] [--deslib PYTHON] [--parts weights tables ...]

- *weights*: log-loss at our weights against an independent convex solve (scipy's SLSQP) on 20 problems.
- *greedy*: ensemble selection against a reference with lists of members, on 20 small pools.
- *voting*: averaging against scikit-learn's soft `VotingClassifier`, bit for bit.
- *parallel*: `n_jobs=2` against splitting the same fits over members, or over folds.
- *tables*: mean held-out log-loss and accuracy, or RMSE, over 5 folds, default members. Without ``--tables``, scikit-learn's
  bundled tables; with it, every CSV file of the folder with a column named ``target`` that holds classes or numbers. At
  most ``--rows`` rows of each are drawn; 0 takes all.
- *deslib*: dynamic selection against DESlib, where PYTHON is an interpreter that has it (see `peers/deslib_knora.py`).
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    AveragingEnsembleRegressor,
    DynamicSelectionClassifier,
    StackingEnsembleClassifier,
    StackingEnsembleRegressor,
    VotingEnsembleRegressor,
    WeightedEnsembleClassifier,
    WeightedEnsembleRegressor,
)
from ensemblekit.ensembles.fitting import fit_member
from ensemblekit.ensembles.greedy import SMALL_POOL, greedy_weights
from ensemblekit.ensembles.held_out import fit_fold, make_folds
from ensemblekit.ensembles.held_out_score import held_out_score
from ensemblekit.ensembles.members import default_classifiers, default_regressors
from ensemblekit.ensembles.simplex import TINY, log_loss_weights

Table = tuple[str, Any, np.ndarray]
BUNDLED = {"iris": load_iris, "wine": load_wine, "breast-cancer": load_breast_cancer}


def check_weights(n_problems: int = 20) -> None:
    worst, gap, seconds = 0.0, 0.0, 0.0
    for seed in range(n_problems):
        rng = np.random.default_rng(seed)
        n_samples, n_members = int(rng.integers(20, 5000)), int(rng.integers(2, 20))
        proba = rng.beta(*[(2.0, 1.0), (0.3, 0.1), (0.05, 0.02), (5.0, 1.0)][seed % 4], size=(n_samples, n_members))
        start = time.perf_counter()
        solution = log_loss_weights(proba)
        seconds += time.perf_counter() - start
        clipped = np.maximum(proba, TINY)
        reference = minimize(
            lambda weights, clipped=clipped: -np.mean(np.log(clipped @ weights)),
            np.full(n_members, 1 / n_members),
            jac=lambda weights, clipped=clipped: -np.mean(clipped / (clipped @ weights)[:, None], axis=0),
            method="SLSQP",
            bounds=[(0, 1)] * n_members,
            constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
            options={"ftol": 1e-15, "maxiter": 1000},
        )
        worst, gap = max(worst, solution.loss - reference.fun), max(gap, solution.gap)
    print(
        f"weights: {n_problems} problems, worst log-loss above SLSQP {worst:+.1e}, largest certified gap {gap:.1e}, "
        f"{1000 * seconds / n_problems:.1f} ms a solve"
    )


def greedy_by_the_book(answers: np.ndarray, score: Any, n_rounds: int) -> np.ndarray:
    ranked = sorted(range(len(answers)), key=lambda member: -score(answers[member]))
    starts = [ranked[:size] for size in range(1, len(ranked) + 1)]
    path = [max(starts, key=lambda some: score(answers[some].mean(axis=0)))]
    for _ in range(n_rounds):
        candidates = [[*path[-1], member] for member in ranked]
        path.append(max(candidates, key=lambda some: score(answers[some].mean(axis=0))))
    best = max(path, key=lambda some: score(answers[some].mean(axis=0)))
    return np.bincount(best, minlength=len(answers)) / len(best)


def check_greedy(n_pools: int = 20) -> None:
    equal = 0
    for seed in range(n_pools):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 3, size=60)
        logits = rng.normal(size=(2 + seed % (SMALL_POOL - 1), 60, 3)) + 1.5 * np.eye(3)[y]
        answers = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        score = held_out_score("neg_log_loss", y)
        weights = greedy_weights(answers, score, n_rounds=10, random_state=np.random.RandomState(0))
        equal += np.allclose(weights, greedy_by_the_book(answers, score, 10), atol=1e-12)
    print(f"greedy: equal to the reference on {equal} of {n_pools} pools")


def check_voting() -> None:
    for name, load in BUNDLED.items():
        X, y = load(return_X_y=True)
        ours = AveragingEnsembleClassifier(random_state=0).fit(X, y).predict_proba(X)
        theirs = VotingClassifier(default_classifiers(random_state=0), voting="soft").fit(X, y).predict_proba(X)
        print(f"voting: {name}: {'same bits' if np.array_equal(ours, theirs) else 'DIFFERENT'}")


def _all_fits(member: Any, X: Any, y: Any, folds: list[Any], n_classes: int) -> None:
    fit_member(member, X, y)
    for fold in folds:
        fit_fold(member, X, y, fold, n_classes=n_classes)


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def check_parallel(repeats: int = 3) -> None:
    X, y = load_digits(return_X_y=True)
    members = default_classifiers(random_state=0)
    folds = make_folds(5, X, y, classifier=True, random_state=0)
    pool = Parallel(n_jobs=2)

    def over_members() -> None:
        pool(delayed(_all_fits)(member, X, y, folds, 10) for _, member in members)

    def over_folds() -> None:
        for _, member in members:
            pool([delayed(fit_member)(member, X, y)] + [delayed(fit_fold)(member, X, y, fold, n_classes=10) for fold in folds])

    ways = {
        "members and folds in one queue (ours)": WeightedEnsembleClassifier(cv=folds, random_state=0, n_jobs=2),
        "over members": over_members,
        "over folds": over_folds,
        "one process": WeightedEnsembleClassifier(cv=folds, random_state=0),
    }
    over_members()  # the worker processes start here
    # In turns, so that whatever else the machine does falls on all ways alike.
    seconds = dict.fromkeys(ways, np.inf)
    for _ in range(repeats):
        for name, way in ways.items():
            call = way if callable(way) else (lambda way=way: clone(way).fit(X, y))
            seconds[name] = min(seconds[name], _seconds(call))
    ours, members_split, folds_split, _ = seconds.values()
    print("parallel: digits, 3 members x (5 folds + 1), best of", repeats)
    for name, taken in seconds.items():
        print(f"  {name:40s} {taken:6.2f} s")
    print(f"  ours / better of the two splits: {ours / min(members_split, folds_split):.2f}")


def bundled_tables() -> list[Table]:
    return [(name, *load(return_X_y=True)) for name, load in {**BUNDLED, "diabetes": load_diabetes}.items()]


def tables_in(folder: Path, n_rows: int, only: list[str] | None) -> list[Table]:
    tables = []
    for path in sorted(folder.glob("*.csv")):
        if only and path.stem not in only:
            continue
        frame = pd.read_csv(path, na_values="?")
        if "target" not in frame:
            print(f"tables: {path.name} left out: no column 'target'")
            continue
        frame = frame.sample(min(n_rows or len(frame), len(frame)), random_state=0)
        tables.append((path.stem, frame.drop(columns="target"), frame["target"].to_numpy()))
    return tables


def holds_classes(y: np.ndarray) -> bool:
    return len(np.unique(y)) <= 20


def as_numbers() -> Any:
    """Impute and one-hot encode, so that distances and every member take the table."""
    text = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", min_frequency=10, sparse_output=False)
    )
    return make_column_transformer(
        (text, make_column_selector(dtype_exclude="number")),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    )


def competitors(seed: int, memory: str) -> dict[str, Any]:
    shared = {"random_state": seed, "memory": memory}
    singles = {
        name: AveragingEnsembleClassifier([(name, member)], memory=memory) for name, member in default_classifiers(random_state=seed)
    }
    return singles | {
        "averaging": AveragingEnsembleClassifier(**shared),
        "weighted (optimal)": WeightedEnsembleClassifier(**shared),
        "weighted (greedy)": WeightedEnsembleClassifier(weights="greedy", **shared),
        "weighted (score)": WeightedEnsembleClassifier(weights="score", **shared),
        "weighted (no refit)": WeightedEnsembleClassifier(refit=False, **shared),
        "stacking": StackingEnsembleClassifier(**shared),
        "knora-e": DynamicSelectionClassifier(**shared),
        "knora-u": DynamicSelectionClassifier(rule="knora-u", **shared),
        "ola": DynamicSelectionClassifier(rule="ola", **shared),
    }


def regressing_competitors(seed: int, memory: str) -> dict[str, Any]:
    shared = {"random_state": seed, "memory": memory}
    singles = {name: AveragingEnsembleRegressor([(name, member)], memory=memory) for name, member in default_regressors(random_state=seed)}
    return singles | {
        "averaging": AveragingEnsembleRegressor(**shared),
        "weighted (optimal)": WeightedEnsembleRegressor(**shared),
        "weighted (greedy)": WeightedEnsembleRegressor(weights="greedy", **shared),
        "weighted (score)": WeightedEnsembleRegressor(weights="score", **shared),
        "weighted (no refit)": WeightedEnsembleRegressor(refit=False, **shared),
        "median": VotingEnsembleRegressor(**shared),
        "stacking": StackingEnsembleRegressor(**shared),
    }


def compare_on(table: Table) -> pd.DataFrame:
    name, X, y = table
    classes = holds_classes(y)
    splitter = StratifiedKFold if classes else KFold
    rows = []
    for seed, (train, test) in enumerate(splitter(5, shuffle=True, random_state=0).split(X, y)):
        if isinstance(X, pd.DataFrame):
            numbers = as_numbers().fit(X.iloc[train])
            X_train, X_test = numbers.transform(X.iloc[train]), numbers.transform(X.iloc[test])
        else:
            X_train, X_test = X[train], X[test]
        with tempfile.TemporaryDirectory() as memory:
            for model, ensemble in (competitors if classes else regressing_competitors)(seed, memory).items():
                fitted = ensemble.fit(X_train, y[train])
                rows.append({"table": name, "model": model, **measures(fitted, X_test, y[test])})
    return pd.DataFrame(rows)


def measures(fitted: Any, X: Any, y: np.ndarray) -> dict[str, float]:
    if not hasattr(fitted, "predict_proba"):
        return {"rmse": root_mean_squared_error(y, fitted.predict(X))}
    return {"log_loss": log_loss(y, fitted.predict_proba(X)), "accuracy": float(np.mean(fitted.predict(X) == y))}


def compare(tables: list[Table]) -> None:
    by_table = []
    for table in tables:
        by_table.append(compare_on(table))
        means = by_table[-1].drop(columns="table").groupby("model", sort=False).mean()
        print(f"tables: {table[0]}, {len(table[2])} rows\n{means.round(4).to_string()}", flush=True)
    with_classes = [folds for folds in by_table if "log_loss" in folds]
    if with_classes:
        summarise(pd.concat(with_classes))


def summarise(folds: pd.DataFrame) -> None:
    for measure in ("log_loss", "accuracy"):
        means = folds.pivot_table(index="model", columns="table", values=measure, sort=False)
        means["mean"] = means.mean(axis=1)
        print(f"tables: {measure}, mean over 5 folds")
        print(means.round(4).to_string())
    loss = folds.groupby("model")["log_loss"].mean()
    print(f"tables: weighted - averaging, mean log-loss: {loss['weighted (optimal)'] - loss['averaging']:+.4f}")
    print(f"tables: greedy - optimal, mean log-loss: {loss['weighted (greedy)'] - loss['weighted (optimal)']:+.4f}")


def check_deslib(python: str, tables: list[Table]) -> None:
    for name, X, y in (table for table in tables if holds_classes(table[2])):
        codes = np.unique(y, return_inverse=True)[1]
        numbers = as_numbers().fit_transform(X) if isinstance(X, pd.DataFrame) else X
        train, test = next(StratifiedKFold(5, shuffle=True, random_state=0).split(numbers, codes))
        ours = {
            rule: DynamicSelectionClassifier(rule=rule, cv=5, random_state=0).fit(numbers[train], codes[train])
            for rule in ("knora-e", "knora-u", "ola")
        }
        ensemble = ours["knora-e"]
        folds = make_folds(5, numbers[train], codes[train], classifier=True, random_state=0)
        held_out = [
            np.concatenate([fit_fold(member, numbers[train], codes[train], fold, n_classes=codes.max() + 1).answers for fold in folds])
            for _, member in default_classifiers(random_state=0)
        ]
        order = np.concatenate([rows for _, rows in folds])
        scaled = ensemble.scaler_.transform(numbers)
        with tempfile.TemporaryDirectory() as folder:
            np.savez(
                f"{folder}/in.npz",
                X_held_out=scaled[train][order],
                y_held_out=codes[train][order],
                X_test=scaled[test],
                held_out=held_out,
                test=[member.predict_proba(numbers[test]) for member in ensemble.estimators_],
                k=ensemble.n_neighbors,
            )
            script = Path(__file__).parent / "peers" / "deslib_knora.py"
            subprocess.run([python, str(script), f"{folder}/in.npz", f"{folder}/out.npz"], check=True)
            theirs = np.load(f"{folder}/out.npz")
            for rule, selector in ours.items():
                ours_proba, their_proba = selector.predict_proba(numbers[test]), theirs[rule]
                agree = np.mean(ours_proba.argmax(axis=1) == their_proba.argmax(axis=1))
                accuracy = [np.mean(proba.argmax(axis=1) == codes[test]) for proba in (ours_proba, their_proba)]
                print(
                    f"deslib: {name} {rule}: accuracy {accuracy[0]:.4f}, DESlib {accuracy[1]:.4f}; log-loss "
                    f"{log_loss(codes[test], ours_proba):.4f}, DESlib {log_loss(codes[test], their_proba):.4f}; "
                    f"same class on {agree:.1%} of rows"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="folder of CSV files with a column 'target'")
    parser.add_argument("--only", nargs="+", help="names of the tables to take, all when not given")
    parser.add_argument("--rows", type=int, default=3000, help="rows to sample of each table, 0 for all")
    parser.add_argument("--deslib", help="interpreter that has DESlib")
    parts = {"weights": check_weights, "greedy": check_greedy, "voting": check_voting, "parallel": check_parallel}
    parser.add_argument("--parts", nargs="+", choices=[*parts, "tables"], default=[*parts, "tables"])
    arguments = parser.parse_args()
    tables = bundled_tables() if arguments.tables is None else tables_in(arguments.tables, arguments.rows, arguments.only)
    for name, check in parts.items():
        if name in arguments.parts:
            check()
    if arguments.deslib:
        check_deslib(arguments.deslib, tables)
    if "tables" in arguments.parts:
        compare(tables)


if __name__ == "__main__":
    main()
