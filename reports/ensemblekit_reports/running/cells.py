"""The accuracy pass on one fold: every model that is still missing there, fitted, judged and stored.

All models of a fold run in one task, so that what they have in common is computed once: the preprocessing, and the
members that several ensembles share. Neither changes a result: both depend on the training fold and the seed alone.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import ThreadpoolController

from ensemblekit.ensembles.fitting import MemberFitError, fit_member
from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.insights.keeping import keep_insight
from ensemblekit_reports.insights.subject import Subject
from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.quiet import collected
from ensemblekit_reports.running.grouped_folds import with_grouped_folds
from ensemblekit_reports.running.member_cache import MemberCache
from ensemblekit_reports.running.metrics import check_probabilities, judge
from ensemblekit_reports.running.peak_memory import peak_bytes, reset_peak
from ensemblekit_reports.running.predictions import Predictions, predictions_file, to_parquet
from ensemblekit_reports.running.preprocessing import preprocessing
from ensemblekit_reports.running.processes import Step
from ensemblekit_reports.running.store import to_json
from ensemblekit_reports.running.tuned import inner_folds, space_of, tune
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.learning_rows import kept_rows
from ensemblekit_reports.studies.models import Model
from ensemblekit_reports.tables.table import Table

#: How many different messages of a library a cell keeps.
MOST_MESSAGES = 5


@dataclass(frozen=True)
class Fold:
    """One fold of one table.

    Parameters
    ----------
    table : Table
        All rows.
    repeat, number : int
        Which fold it is.
    tested : ndarray of shape (n_rows,), bool
        Rows of the test fold.
    seed : int
        Seed of every model on this fold.
    share : float, default=1.0
        Part of the training rows that models learn from: less for a point of a learning curve.
    """

    table: Table
    repeat: int
    number: int
    tested: NDArray[np.bool_]
    seed: int
    share: float = 1.0

    @cached_property
    def train(self) -> NDArray[np.intp]:
        """Positions of the rows that models learn from."""
        table = self.table
        return kept_rows(np.flatnonzero(~self.tested), table.y, table.groups, self.share, self.seed, classes=bool(table.classes))


@dataclass
class Prepared:
    """The rows of a fold as each kind of model wants them, computed when first asked for.

    Parameters
    ----------
    fold : Fold
        The rows.
    """

    fold: Fold
    _done: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _fitted: dict[str, Any] = field(default_factory=dict)

    def rows(self, kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return training and test rows; preprocessing is fitted on the training rows alone."""
        if kind not in self._done:
            table, tested = self.fold.table, self.fold.tested
            prepare = preprocessing(kind, *column_groups(table))
            train, test = table.X[self.fold.train], table.X[np.flatnonzero(tested)]
            if prepare != "passthrough":
                train, test = prepare.fit_transform(train), prepare.transform(test)
            self._done[kind], self._fitted[kind] = (train, test), prepare
        return self._done[kind]

    def subject(self, kind: str, fitted: Any) -> Subject:
        """Return a model fitted on the training rows of ``kind`` together with what its reader knows of them."""
        return Subject(fitted, self.fold.table, self.fold.tested, self._fitted[kind])


def column_groups(table: Table) -> tuple[list[int], list[int], list[int]]:
    """Sort a table's columns into those that preprocessing treats alike.

    Parameters
    ----------
    table : Table
        Any table.

    Returns
    -------
    numbers, incomplete, categories : list of int
        Positions of complete numeric columns, of numeric columns with missing cells, of categorical columns.

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> column_groups(bundled_table("iris"))
    ([0, 1, 2, 3], [], [])
    """
    numeric = table.positions("numeric", "boolean")
    missing = np.atleast_1d(np.isnan(table.X).any(axis=0))
    numbers = [position for position in numeric if not missing[position]]
    incomplete = [position for position in numeric if missing[position]]
    return numbers, incomplete, table.positions("categorical")


