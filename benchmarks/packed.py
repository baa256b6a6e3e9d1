"""Speed of packed models as ratios to the libraries' own prediction, measured side by side in one run, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/packed.py

Every answer is compared with the library's own before it is timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from ensemblekit.packed import PackedModel, pack
from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import pack_expert

ROWS, BATCH = 4000, 20_000
FIRST_CALL = """
import time, numpy as np
from sklearn.tree import DecisionTreeClassifier
from ensemblekit.packed import pack
X = np.zeros((2, 1), np.float32)
X[1] = 1
packed = pack(DecisionTreeClassifier().fit(X, [0, 1]))
begin = time.perf_counter()
packed.predict_proba(X)
print(time.perf_counter() - begin)
"""


def main() -> None:
    warnings.simplefilter("ignore")  # LightGBM invents feature names and then misses them
    X, y = make_classification(ROWS + BATCH, 20, n_informative=10, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    train, rows = (X[:ROWS], y[:ROWS]), np.ascontiguousarray(X[ROWS:])
    with threadpool_limits(1):
        voting = VotingClassifier(members(), voting="soft").fit(*train)
        compare_batches(voting, rows)
        compare_single_rows(voting, rows)
        compare_routing(*train, rows)
    time_first_calls()


def members() -> list[tuple[str, Any]]:
    return [
        ("random forest, 200 trees", RandomForestClassifier(200, n_jobs=1, random_state=0)),
        ("XGBoost, 150 rounds", XGBClassifier(n_estimators=150, n_jobs=1)),
        ("LightGBM, 150 rounds", LGBMClassifier(n_estimators=150, n_jobs=1, verbose=-1)),
    ]


def compare_batches(voting: VotingClassifier, rows: np.ndarray) -> None:
    print(f"Batch of {len(rows)} rows, 3 classes, one thread")
    named = [(name, fitted) for (name, _), fitted in zip(voting.estimators, voting.estimators_, strict=True)]
    for name, model in [*named, ("soft vote of the three", voting)]:
        packed = checked(model, rows)
        ours, theirs = side_by_side(lambda: packed.predict_proba(rows), lambda: model.predict_proba(rows))  # noqa: B023
        size = packed.nbytes / 1e6
        print(f"  {name:28s} own {1e3 * theirs:7.1f} ms, packed {1e3 * ours:7.1f} ms ({size:.1f} MB): {theirs / ours:5.1f} times as fast")


def compare_single_rows(voting: VotingClassifier, rows: np.ndarray) -> None:
    packed, row = checked(voting, rows), rows[:1]
    ours, theirs = side_by_side(
        lambda: [packed.predict_proba(row) for _ in range(200)], lambda: [voting.predict_proba(row) for _ in range(5)]
    )
    ours, theirs = ours / 200, theirs / 5
    print(f"One row, soft vote of the three\n  own {1e6 * theirs:.0f} us, packed {1e6 * ours:.0f} us: {theirs / ours:.0f} times as fast")


def compare_routing(X: np.ndarray, y: np.ndarray, rows: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    fitted = [XGBClassifier(n_estimators=100, n_jobs=1).fit(X[i::8], y[i::8]) for i in range(8)]
    begin = time.perf_counter()
    experts = [pack_expert(model, np.arange(3)) for model in fitted]
    gate = rng.normal(size=(X.shape[1] + 1, 8))
    model = assemble(gate, experts, kind="mixture", classes=np.arange(3), n_features=X.shape[1])
    packing = time.perf_counter() - begin
    top1 = model.routed(1)
    soft_s, top1_s = side_by_side(lambda: model.predict_proba(rows), lambda: top1.predict_proba(rows))
    visits = top1.node_visits(rows[:1000])
    print(f"Mixture of 8 boosted experts of 300 trees, batch of {len(rows)} rows")
    print(f"  soft {1e3 * soft_s:.0f} ms, top-1 {1e3 * top1_s:.0f} ms: {top1_s / soft_s:.3f} of the time")
    print(f"  node visits a row: {visits.total:.0f} soft, {visits.active:.0f} top-1; packing {packing:.2f} s")


def time_first_calls() -> None:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        cold, warm = (
            float(subprocess.run([sys.executable, "-c", FIRST_CALL], env=environment, capture_output=True, check=True).stdout)
            for _ in range(2)
        )
    print(f"First call in a new process: {cold:.1f} s with an empty cache of compiled code, {warm:.2f} s afterwards")


def checked(model: Any, rows: np.ndarray) -> PackedModel:
    """Pack, and compare on the whole batch; float32 softmax of XGBoost sets the tolerance."""
    packed = pack(model)
    error = np.abs(packed.predict_proba(rows) - model.predict_proba(rows)).max()
    assert error < 1e-5, error
    return packed


def side_by_side(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int = 5) -> tuple[float, float]:
    """Best of alternating runs, so that both meet the same disturbances."""
    times = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return min(a for a, _ in times), min(b for _, b in times)


def seconds(function: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
