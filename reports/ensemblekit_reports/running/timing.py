"""Costs of one model on one fold, measured inside a process that does nothing else.

Started as ``python -m ensemblekit_reports.running.timing`` with a clean environment and pinned threads; `serving.py` sees to it that
every measurement has a fresh process that has seen no other model.

Only this project writes jobs, and nothing here reads the user's file: the table arrives as plain arrays. A pickle
arrives only for an estimator that the caller passed in from Python, written by the same run a moment before.
"""

from __future__ import annotations

import ctypes
import gc
import json
import pickle
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from joblib import wrap_non_picklable_objects
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ensemblekit.packed import compute
from ensemblekit_reports.running.attempt import say
from ensemblekit_reports.running.global_state import seed_generators
from ensemblekit_reports.running.grouped_folds import with_grouped_folds
from ensemblekit_reports.running.pace import EVERY_SECONDS, Pace
from ensemblekit_reports.running.peak_memory import peak_bytes, reset_peak
from ensemblekit_reports.running.preprocessing import preprocessing
from ensemblekit_reports.running.serving import Tell, serve
from ensemblekit_reports.running.warm_up import warm_up
from ensemblekit_reports.studies.registry import import_models, registry

Floats = NDArray[np.float64]
Record = dict[str, float | bool | str]

#: Calls without which a 99th percentile means nothing.
SINGLE_CALLS = 1_000
#: In quick mode single rows stop after so many seconds, but not before so many calls.
QUICK_SECONDS, QUICK_CALLS = 0.5, 50
BATCHES = (100, 10_000)
#: A batch is repeated until it took so long in total, at most so often.
BATCH_SECONDS, BATCH_REPEATS = 0.2, 50
#: Test rows over which compute is averaged: the first, hence the same in every run.
COUNTED_ROWS = 200
_COMPUTE = ("compute_total", "compute_active", "node_visits_active", "multiply_adds_active")
#: Wall time may exceed CPU time by this share and these seconds before a timing counts as contended.
CONTENDED_SHARE, CONTENDED_SECONDS = 0.15, 0.02


def measure(job: dict[str, Any], tell: Tell) -> Record:
    """Measure every cost of one model on one fold.

    Parameters
    ----------
    job : dict
        As written by ``cost.py``: ``arrays`` (npz with ``X``, ``y``, ``tested``, perhaps ``weights`` and ``groups``), ``task``,
        ``model`` (registry name) or ``estimator`` (pickle), ``kind`` and ``columns`` of the preprocessing, ``seed``, ``threads``,
        ``quick``.
    tell : callable
        Told of the steps.

    Returns
    -------
    dict
        Each name in ``quantities.COSTS``, ``predict_single_calls``, ``contended``, ``pace_fastest_s``, ``pace_fit_s``,
        ``pace_predict_s``, ``memory_note``, ``size_note`` and ``compute_note``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> with TemporaryDirectory() as folder:
    ...     arrays = Path(folder) / "iris.npz"
    ...     np.savez(arrays, X=X, y=y, tested=np.arange(150) % 5 == 0)
    ...     job = {"arrays": str(arrays), "model": "logistic", "kind": "linear", "columns": [[0, 1, 2, 3], [], []]}
    ...     job["task"] = "classification"
    ...     record = measure(job | {"seed": 0, "threads": 1, "quick": True}, print)
    start 0
    start 1
    >>> record["fit_wall_s"] > 0, record["size_bytes"] > record["size_compressed_bytes"]
    (True, True)
    """
    tell("start 0")
    with np.load(job["arrays"], allow_pickle=False) as arrays:
        X, y, tested = arrays["X"], arrays["y"], arrays["tested"]
        weighted = {"model__sample_weight": arrays["weights"][~tested]} if "weights" in arrays else {}
        groups = arrays["groups"][~tested] if "groups" in arrays else None
    X_train, y_train, X_test = X[~tested], y[~tested], X[tested]
    warnings.simplefilter("ignore")
    with threadpool_limits(limits=job["threads"]):
        warm_up(partial(_pipeline, job), job["columns"], len(np.unique(y)) if job["task"] == "classification" else 0)
        pipeline = with_grouped_folds(_pipeline(job, job["columns"]), y_train, groups)
        seed_generators(job["seed"])
        pace = Pace()
        pace.look()
        record = _measure_fit(pipeline, X_train, y_train, weighted)
        pace.look()
        pace.fitted()
        record |= _measure_size(pipeline)
        tell("start 1")
        record |= _measure_predict(pipeline.predict, X_test, pace, quick=job["quick"])
        record |= pace.record()
        record |= _count_compute(pipeline, X_test[:COUNTED_ROWS])
        if job.get("energy"):
            # Last, since it fits again and reads sensors while it does.
            from ensemblekit_reports.running.energy import estimate  # noqa: PLC0415 - only where it is asked for

            fresh, batch = clone(pipeline), _rows(X_test, BATCHES[-1])
            record |= estimate(lambda: fresh.fit(X_train, y_train, **weighted), lambda: pipeline.predict(batch), job["energy"])
    return record


def _pipeline(job: dict[str, Any], columns: list[list[int]]) -> Pipeline:
    factory = _unpickle(Path(job["estimator"])) if "estimator" in job else registry(job["task"])[job["model"]].factory
    return Pipeline([("prepare", preprocessing(job["kind"], *columns)), ("model", factory(job["seed"]))])


def _unpickle(file: Path) -> Any:
    return pickle.loads(file.read_bytes())  # noqa: S301 - written by this very run, a moment ago


