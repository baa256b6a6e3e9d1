"""Made-up studies with everything that can go wrong; no model is fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.reporting.answers import of_classes
from ensemblekit_reports.results import Environment, ModelFacts, Results, TableFacts

MODELS = (
    ModelFacts("logistic", "Logistic regression", "single", "LogisticRegression()"),
    ModelFacts("random-forest", "Random forest", "single", "RandomForestClassifier()"),
    ModelFacts("xgboost", "XGBoost", "single", "XGBClassifier()"),
    ModelFacts("lightgbm", "LightGBM", "single", "LGBMClassifier()"),
    ModelFacts("averaging", "Averaging", "ensemble", "AveragingEnsembleClassifier()"),
    ModelFacts("weighted", "Weighted averaging", "ensemble", "WeightedEnsembleClassifier()"),
    ModelFacts("voting", "Voting", "ensemble", "VotingEnsembleClassifier()"),
    ModelFacts("moe", "Mixture of experts", "mixture", "MixtureOfExpertsClassifier(n_experts=4)"),
)
#: Seconds to predict one row.
LATENCY = {
    "logistic": 2.1e-4,
    "random-forest": 4.8e-3,
    "xgboost": 9e-4,
    "lightgbm": 7e-4,
    "averaging": 6.7e-3,
    "weighted": 6.9e-3,
    "voting": 6.8e-3,
    "moe": 3.1e-4,
}
#: Mean accuracy by table, in the order of MODELS.
LEVELS = {
    "iris": (0.955, 0.947, 0.94, 0.945, 0.95, 0.952, 0.948, 0.957),
    "wine": (0.982, 0.978, 0.966, 0.972, 0.98, 0.981, 0.979, 0.979),
    "breast cancer": (0.976, 0.958, 0.965, 0.964, 0.968, 0.969, 0.966, 0.973),
    "digits": (0.962, 0.972, 0.963, 0.973, 0.98, 0.981, 0.978, 0.966),
    "regimes": (0.61, 0.83, 0.84, 0.85, 0.86, 0.862, 0.858, 0.93),
}
FACTS = {"iris": (150, 4, 3), "wine": (178, 13, 3), "breast cancer": (569, 30, 2), "digits": (1797, 64, 10)}
ENVIRONMENT = Environment(
    command="ensemblekit compare",
    seed=7,
    versions={"python": "3.11.7", "numpy": "2.4.6", "scikit-learn": "1.9.1", "xgboost": "3.2.0", "lightgbm": "4.7.0"},
    machine={"processor": "Example CPU", "logical cores": "2", "memory": "24 GB", "operating system": "Linux"},
    fingerprint="0123456789ab",
    threads=1,
    started_at="2026-01-01T00:00:00+00:00",
    elapsed_s=121.4,
)


def study(
    levels: dict[str, tuple[float, ...]] | None = None,
    models: tuple[ModelFacts, ...] = MODELS,
    *,
    n_repeats: int = 2,
    n_splits: int = 5,
    seed: int = 0,
    **changes: object,
) -> Results:
    """Make a study whose fold scores scatter around given levels, with the noise of a fold shared by its models."""
    levels = LEVELS if levels is None else levels
    random = np.random.default_rng(seed)
    rows = [
        _cell(random, table, model, level, shared, repeat, fold)
        for table, of_models in levels.items()
        for repeat in range(n_repeats)
        for fold in range(n_splits)
        for shared in [random.standard_normal()]
        for model, level in zip(models, of_models, strict=True)
    ]
    facts: dict[str, object] = {
        "name": "default",
        "metric": "accuracy",
        "rope": 0.01,
        "n_repeats": n_repeats,
        "n_splits": n_splits,
        "quick": True,
        "tables": tuple(_table(name) for name in levels),
        "models": models,
        "environment": ENVIRONMENT,
        "cells": pd.DataFrame(rows),
    }
    return Results(**(facts | changes))  # type: ignore[arg-type]


def fail(results: Results, model: str, folds: int, reason: str = "ValueError: no", status: str = "failed") -> Results:
    """Let the first folds of a model fail, in place."""
    cells = results.cells
    hit = cells.index[cells["model"] == model][:folds]
    cells.loc[hit, ["status", "reason"]] = [status, reason]
    cells.loc[hit, cells.columns[cells.columns.get_loc("n_test") + 1 : -1]] = np.nan
    return results


def undefined(results: Results, n_folds: int = 1) -> Results:
    """Let the primary metric have no value on the first folds of every table, whatever the model, in place."""
    cells = results.cells
    cells.loc[cells["repeat"] * results.n_splits + cells["fold"] < n_folds, results.metric] = np.nan
    return results


def answered(results: Results, n_classes: int = 2) -> Results:
    """Let every model answer something on every table."""
    random = np.random.default_rng(0)
    y, p = random.integers(0, n_classes, 200), random.dirichlet(np.ones(n_classes), 200)
    p = (p + 2 * np.eye(n_classes)[y]) / 3
    found = [of_classes(t.name, m.name, y, p.argmax(axis=1), p, np.ones(200), n_classes) for t in results.tables for m in results.models]
    return replace(results, answers=tuple(found))


def _table(name: str) -> TableFacts:
    rows, columns, classes = FACTS.get(name, (400, 6, 2))
    counts = {f"class {i}": rows // classes for i in range(classes)}
    return TableFacts(
        name,
        "bundled",
        "CC0-1.0",
        "target",
        "ab" * 32,
        rows,
        columns,
        {"numeric": columns},
        counts,
        ("1 date column left out",),
        origin="bundled",
    )


def _cell(
    random: np.random.Generator, table: str, model: ModelFacts, level: float, shared: float, repeat: int, fold: int
) -> dict[str, object]:
    spread = 0.25 * (1 - level) ** 0.5 * 0.2
    accuracy = float(np.clip(level + spread * (shared + 0.5 * random.standard_normal()), 0, 1))
    scores = {
        "accuracy": accuracy,
        "balanced_accuracy": accuracy - 0.002,
        "log_loss": 2.5 * (1 - accuracy) + 0.02,
        "recall_macro": accuracy - 0.002,
        "f1_macro": accuracy - 0.004,
        "brier": 0.6 * (1 - accuracy),
        "ece": 0.3 * (1 - accuracy),
    }
    rows = FACTS.get(table, (400, 6, 2))[0]
    seconds = LATENCY.get(model.name, 1e-3) * random.uniform(0.9, 1.15)
    costs = {quantity.name: np.nan for quantity in COSTS}
    if repeat == 0:
        costs |= {
            "fit_wall_s": 400 * seconds,
            "fit_cpu_s": 390 * seconds,
            "predict_single_p50_s": seconds,
            "predict_single_p90_s": 1.2 * seconds,
            "predict_single_p99_s": 1.9 * seconds,
            "predict_rows_per_s_100": 50 / seconds,
            "predict_rows_per_s_10000": 300 / seconds,
            "fit_peak_bytes": 2e10 * seconds,
            "predict_peak_bytes": 5e9 * seconds,
            "size_bytes": 4e8 * seconds,
            "size_compressed_bytes": 1e8 * seconds,
        }
    key = {"dataset": table, "model": model.name, "repeat": repeat, "fold": fold, "status": "ok", "reason": ""}
    sizes = {"n_train": rows * 4 // 5, "n_test": rows // 5}
    return key | sizes | scores | costs | {"predict_single_calls": 1000, "contended": False}
