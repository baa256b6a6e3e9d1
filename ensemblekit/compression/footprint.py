"""What a model costs and how well it answers, before and after."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing

from ensemblekit.compression.losses import loss_name, mean_loss, positions, row_losses
from ensemblekit.packed import PackedModel, compute

CALLS = 50  # enough for a median: latency is a hint here, and measured properly by a comparison


@dataclass(frozen=True)
class Footprint:
    """A model's loss and costs.

    Attributes
    ----------
    loss : float
        Mean over the rows that the caller gave.
    nbytes : int
        Bytes of a packed model's arrays, or of a pickled estimator.
    node_visits : float
        Splits that an average row tests, in those experts that run; NaN for an estimator whose parts cannot be counted.
    multiply_adds : float
        Multiply-adds of a row, in those experts that run; NaN likewise.
    latency_s : float
        Median seconds of a call for one row, here and now.

    Examples
    --------
    >>> Footprint(loss=0.3, nbytes=1000, node_visits=80.0, multiply_adds=0.0, latency_s=1e-5).nbytes
    1000
    """

    loss: float
    nbytes: int
    node_visits: float
    multiply_adds: float
    latency_s: float


@dataclass(frozen=True)
class CompressionReport:
    """Before and after.

    Attributes
    ----------
    method : {"prune", "distill", "quantize"}
        What was done.
    loss_name : {"log-loss", "Brier score", "squared error"}
        What `loss` is.
    before, after : Footprint
        Of the same rows.

    Examples
    --------
    >>> small, large = (Footprint(0.3, size, visits, 0.0, 1e-5) for size, visits in [(400, 50.0), (1000, 100.0)])
    >>> print(CompressionReport("prune", "log-loss", large, small))
    prune: log-loss 0.3000 -> 0.3000, 1000 -> 400 bytes, 100.0 -> 50.0 node visits, 0 -> 0 multiply-adds, 10.0 -> 10.0 µs a row
    """

    method: str
    loss_name: str
    before: Footprint
    after: Footprint

    def __str__(self) -> str:
        a, b = self.before, self.after
        return (
            f"{self.method}: {self.loss_name} {a.loss:.4f} -> {b.loss:.4f}, {a.nbytes} -> {b.nbytes} bytes, "
            f"{a.node_visits:.1f} -> {b.node_visits:.1f} node visits, {a.multiply_adds:.0f} -> {b.multiply_adds:.0f} multiply-adds, "
            f"{1e6 * a.latency_s:.1f} -> {1e6 * b.latency_s:.1f} µs a row"
        )


def packed_footprint(model: PackedModel, X: npt.NDArray[Any], y: npt.ArrayLike, *, nbytes: int | None = None) -> Footprint:
    """Measure a packed model.

    Parameters
    ----------
    model : PackedModel
        The model.
    X : ndarray of shape (n, d)
        Rows, at least one.
    y : array-like of shape (n,)
        Labels, or numbers.
    nbytes : int or None, default=None
        Its size where it is kept in another form; None for its own.

    Returns
    -------
    Footprint

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> X = np.array([[0.0], [1.0]])
    >>> packed_footprint(pack(DecisionTreeClassifier().fit(X, [0, 1])), X, [0, 1]).node_visits
    1.0
    """
    return Footprint(
        mean_loss(model, X, y),
        model.nbytes if nbytes is None else nbytes,
        model.node_visits(X).active,
        model.multiply_adds(X).active,
        _latency(model, X, model.is_classifier),
    )


def estimator_footprint(model: Any, X: npt.NDArray[Any], y: npt.ArrayLike) -> Footprint:
    """Measure a fitted estimator.

    Parameters
    ----------
    model : fitted classifier or regressor
        The model.
    X : ndarray of shape (n, d)
        Rows, at least one.
    y : array-like of shape (n,)
        Labels, or numbers.

    Returns
    -------
    Footprint
        Node visits and multiply-adds are NaN where `ensemblekit.packed.compute` cannot count them.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[0.0], [1.0]])
    >>> estimator_footprint(DecisionTreeClassifier().fit(X, [0, 1]), X, [0, 1]).node_visits
    1.0
    """
    classifies = is_classifier(model)
    if classifies:
        losses = _log_losses(model, X, np.asarray(y))
    else:
        losses = row_losses("squared error", np.asarray(model.predict(X))[:, None], np.asarray(y))
    visits, multiply_adds = _compute(model, X)
    return Footprint(float(losses.mean()), len(pickle.dumps(model)), visits, multiply_adds, _latency(model, X, classifies))


def report_of(method: str, model: PackedModel, before: Footprint, after: Footprint) -> CompressionReport:
    """Join two measurements of packed models.

    Parameters
    ----------
    method : {"prune", "quantize"}
        What was done.
    model : PackedModel
        Either of the two.
    before, after : Footprint
        The measurements.

    Returns
    -------
    CompressionReport

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> found = Footprint(0.3, 1000, 1.0, 0.0, 1e-5)
    >>> report_of("prune", pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), found, found).loss_name
    'log-loss'
    """
    return CompressionReport(method, loss_name(model), before, after)


def _log_losses(model: Any, X: npt.NDArray[Any], labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    codes = positions(labels, np.asarray(model.classes_))
    # A class that the model was never shown has no probability, and its column, the last, none either.
    answers = np.column_stack([model.predict_proba(X), np.zeros(len(labels))])
    return row_losses("log-loss", answers, codes)


def _compute(model: Any, X: npt.NDArray[Any]) -> tuple[float, float]:
    try:
        found = compute(model, X)
    except (TypeError, ValueError):
        return float("nan"), float("nan")
    return found.node_visits.active, found.multiply_adds.active


def _latency(model: Any, X: npt.NDArray[Any], classifies: bool) -> float:
    ask = model.predict_proba if classifies else model.predict
    taken = []
    for call in range(CALLS + 1):
        row = _safe_indexing(X, [call % len(X)])
        begin = time.perf_counter()
        ask(row)
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken[1:]))  # the first call builds the engine
