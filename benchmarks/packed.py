"""Speed of packed models as ratios to the libraries' own prediction, measured side by side in one run, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/packed.py [--tables FOLDER] [--peers PYTHON]

Every answer is compared with the library's own before it is timed. With ``--tables``, also on every ``*.csv`` of a folder, whose column
``target`` is the answer, and there on knife-edge rows too: thresholds of the fitted trees, their float32 neighbours, zeros, denormals,
and missing values where the library takes them. With ``--peers``, lleaves and treelite's compiled trees, in an environment of their own
(``benchmarks/peers/tree_engines.py``). ONNX Runtime answers beside, where it is installed, by what `to_onnx` exports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from ensemblekit.packed import PackedModel, pack, to_onnx
from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import pack_expert
from ensemblekit.trees import TreeEnsemble, read_trees

PEERS = Path(__file__).parent / "peers" / "tree_engines.py"
EDGE_ROWS = 3000
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
    parser = argparse.ArgumentParser(description="Speed and exactness of packed models.")
    parser.add_argument("--tables", type=Path, help="folder of CSV tables with a column 'target'")
    parser.add_argument("--peers", help="Python that has lleaves, treelite and tl2cgen")
    options = parser.parse_args()
    X, y = make_classification(ROWS + BATCH, 20, n_informative=10, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    train, rows = (X[:ROWS], y[:ROWS]), np.ascontiguousarray(X[ROWS:])
    with threadpool_limits(1):
        voting = VotingClassifier(members(), voting="soft").fit(*train)
        compare_batches(voting, rows)
        compare_single_rows(voting, rows)
        compare_onnx_runtime(voting, rows)
        if options.peers:
            compare_peers(voting, rows, options.peers)
        compare_routing(*train, rows)
        for path in sorted(options.tables.glob("*.csv")) if options.tables else []:
            compare_table(path)
    time_first_calls()


def members() -> list[tuple[str, Any]]:
    return [
        ("random forest, 200 trees", RandomForestClassifier(200, n_jobs=1, random_state=0)),
        ("XGBoost, 150 rounds", XGBClassifier(n_estimators=150, n_jobs=1)),
        ("LightGBM, 150 rounds", LGBMClassifier(n_estimators=150, n_jobs=1, verbose=-1)),
    ]


def named(voting: VotingClassifier) -> list[tuple[str, Any]]:
    single = [(name, fitted) for (name, _), fitted in zip(voting.estimators, voting.estimators_, strict=True)]
    return [*single, ("soft vote of the three", voting)]


def compare_batches(voting: VotingClassifier, rows: np.ndarray) -> None:
    print(f"Batch of {len(rows)} rows, 3 classes, one thread")
    for name, model in named(voting):
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


def compare_onnx_runtime(voting: VotingClassifier, rows: np.ndarray) -> None:
    if find_spec("onnxruntime") is None:
        print("ONNX Runtime is not installed")
        return
    import onnxruntime  # noqa: PLC0415 - optional

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    print("ONNX Runtime, by what to_onnx exports")
    for name, model in named(voting):
        packed, row = pack(model), rows[:1]
        session = onnxruntime.InferenceSession(to_onnx(packed).SerializeToString(), options)
        error = np.abs(session.run(["probabilities"], {"X": rows})[0] - packed.predict_proba(rows)).max()
        assert error < 1e-6, error
        ours, theirs = side_by_side(lambda: packed.predict_proba(rows), lambda: session.run(None, {"X": rows}))  # noqa: B023
        one, other = side_by_side(
            lambda: [packed.predict_proba(row) for _ in range(200)],  # noqa: B023
            lambda: [session.run(None, {"X": row}) for _ in range(200)],  # noqa: B023
        )
        batch = f"batch {1e3 * theirs:7.1f} ms, packed {1e3 * ours:7.1f} ms: {theirs / ours:5.1f} times as fast"
        print(f"  {name:28s} {batch}; one row {5e3 * other:5.0f} us, packed {5e3 * one:4.0f} us: {other / one:.1f}")


def compare_peers(voting: VotingClassifier, rows: np.ndarray, python: str) -> None:
    fitted = dict(named(voting))
    xgboost, lightgbm = (fitted[name] for name in fitted if name.startswith(("XGBoost", "LightGBM")))
    with tempfile.TemporaryDirectory() as folder:
        xgboost.get_booster().save_model(f"{folder}/xgboost.json")
        lightgbm.booster_.save_model(f"{folder}/lightgbm.txt")
        np.save(f"{folder}/rows.npy", rows)
        done = subprocess.run([python, str(PEERS), folder], capture_output=True, text=True, check=True)
    print("Compiled trees")
    for name, theirs in json.loads(done.stdout.splitlines()[-1]).items():
        if isinstance(theirs, str):
            print(f"  {name:28s} did not run: {theirs}")
            continue
        packed = pack(lightgbm if "LightGBM" in name else xgboost)
        batch = min(seconds(lambda: packed.predict_proba(rows)) for _ in range(5))  # noqa: B023
        single = min(seconds(lambda: [packed.predict_proba(rows[:1]) for _ in range(200)]) for _ in range(5)) / 200  # noqa: B023
        told = f"batch {1e3 * theirs['batch']:7.1f} ms, packed {1e3 * batch:7.1f} ms: {theirs['batch'] / batch:5.1f} times as fast"
        print(
            f"  {name:28s} {told}; one row {1e6 * theirs['single']:5.0f} us, packed {1e6 * single:4.0f} us: {theirs['single'] / single:.1f}"
        )


def compare_table(path: Path) -> None:
    """Fit the three on four fifths of a table; exactness on the rest and on the knife's edge, then speed."""
    frame = pd.read_csv(path)
    y = frame.pop("target")
    if y.nunique() > 20:
        print(f"{path.stem}: {y.nunique()} answers, taken as a regression and left out here")
        return
    X = frame.apply(lambda column: column if column.dtype.kind in "if" else column.astype("category").cat.codes).to_numpy(np.float32)
    codes, test = y.astype("category").cat.codes.to_numpy(), np.arange(len(X)) % 5 == 0
    rows = np.ascontiguousarray(X[test])
    print(f"{path.stem}: {len(X)} rows, {X.shape[1]} columns, {codes.max() + 1} classes")
    for name, model in [*members(), ("decision tree", DecisionTreeClassifier(random_state=0))]:
        packed = checked(model.fit(X[~test], codes[~test]), rows)
        edge = knife_edge(read_trees(model), rows)
        on_edge = np.abs(packed.predict_proba(edge) - model.predict_proba(edge)).max()
        assert on_edge < 1e-5, (name, on_edge)
        ours, theirs = side_by_side(lambda: packed.predict_proba(rows), lambda: model.predict_proba(rows))  # noqa: B023
        error = np.abs(packed.predict_proba(rows) - model.predict_proba(rows)).max()
        told = f"own {1e3 * theirs:7.1f} ms, packed {1e3 * ours:7.1f} ms: {theirs / ours:5.1f} times as fast"
        print(f"  {name:28s} {told}; largest error {error:.0e}, on {len(edge)} knife-edge rows {on_edge:.0e}")


def knife_edge(trees: TreeEnsemble, rows: np.ndarray) -> np.ndarray:
    """Rows whose cells are thresholds of the trees, their neighbours and special numbers; scikit-learn and XGBoost refuse infinities."""
    rng = np.random.default_rng(0)
    edge = rows[rng.integers(len(rows), size=EDGE_ROWS)]
    special = np.array([0.0, -0.0, 1e-40, -1e-40, 1e30, -1e30], np.float32)
    special = np.append(special, np.float32(np.nan)) if trees.accepts_missing else special
    for column in range(trees.n_features):
        t = trees.threshold[trees.feature == column]
        around = [np.nextafter(t, np.float32(side * np.inf), dtype=np.float32) for side in (1, -1)]
        edge[:, column] = rng.choice(np.concatenate([t, *around, special]), EDGE_ROWS)
    return edge


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
