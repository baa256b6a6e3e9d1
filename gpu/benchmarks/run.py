"""Speed of the kernels on the CUDA device at hand, against lower bounds and CuPy array code.

Checks every case against the NumPy reference first, and times nothing that is wrong. Writes
``gpu/benchmarks/results/<date>-<card>.json``.

    python gpu/benchmarks/run.py [--rows N]
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ensemblekit import device
from ensemblekit.packed import PackedModel, reference
from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import LinearExpert, TreeExpert
from ensemblekit.trees.flat import Tree, flatten

ROWS, COLUMNS, EXPERTS, CLASSES, DEPTH, TREES = 1_000_000, 32, 8, 3, 6, 100
RESULTS = Path(__file__).parent / "results"
CHECKED = 3000
# Lower bounds for one million rows on an H200 SXM in ms, from bandwidth, issue slots and shared-memory wavefronts; see gpu/README.md.
H200_BOUNDS = {
    "linear experts, soft": 0.031,
    "linear experts, top-1": 0.031,
    "100 vector-leaf trees an expert, soft": 2.1,
    "100 vector-leaf trees an expert, top-1": 0.26,
    "100 rounds x 3 classes an expert, soft": 6.3,
    "100 rounds x 3 classes an expert, top-1": 0.79,
    "E-step": 0.054,
}


class Case(NamedTuple):
    """A model to time."""

    name: str
    model: PackedModel


def make_cases(trees: int = TREES, rng: np.random.Generator | None = None) -> list[Case]:
    """Random models of the size that the bounds are for: speed does not depend on what was learned."""
    rng = np.random.default_rng(0) if rng is None else rng
    gate = rng.normal(size=(COLUMNS + 1, EXPERTS)) / COLUMNS**0.5
    kinds: dict[str, Callable[[], Any]] = {
        "linear experts": lambda: LinearExpert(rng.normal(size=(CLASSES, COLUMNS)), rng.normal(size=CLASSES), np.arange(CLASSES)),
        f"{trees} vector-leaf trees an expert": lambda: _forest(rng, trees, CLASSES),
        f"{trees} rounds x {CLASSES} classes an expert": lambda: _forest(rng, trees * CLASSES, 1),
    }
    cases = []
    for kind, make in kinds.items():
        experts = [make() for _ in range(EXPERTS)]
        model = assemble(gate, experts, kind="random", classes=np.arange(CLASSES), n_features=COLUMNS)
        cases += [Case(f"{kind}, soft", model), Case(f"{kind}, top-1", model.routed(1))]
    return cases


def _forest(rng: np.random.Generator, trees: int, width: int) -> TreeExpert:
    outputs = [-1] * trees if width > 1 else [t % CLASSES for t in range(trees)]
    link, scale = ("identity", 1 / trees) if width > 1 else ("softmax", 0.1)
    made = flatten([_tree(rng, width, output) for output in outputs], n_features=COLUMNS, n_outputs=CLASSES, link=link, scale=scale)
    return TreeExpert(made, np.arange(CLASSES))


def _tree(rng: np.random.Generator, width: int, output: int) -> Tree:
    splits, nodes = 2**DEPTH - 1, 2 ** (DEPTH + 1) - 1
    left = np.where(np.arange(nodes) < splits, 2 * np.arange(nodes) + 1, -1)
    value = rng.dirichlet(np.ones(width), nodes) if width > 1 else rng.normal(size=(nodes, 1))
    return Tree(
        rng.integers(0, COLUMNS, nodes),
        rng.normal(size=nodes).astype(np.float32),
        left,
        np.where(left < 0, -1, left + 1),
        rng.random(nodes) < 0.5,
        value,
        output,
    )


def check(name: str, found: Any, expected: Any) -> float:
    """Largest error; ends the run when it is too large to time the case."""
    error = float(np.abs(found - expected).max())
    if not error <= 5e-6:
        sys.exit(f"{name}: the largest error is {error:.1e}, allowed are 5e-06. Nothing was timed.")
    return error


def time_ms(cupy: Any, function: Callable[[], Any], repeats: int = 20) -> float:
    """Median time on the device's own clock, after three calls to warm up."""
    for _ in range(3):
        function()
    times = []
    for _ in range(repeats):
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record()
        function()
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(begin, end))
    return float(np.median(times))