def _measure_fit(pipeline: Pipeline, X: Floats, y: NDArray[Any], weighted: dict[str, Floats]) -> Record:
    before = _settle()
    wall, cpu = _timed(lambda: pipeline.fit(X, y, **weighted))
    return {
        "fit_wall_s": wall,
        "fit_cpu_s": cpu,
        "fit_peak_bytes": peak_bytes() - before,
        "contended": _is_contended(wall, cpu),
        "memory_note": "" if np.isfinite(before) else _NO_PEAK,
    }


def _measure_size(pipeline: Pipeline) -> Record:
    try:
        stored = _stored(pipeline)
    except Exception as error:  # noqa: BLE001 - a lock, a handle: it has no size, and its times are found
        return {"size_bytes": np.nan, "size_compressed_bytes": np.nan, "size_note": say(error)}
    return {"size_bytes": float(len(stored)), "size_compressed_bytes": float(len(zlib.compress(stored, 6))), "size_note": ""}


def _stored(pipeline: Pipeline) -> bytes:
    try:
        return pickle.dumps(pipeline, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        # Its class lives in the caller's script: it is stored with the model.
        return pickle.dumps(wrap_non_picklable_objects(pipeline, keep_wrapper=False), protocol=5)


def _measure_predict(predict: Callable[[Floats], Any], X: Floats, pace: Pace, *, quick: bool) -> Record:
    batches = {size: _rows(X, size) for size in BATCHES}
    before = _settle()
    wall, cpu = time.perf_counter(), time.process_time()
    # The largest first: it sets the high-water mark.
    speed = {size: _rows_per_second(predict, batches[size]) for size in sorted(batches, reverse=True)}
    record: Record = {f"predict_rows_per_s_{size}": speed[size] for size in BATCHES}
    record["predict_peak_bytes"] = peak_bytes() - before
    record |= _single_rows(predict, X, pace, quick=quick)
    contended = _is_contended(time.perf_counter() - wall, time.process_time() - cpu)
    return record | ({"contended": True} if contended else {})


def _count_compute(pipeline: Pipeline, X: Floats) -> Record:
    try:
        found = compute(pipeline, X)
    except Exception as error:  # noqa: BLE001 - whatever kind of model it is, its times are found
        return dict.fromkeys(_COMPUTE, np.nan) | {"compute_note": " ".join(str(error).split())[:200] or type(error).__name__}
    numbers = found.total, found.active, found.node_visits.active, found.multiply_adds.active
    return dict(zip(_COMPUTE, numbers, strict=True)) | {"compute_note": ""}


def _rows(X: Floats, size: int) -> Floats:
    return np.ascontiguousarray(np.resize(X, (size, X.shape[1])))


def _rows_per_second(predict: Callable[[Floats], Any], X: Floats) -> float:
    seconds: list[float] = []
    while sum(seconds) < BATCH_SECONDS and len(seconds) < BATCH_REPEATS:
        seconds.append(_timed(lambda: predict(X))[0])
    return float(len(X) / np.median(seconds))


def _single_rows(predict: Callable[[Floats], Any], X: Floats, pace: Pace, *, quick: bool) -> Record:
    rows = [X[position : position + 1] for position in range(len(X))]
    clock = time.perf_counter_ns
    seconds: list[float] = []
    look = time.perf_counter()
    stop = look + (QUICK_SECONDS if quick else np.inf)
    while len(seconds) < SINGLE_CALLS and (len(seconds) < QUICK_CALLS or time.perf_counter() < stop):
        if time.perf_counter() >= look:
            pace.look()
            predict(rows[0])  # what the look has pushed out of the caches is brought back before the next call is timed
            look = time.perf_counter() + EVERY_SECONDS
        row = rows[len(seconds) % len(rows)]
        started = clock()
        predict(row)
        seconds.append((clock() - started) / 1e9)
    pace.look()
    p50, p90, p99 = np.percentile(seconds, [50, 90, 99])
    return {
        "predict_single_p50_s": float(p50),
        "predict_single_p90_s": float(p90),
        "predict_single_p99_s": float(p99) if len(seconds) >= SINGLE_CALLS else np.nan,
        "predict_single_calls": len(seconds),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _is_contended(wall: float, cpu: float) -> bool:
    return wall > (1 + CONTENDED_SHARE) * cpu + CONTENDED_SECONDS


_NO_PEAK = "Peak memory was not measured: this system does not let a process reset its high-water mark (VmHWM)."


def _settle() -> float:
    """Give freed memory back and reset the high-water mark; return the bytes now resident, NaN where that cannot be."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
    return reset_peak()


def answer(job_file: Path, tell: Tell) -> None:
    """Measure a job and write what was found, or why nothing was, beside it.

    Parameters
    ----------
    job_file : Path
        JSON; its ``answer`` names the file to write.
    tell : callable
        Told of the steps: 0 is the fit, 1 all predictions.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     job = Path(folder) / "job.json"
    ...     _ = job.write_text(json.dumps({"arrays": "none.npz", "answer": folder + "/answer.json"}))
    ...     answer(job, print)
    ...     print(json.loads((Path(folder) / "answer.json").read_text())["reason"][:17])
    start 0
    FileNotFoundError
    """
    job = json.loads(job_file.read_text(encoding="utf-8"))
    try:
        found: dict[str, Any] = {"reason": "", "costs": measure(job, tell)}
    except BaseException as error:  # noqa: BLE001 - a model may raise anything; the reason is the answer
        found = {"reason": say(error), "costs": {}}
    Path(job["answer"]).write_text(json.dumps(found), encoding="utf-8", errors="replace")


if __name__ == "__main__":
    serve(answer, import_models)