def run_fold(
    fold: Fold,
    models: list[tuple[Model, Path]],
    scratch: Path | None = None,
    begin: Callable[[int], None] | None = None,
    budget: Budget | None = None,
    write: Callable[[Path, bytes], None] = write_bytes,
) -> list[tuple[str, float]]:
    """Fit and judge models on one fold and store a cell for each.

    Parameters
    ----------
    fold : Fold
        The rows and the seed.
    models : list of (Model, Path)
        What to fit, and the file that each cell goes to.
    scratch : Path, optional
        Folder where members that several models have in common are kept while the fold lasts; without it they are fitted each
        time. It is the caller's to remove, who is still there when this process was killed.
    begin : callable, optional
        Told the position of each model before it is fitted.
    budget : Budget, optional
        What each may take. Who watches this process looks now and then; what has slipped through is seen here.
    write : callable, default=atomic.write_bytes
        Gets each file of a cell and its content; the record comes last.

    Returns
    -------
    list of (str, float)
        Name of each model and the seconds it took; the results are in the files.

    Examples
    --------
    >>> from ensemblekit_reports.studies.models import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> fold = Fold(table, 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for kind in ("accuracy", "predictions"):
    ...         (Path(folder) / kind).mkdir()
    ...     [name for name, _ in run_fold(fold, [(REGISTRY["logistic"], Path(folder) / "accuracy" / "cell.json")])]
    ['logistic']
    """
    done = []
    with _scratch_for_one_fold(scratch) as folder, libraries().limit(limits=1):
        memory = MemberCache(folder) if folder else None
        prepared = Prepared(fold)
        for position, (model, file) in enumerate(models):
            if begin is not None:
                begin(position)
            record, predictions = run_cell(model, prepared, memory, _keeper(model, prepared, file))
            if budget is not None and record["status"] == "ok" and (over := budget.verdict(step_of(record))):
                record = record_of(fold, model, *over, seconds=record["seconds"]) | {"budget": asdict(budget)}
                predictions = None
            # The record comes last: where it is, the cell is finished.
            if predictions is not None:
                write(predictions_file(file), to_parquet(predictions))
            write(file, to_json(record))
            done.append((model.name, float(record["seconds"])))
    return done


@cache
def libraries() -> ThreadpoolController:
    """Return the libraries of this process that have threads; to look for them takes longer than many a fit.

    Returns
    -------
    ThreadpoolController
        Of what was imported when it was first asked for. What comes later goes by the environment (`processes.pinned`).

    Examples
    --------
    >>> libraries() is libraries()
    True
    """
    return ThreadpoolController()


def step_of(record: Mapping[str, Any]) -> Step:
    """Return what a finished cell has taken; what is not known as nothing.

    Parameters
    ----------
    record : mapping
        Of a cell, perhaps read back: JSON has null for what is not known.

    Examples
    --------
    >>> step_of({"seconds": 2.0, "grown_bytes": None})
    Step(number=0, seconds=2.0, grown_bytes=0.0)
    """
    return Step(0, record.get("seconds") or 0.0, record.get("grown_bytes") or 0.0)


def _keeper(model: Model, prepared: Prepared, file: Path) -> Callable[[Any], None] | None:
    """Let a fitted model tell about itself, on the first fold alone."""
    if (prepared.fold.repeat, prepared.fold.number, prepared.fold.share) != (0, 0, 1.0):
        return None
    return lambda fitted: keep_insight(prepared.subject(model.preprocessing, fitted), model.name, file)


