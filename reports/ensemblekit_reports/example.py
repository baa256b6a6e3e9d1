"""A small made-up study: what a `Results` looks like. The examples in the documentation use it; no model is fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ensemblekit_reports.quantities import COSTS, DEFAULT_METRICS, metrics_of
from ensemblekit_reports.results import Environment, ModelFacts, Results, TableFacts

_MODELS = (
    ModelFacts("moe", "Mixture of experts", "mixture", "MixtureOfExpertsClassifier()"),
    ModelFacts("averaging", "Averaging", "ensemble", "AveragingEnsembleClassifier()"),
    ModelFacts("logistic", "Logistic regression", "single", "LogisticRegression()"),
)
#: Mean accuracy (or R squared) and seconds to predict a single row.
_LEVELS = {"moe": (0.95, 4e-4), "averaging": (0.93, 5e-3), "logistic": (0.85, 3e-4)}
_ENVIRONMENT = Environment(
    command="ensemblekit compare moons.csv --target moon",
    seed=0,
    versions={"python": "3.11.7", "scikit-learn": "1.9.1"},
    machine={"processor": "example", "logical cores": "2"},
    fingerprint="0123456789ab",
    threads=1,
    started_at="2026-01-01T00:00:00+00:00",
    elapsed_s=12.0,
)


def example_results(tables: tuple[str, ...] = ("moons",), n_splits: int = 5, n_repeats: int = 2, task: str = "classification") -> Results:
    """Make the results of a study that never ran.

    Parameters
    ----------
    tables : tuple of str, default=("moons",)
        Names of the tables.
    n_splits, n_repeats : int
        Fold scheme.
    task : str, default="classification"
        Or ``"regression"``.

    Returns
    -------
    Results
        Three models on each table, every fold finished; the same numbers every time.

    Examples
    --------
    >>> example_results().cells.shape
    (30, 32)
    """
    random = np.random.default_rng(0)
    rows = [
        _cell(random, table, model.name, repeat, fold, task)
        for table in tables
        for model in _MODELS
        for repeat in range(n_repeats)
        for fold in range(n_splits)
    ]
    return Results(
        name="example",
        metric=DEFAULT_METRICS[task],
        rope=0.01,
        n_repeats=n_repeats,
        n_splits=n_splits,
        quick=False,
        tables=tuple(_table(name, task) for name in tables),
        models=_MODELS,
        environment=replace(_ENVIRONMENT),
        cells=pd.DataFrame(rows),
        task=task,
    )


def _table(name: str, task: str) -> TableFacts:
    is_amount = task == "regression"
    return TableFacts(
        name=name,
        source=f"{name}.csv",
        licence="CC0-1.0",
        target="moon",
        checksum="00" * 32,
        n_rows=400,
        n_columns=2,
        column_kinds={"numeric": 2},
        class_counts={} if is_amount else {"lower": 200, "upper": 200},
        task=task,
        answers={"min": 0.0, "median": 4.2, "max": 10.0, "mean": 4.5, "std": 2.5} if is_amount else {},
    )


def _cell(random: np.random.Generator, table: str, model: str, repeat: int, fold: int, task: str) -> dict[str, object]:
    level, seconds = _LEVELS[model]
    good = min(1.0, level + 0.01 * random.standard_normal())
    scores = {q.name: good if q.higher_is_better else 2 * (1 - good) for q in metrics_of(task)}
    # Operations are counted, the rest is measured.
    noise = {q.name: 1.0 if q.unit == "operations" else random.uniform(0.9, 1.1) for q in COSTS}
    costs = {q.name: seconds * _COST_OVER_LATENCY[q.name] * noise[q.name] for q in COSTS}
    key = {"dataset": table, "model": model, "repeat": repeat, "fold": fold}
    facts = {"status": "ok", "reason": "", "n_train": 320, "n_test": 80}
    return key | facts | scores | costs | {"predict_single_calls": 1000, "contended": False}


_COST_OVER_LATENCY = {
    "fit_wall_s": 1e3,
    "fit_cpu_s": 1e3,
    "predict_single_p50_s": 1.0,
    "predict_single_p90_s": 1.2,
    "predict_single_p99_s": 2.0,
    "predict_rows_per_s_100": 1e8,
    "predict_rows_per_s_10000": 1e9,
    "fit_peak_bytes": 1e11,
    "predict_peak_bytes": 1e10,
    "size_bytes": 1e9,
    "size_compressed_bytes": 3e8,
    "compute_total": 1e6,
    "compute_active": 8e5,
    "node_visits_active": 7e5,
    "multiply_adds_active": 1e5,
}
