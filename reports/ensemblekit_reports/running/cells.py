"""One model on one fold: fitted, asked and judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ensemblekit_reports.quiet import collected
from ensemblekit_reports.running.asking import ask
from ensemblekit_reports.running.attempt import attempt
from ensemblekit_reports.running.fit_estimator import fit_estimator
from ensemblekit_reports.running.fold import part_of
from ensemblekit_reports.running.global_state import restored_settings, seed_generators
from ensemblekit_reports.running.grouped_folds import with_grouped_folds
from ensemblekit_reports.running.member_cache import MemberCache
from ensemblekit_reports.running.metrics import judge
from ensemblekit_reports.running.peak_memory import peak_bytes, reset_peak
from ensemblekit_reports.running.predictions import Predictions, contradictions
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.record import record_of
from ensemblekit_reports.running.tuned_model import tuned_model
from ensemblekit_reports.studies.model import Model

#: How many different messages of a library a cell keeps.
MOST_MESSAGES = 5
#: A fitted model and what it said.
Found = tuple[Any, Predictions]


def run_cell(
    model: Model, prepared: Prepared, memory: MemberCache | None, keep: Callable[[Any], None] | None = None
) -> tuple[dict[str, Any], Predictions | None]:
    """Fit and judge one model on one fold; whatever it does, the answer is a record.

    Parameters
    ----------
    model : Model
        What to fit.
    prepared : Prepared
        The fold.
    memory : MemberCache or None
        Where fitted members are kept while the fold lasts.
    keep : callable, optional
        Told the fitted model.

    Returns
    -------
    record : dict
        Key, status, reason, sizes, metrics, seconds and memory of preparing, fitting and predicting, and what the libraries said.
    predictions : Predictions or None
        What it answered about the test rows; None where it did not come so far.

    Examples
    --------
    >>> from ensemblekit_reports.studies.own_model import model_from_estimator
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> from ensemblekit_reports.running.fold import Fold
    >>> from sklearn.linear_model import LogisticRegression
    >>> fold = Fold(bundled_table("iris"), 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> run_cell(model_from_estimator("bad", LogisticRegression(C=-1)), Prepared(fold), None)[0]["status"]
    'failed'
    """
    fold, said, search = prepared.fold, Counter[str](), dict[str, Any]()
    started, before = time.perf_counter(), reset_peak()
    with collected(said), restored_settings():
        status, reason, found = attempt(lambda: _fit_and_predict(model, prepared, memory, search))
        seconds, grown = time.perf_counter() - started, peak_bytes() - before
        fitted, predictions = found or (None, None)
        if keep is not None and fitted is not None:
            keep(fitted)
    record = record_of(fold, model, status, reason, seconds=seconds, grown_bytes=grown) | {"said": dict(said.most_common(MOST_MESSAGES))}
    if search:
        record["tuning"] = search
    if predictions is not None:
        record["metrics"] = judge(predictions)
        record["contradictions"] = contradictions(predictions)
    return record, predictions


def _fit_and_predict(model: Model, prepared: Prepared, memory: MemberCache | None, search: dict[str, Any]) -> Found:
    table, tested, learnt = prepared.fold.table, prepared.fold.tested, prepared.fold.train
    train, test = prepared.rows(model.preprocessing)
    if not model.registered:
        train, test = train.copy(), test.copy()  # of its own: some scale in place
    groups = part_of(table.groups, learnt)
    if model.tuning is not None:
        model = tuned_model(model, train, table.y[learnt], part_of(table.weights, learnt), groups, prepared.fold.seed, search)
    estimator = with_grouped_folds(model.factory(prepared.fold.seed), table.y[learnt], groups)
    seed_generators(prepared.fold.seed)
    # A class from the reader's own script cannot be cached, and has nothing in common with our members.
    fitted = fit_estimator(estimator, train, table.y[learnt], part_of(table.weights, learnt), memory if model.registered else None)
    predicted, probabilities = ask(fitted, test, table.y, by_predict=not model.registered)
    rows = np.flatnonzero(tested).astype(np.int32)
    return fitted, Predictions(rows, table.y[tested], predicted, probabilities, part_of(table.weights, tested))