@contextmanager
def _scratch_for_one_fold(scratch: Path | None) -> Iterator[str | None]:
    if scratch is None:
        yield None
        return
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        yield folder


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
    >>> from ensemblekit_reports.studies.models import model_from_estimator
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> from sklearn.linear_model import LogisticRegression
    >>> fold = Fold(bundled_table("iris"), 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> run_cell(model_from_estimator("bad", LogisticRegression(C=-1)), Prepared(fold), None)[0]["status"]
    'failed'
    """
    fold, said, search = prepared.fold, Counter[str](), dict[str, Any]()
    started, before = time.perf_counter(), reset_peak()
    with collected(said):
        status, reason, found = _attempt(lambda: _fit_and_predict(model, prepared, memory, search))
        seconds, grown = time.perf_counter() - started, peak_bytes() - before
        fitted, predictions = found or (None, None)
        if keep is not None and fitted is not None:
            keep(fitted)
    record = record_of(fold, model, status, reason, seconds=seconds, grown_bytes=grown) | {"said": dict(said.most_common(MOST_MESSAGES))}
    if search:
        record["tuning"] = search
    if predictions is not None:
        record["metrics"] = judge(predictions)
    return record, predictions


def record_of(fold: Fold, model: Model, status: str, reason: str, *, seconds: float, grown_bytes: float = np.nan) -> dict[str, Any]:
    """Write what is known of a model on a fold without its predictions.

    Parameters
    ----------
    fold : Fold
        Where.
    model : Model
        Who.
    status, reason : str
        How it went: one of ``results.STATUSES``, and why if not well.
    seconds : float
        What it took.
    grown_bytes : float, default=NaN
        Memory that its process had at the most above what it had before; NaN if not known.

    Returns
    -------
    dict
        A whole record, in which every metric is NaN.

    Examples
    --------
    >>> from ensemblekit_reports.studies.models import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> fold = Fold(bundled_table("iris"), 0, 0, np.arange(150) % 5 == 0, seed=0)
    >>> record_of(fold, REGISTRY["logistic"], "timeout", "it hangs", seconds=9.0)["n_train"]
    120
    """
    return {
        "dataset": fold.table.name,
        "model": model.name,
        "repeat": fold.repeat,
        "fold": fold.number,
        "status": status,
        "reason": reason,
        "n_train": len(fold.train),
        "n_test": int(fold.tested.sum()),
        "metrics": dict.fromkeys((metric.name for metric in metrics_of(fold.table.task)), np.nan),
        "seconds": seconds,
        "grown_bytes": grown_bytes,
        "said": {},
    }


Found = tuple[Any, Predictions]


def _attempt(work: Callable[[], Found]) -> tuple[str, str, Found | None]:
    me = os.getpid()
    try:
        return "ok", "", work()
    except BaseException as error:  # noqa: BLE001 - a model may raise anything, and Ctrl-C is not for this process
        short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
        return "out-of-memory" if short else "failed", say(error), None
    finally:
        if os.getpid() != me:
            # The model has forked and let the copy return: one of us must not go on and write the same cells.
            os.write(2, b"the model left a copy of this process, which was ended\n")
            os._exit(1)


def say(error: BaseException) -> str:
    r"""Return an error as one line: its type and the first line of its text.

    Parameters
    ----------
    error : BaseException
        What a model raised.

    Returns
    -------
    str

    Examples
    --------
    >>> say(ValueError("no\nmore"))
    'ValueError: no'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:500]}" if lines else type(error).__name__


def _fit_and_predict(model: Model, prepared: Prepared, memory: MemberCache | None, search: dict[str, Any]) -> Found:
    table, tested, learnt = prepared.fold.table, prepared.fold.tested, prepared.fold.train
    train, test = prepared.rows(model.preprocessing)
    # A class from the reader's own script cannot be cached, and has nothing in common with our members.
    groups = _part(table.groups, learnt)
    if model.tuning is not None:
        model = tuned_model(model, train, table.y[learnt], _part(table.weights, learnt), groups, prepared.fold.seed, search)
    estimator = with_grouped_folds(model.factory(prepared.fold.seed), table.y[learnt], groups)
    fitted = _fit(estimator, train, table.y[learnt], _part(table.weights, learnt), memory if model.registered else None)
    predicted, probabilities = _ask(fitted, test, table.y)
    rows = np.flatnonzero(tested).astype(np.int32)
    return fitted, Predictions(rows, table.y[tested], predicted, probabilities, _part(table.weights, tested))


def _part(values: NDArray[Any] | None, rows: NDArray[Any]) -> Any:
    return None if values is None else values[rows]