def time_case(cupy: Any, case: Case, X: Any, on_host: Any) -> dict[str, Any]:
    """Check, then time with X on the device and with X on the host."""
    on_gpu = case.model.to_gpu()
    error = check(case.name, on_gpu.predict_proba(X[:CHECKED]).get(), reference.predict_proba(case.model, on_host[:CHECKED]))
    return {
        "case": case.name,
        "max_error": error,
        "device_ms": time_ms(cupy, lambda: on_gpu.predict_proba(X)),
        "with_copies_ms": time_ms(cupy, lambda: on_gpu.predict_proba(on_host), repeats=5),
    }


def time_array_code(cupy: Any, model: PackedModel, X: Any, on_host: Any) -> dict[str, Any]:
    """Time the linear mixture in plain CuPy array code, for comparison."""
    gate, experts = cupy.asarray(model.gate, cupy.float32), cupy.asarray(model.linear, cupy.float32)

    def softmax(z: Any) -> Any:
        z = cupy.exp(z - z.max(axis=-1, keepdims=True))
        return z / z.sum(axis=-1, keepdims=True)

    def evaluate(x: Any) -> Any:
        answers = softmax((x @ experts[:, :-1] + experts[:, None, -1]).transpose(1, 0, 2))
        return (softmax(x @ gate[:-1] + gate[-1])[:, :, None] * answers).sum(axis=1)

    error = check("array code", evaluate(X[:CHECKED]).get(), reference.predict_proba(model, on_host[:CHECKED]))
    return {"case": "linear experts, soft, CuPy array code", "max_error": error, "device_ms": time_ms(cupy, lambda: evaluate(X))}


def time_expectation(cupy: Any, n: int) -> dict[str, Any]:
    """Check and time the E-step on cached log-probabilities."""
    from ensemblekit_gpu.cupy_launcher import CupyLauncher  # noqa: PLC0415  # needs CuPy
    from ensemblekit_gpu.estep import expectation  # noqa: PLC0415

    rng = np.random.default_rng(0)
    log_gate, log_density = (cupy.asarray(rng.normal(size=(n, EXPERTS))) for _ in range(2))
    weight = cupy.ones(n)

    def run() -> Any:
        return expectation(CupyLauncher(), log_gate, log_density, weight)

    joint = (log_gate[:CHECKED] + log_density[:CHECKED]).get()
    expected = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
    error = check("E-step", run().responsibilities[:CHECKED].get(), expected)
    return {"case": "E-step", "max_error": error, "device_ms": time_ms(cupy, run)}


def finish(result: dict[str, Any], rows: int, card: str) -> dict[str, Any]:
    """Add rows per second, and the share of the bound where it is known for the card."""
    result["rows_per_s"] = rows / result["device_ms"] * 1e3
    bound = H200_BOUNDS.get(result["case"]) if "H200" in card else None
    if bound is not None:
        result["bound_ms"] = bound * rows / ROWS
        result["percent_of_bound"] = 100 * result["bound_ms"] / result["device_ms"]
    return result


def print_table(results: Iterable[dict[str, Any]]) -> None:
    """Print the rows of the table in gpu/README.md."""
    print("| case | ms | million rows/s | % of bound | ms with copies |\n|---|---|---|---|---|")
    for r in results:
        share = f"{r['percent_of_bound']:.0f}" if "percent_of_bound" in r else ""
        copies = f"{r['with_copies_ms']:.2f}" if "with_copies_ms" in r else ""
        print(f"| {r['case']} | {r['device_ms']:.3f} | {r['rows_per_s'] / 1e6:.1f} | {share} | {copies} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the kernels on the CUDA device at hand.")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows in a batch")
    rows = parser.parse_args().rows
    reason = device.why_no_gpu()
    if reason is not None:
        sys.exit(f"No benchmark: {reason}")
    import cupy  # noqa: PLC0415  # only where there is a GPU

    card = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    on_host = np.random.default_rng(1).normal(size=(rows, COLUMNS)).astype(np.float32)
    X = cupy.asarray(on_host)
    cases = make_cases()
    results = [time_case(cupy, case, X, on_host) for case in cases]
    results += [time_array_code(cupy, cases[0].model, X, on_host), time_expectation(cupy, rows)]
    results = [finish(result, rows, card) for result in results]
    now = datetime.now(UTC)
    record = {
        "date": now.isoformat(timespec="seconds"),
        "card": card,
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "runtime": cupy.cuda.runtime.runtimeGetVersion(),
        "cupy": cupy.__version__,
        "python": platform.python_version(),
        "rows": rows,
        "columns": COLUMNS,
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{now.date()}-{re.sub(r'[^a-z0-9]+', '-', card.lower()).strip('-')}.json"
    target.write_text(json.dumps(record, indent=2) + "\n")
    print_table(results)
    print(f"written: {target}")


if __name__ == "__main__":
    main()
