"""One fold's predictions, judged: a check that they are predictions at all, then the declared metrics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, recall_score

from ensemblekit_reports.quantities import METRICS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Probabilities in single precision add up to one only so well.
SUM_TOLERANCE = 1e-3
#: A model that gives the true class no chance at all would have infinite log-loss; this is as little as it may say.
LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


def check_probabilities(probabilities: object, n_rows: int, n_columns: int) -> Floats:
    """Return what a model predicted as an array, or say what is wrong with it.

    Parameters
    ----------
    probabilities : object
        What ``predict_proba`` returned.
    n_rows, n_columns : int
        Shape that it must have: test rows, classes seen in training.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), float64
        Rows that add up to one.

    Raises
    ------
    ValueError
        When the shape is another, or values are missing, negative or do not add up to one.

    Examples
    --------
    >>> check_probabilities([[0.5, 0.6]], 1, 2)
    Traceback (most recent call last):
        ...
    ValueError: predict_proba returned rows that add up to 1.1, not 1
    """
    array = np.asarray(probabilities, dtype=np.float64)
    if array.shape != (n_rows, n_columns):
        raise ValueError(f"predict_proba returned shape {array.shape}, expected {(n_rows, n_columns)}")
    if not np.isfinite(array).all():
        raise ValueError(f"predict_proba returned {int((~np.isfinite(array)).sum())} values that are NaN or infinite")
    if array.min(initial=0.0) < 0:
        raise ValueError(f"predict_proba returned negative values, the smallest {array.min():g}")
    totals = array.sum(axis=1)
    worst = totals[np.argmax(np.abs(totals - 1))]
    if abs(worst - 1) > SUM_TOLERANCE:
        raise ValueError(f"predict_proba returned rows that add up to {worst:g}, not 1")
    return array


def score(y: Integers, predicted: Integers, probabilities: Floats | None, weights: Floats | None = None) -> dict[str, float]:
    """Compute every declared metric on one test fold.

    Parameters
    ----------
    y : ndarray of shape (n_rows,), int64
        True class codes.
    predicted : ndarray of shape (n_rows,), int64
        Predicted class codes.
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None
        One column per class of the table; None for a model that gives none, whose log-loss is NaN.
    weights : ndarray of shape (n_rows,), float64, optional
        How much each row counts; a row of weight two is two rows.

    Returns
    -------
    dict of str to float
        By name, in the order of ``quantities.METRICS``. Averages over classes are over those that the fold holds.

    Examples
    --------
    >>> scores = score(np.array([0, 1]), np.array([0, 1]), np.array([[0.5, 0.5], [0.0, 1.0]]))
    >>> scores["accuracy"], round(scores["log_loss"], 3)
    (1.0, 0.347)
    """
    present = np.unique(y)
    over_classes = {"labels": present, "average": "macro", "zero_division": 0.0, "sample_weight": weights}
    recall = float(recall_score(y, predicted, **over_classes))
    values = {
        "accuracy": float(np.average(y == predicted, weights=weights)),
        "balanced_accuracy": recall,
        "log_loss": np.nan if probabilities is None else _log_loss(y, probabilities, weights),
        "recall_macro": recall,
        "f1_macro": float(f1_score(y, predicted, **over_classes)),
    }
    return {metric.name: values[metric.name] for metric in METRICS}


def _log_loss(y: Integers, probabilities: Floats, weights: Floats | None) -> float:
    given = probabilities[np.arange(len(y)), y] / probabilities.sum(axis=1)
    return float(np.average(-np.log(np.clip(given, LEAST_PROBABILITY, 1.0)), weights=weights))