def _ask(fitted: Any, X: NDArray[np.float64], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
    """Ask for what is like the answers ``y`` of all rows: classes and their probabilities, or amounts."""
    if np.issubdtype(y.dtype, np.floating):
        return predict_amounts(fitted, X), None
    return predict(fitted, X, int(y.max()) + 1)


def tuned_model(
    model: Model,
    X: NDArray[np.float64],
    y: NDArray[Any],
    weights: NDArray[np.float64] | None,
    groups: NDArray[np.int64] | None,
    seed: int,
    search: dict[str, Any],
) -> Model:
    """Tune a model inside training rows.

    Parameters
    ----------
    model : Model
        With a `Tuning`.
    X : ndarray of shape (n_rows, n_columns), float64
        Training rows, preprocessed.
    y : ndarray of shape (n_rows,)
        Their classes or amounts.
    weights, groups : ndarray of shape (n_rows,), or None
        What they bring along.
    seed : int
        Of the fold.
    search : dict
        Filled with what was done: ``trials``, ``asked``, ``seconds``, ``score``, ``default``, ``params``.

    Returns
    -------
    Model
        With the parameters that were best, and no search any more.

    Examples
    --------
    >>> from ensemblekit_reports.studies.models import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> from ensemblekit_reports.running.tuned import Tuning
    >>> table, search = bundled_table("iris"), {}
    >>> logistic = REGISTRY["logistic"].tuned_by(Tuning(2, metric="log_loss"))
    >>> tuned_model(logistic, table.X, table.y, None, None, 0, search).tuning, search["trials"]
    (None, 2)
    """
    ranges, tuning = space_of(model.space, model.task, model.fixed), model.tuning
    if ranges is None or tuning is None:
        return model
    folds = list(inner_folds(y, groups, seed))

    def score_inside(estimator: Any) -> float:
        scores = []
        for train, test in folds:
            own = with_grouped_folds(clone(estimator), y[train], _part(groups, train))
            fitted = _fit(own, X[train], y[train], _part(weights, train), None)
            answers = Predictions(test.astype(np.int32), y[test], *_ask(fitted, X[test], y), _part(weights, test))
            scores.append(judge(answers)[tuning.metric])
        known = [value for value in scores if not np.isnan(value)]  # R squared of equal answers is none, whatever the model
        return float(np.mean(known)) if known else np.nan

    chosen, found = tune(model.factory(seed), ranges, tuning, score_inside, seed)
    search |= found | {"params": chosen}
    return model.with_params(chosen)


def _fit(estimator: Any, X: NDArray[np.float64], y: NDArray[Any], weights: NDArray[np.float64] | None, memory: MemberCache | None) -> Any:
    params = {} if weights is None else {"sample_weight": weights}
    if params and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(f"{type(estimator).__name__} takes no sample weights")
    if memory is not None and "memory" in estimator.get_params(deep=False):
        return clone(estimator).set_params(memory=memory).fit(X, y, **params)
    try:
        # The single models are the ensembles' members, so these too are fitted once.
        return fit_member(estimator, X, y, fit_params=params, memory=memory)
    except MemberFitError as error:
        raise error.__cause__ or error  # noqa: B904 - the model's own error is what the reader is to see


def predict(fitted: Any, X: NDArray[np.float64], n_classes: int) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Ask a fitted model for classes and, if it gives any, probabilities.

    Parameters
    ----------
    fitted : estimator
        Fitted on class codes.
    X : ndarray of shape (n_rows, n_columns)
        Rows.
    n_classes : int
        Classes of the whole table; training may have seen fewer.

    Returns
    -------
    predicted : ndarray of shape (n_rows,), int64
        The most probable class, or what ``predict`` says.
    probabilities : ndarray of shape (n_rows, n_classes), or None
        Zero for classes that training did not see.

    Raises
    ------
    ValueError
        When shapes or values are wrong.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> predict(DummyClassifier().fit([[0.0], [0.0]], [1, 1]), np.zeros((1, 1)), 2)
    (array([1]), array([[0., 1.]]))
    """
    if not hasattr(fitted, "predict_proba"):
        predicted = np.asarray(fitted.predict(X))
        if predicted.shape != (len(X),) or not np.isin(predicted, np.arange(n_classes)).all():
            raise ValueError(f"predict returned shape {predicted.shape} or unknown classes, expected {(len(X),)}")
        return predicted.astype(np.int64), None
    classes = np.asarray(fitted.classes_, dtype=np.int64)
    probabilities = np.zeros((len(X), n_classes))
    probabilities[:, classes] = check_probabilities(fitted.predict_proba(X), len(X), len(classes))
    return probabilities.argmax(axis=1), probabilities


def predict_amounts(fitted: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ask a fitted model for amounts.

    Parameters
    ----------
    fitted : estimator
        Fitted on amounts.
    X : ndarray of shape (n_rows, n_columns)
        Rows.

    Returns
    -------
    ndarray of shape (n_rows,), float64

    Raises
    ------
    ValueError
        When the shape is another, or values are missing or infinite.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> predict_amounts(DummyRegressor().fit([[0.0], [0.0]], [1.0, 2.0]), np.zeros((1, 1)))
    array([1.5])
    """
    predicted = np.asarray(fitted.predict(X), dtype=np.float64)
    if predicted.shape != (len(X),):
        raise ValueError(f"predict returned shape {predicted.shape}, expected {(len(X),)}")
    if not np.isfinite(predicted).all():
        raise ValueError(f"predict returned {int((~np.isfinite(predicted)).sum())} values that are NaN or infinite")
    return predicted
