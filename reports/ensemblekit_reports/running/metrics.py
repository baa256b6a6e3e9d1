"""One fold's predictions, judged: a check that they are predictions at all, then the declared metrics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    mean_absolute_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from ensemblekit_reports.quantities import CALIBRATION_BINS, metrics_of
from ensemblekit_reports.running.predictions import Predictions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A model that gives the true class no chance at all would have infinite log-loss; this is as little as it may say.
LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


def judge(predictions: Predictions) -> dict[str, float]:
    """Compute every metric of the task on one test fold.

    Parameters
    ----------
    predictions : Predictions
        Of classes or of amounts.

    Returns
    -------
    dict of str to float
        By name, in the order of ``quantities.metrics_of``.

    Examples
    --------
    >>> from ensemblekit_reports.running.predictions import Predictions
    >>> list(judge(Predictions(np.arange(2), np.array([0.5, 1.5]), np.array([1.0, 1.5]), None)))
    ['r2', 'rmse', 'mae', 'median_ae']
    """
    _, y, predicted, probabilities, weights = predictions
    if predictions.task == "regression":
        return score_amounts(y, predicted, weights)
    return score(y.astype(np.int64), predicted.astype(np.int64), probabilities, weights)


def score(y: Integers, predicted: Integers, probabilities: Floats | None, weights: Floats | None = None) -> dict[str, float]:
    """Compute every metric of classes on one test fold.

    Parameters
    ----------
    y : ndarray of shape (n_rows,), int64
        True class codes.
    predicted : ndarray of shape (n_rows,), int64
        Predicted class codes.
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None
        One column per class of the table; None for a model that gives none, whose log-loss, Brier score and calibration error are NaN.
    weights : ndarray of shape (n_rows,), float64, optional
        How much each row counts; a row of weight two is two rows.

    Returns
    -------
    dict of str to float
        By name, in the order of ``quantities.METRICS``. Averages over classes are over those that the fold holds.

    Examples
    --------
    >>> scores = score(np.array([0, 1]), np.array([0, 1]), np.array([[0.5, 0.5], [0.0, 1.0]]))
    >>> scores["accuracy"], round(scores["log_loss"], 3), scores["brier"], scores["ece"]
    (1.0, 0.347, 0.125, 0.25)
    """
    recall, f1 = _recall_and_f1(y, predicted, weights)
    values = {
        "accuracy": float(np.average(y == predicted, weights=weights)),
        "balanced_accuracy": recall,
        "log_loss": np.nan,
        "recall_macro": recall,
        "f1_macro": f1,
        "brier": np.nan,
        "ece": np.nan,
    }
    if probabilities is not None:
        values["log_loss"] = _log_loss(y, probabilities, weights)
        values["brier"] = _brier(y, probabilities, weights)
        values["ece"] = calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == y, weights)
    return {metric.name: values[metric.name] for metric in metrics_of("classification")}


def _recall_and_f1(y: Integers, predicted: Integers, weights: Floats | None) -> tuple[float, float]:
    """Average over the classes of a fold; scikit-learn's checks of what was checked already took most of the time between two fits."""
    n_codes = int(max(y.max(), predicted.max())) + 1
    here, said, right = (
        np.bincount(codes, mass, n_codes)
        for codes, mass in ((y, weights), (predicted, weights), (y, (y == predicted) * (1.0 if weights is None else weights)))
    )
    present = np.bincount(y, minlength=n_codes) > 0
    here, said, right = here[present], said[present], right[present]
    # A class whose rows weigh nothing, as none that is right, has the score zero.
    recall = np.divide(right, here, out=np.zeros(len(here)), where=here > 0)
    f1 = np.divide(2 * right, here + said, out=np.zeros(len(here)), where=here + said > 0)
    return float(recall.mean()), float(f1.mean())


def _log_loss(y: Integers, probabilities: Floats, weights: Floats | None) -> float:
    given = probabilities[np.arange(len(y)), y] / probabilities.sum(axis=1)
    return float(np.average(-np.log(np.clip(given, LEAST_PROBABILITY, 1.0)), weights=weights))


def _brier(y: Integers, probabilities: Floats, weights: Floats | None) -> float:
    off = probabilities - (y[:, None] == np.arange(probabilities.shape[1]))
    return float(np.average((off**2).sum(axis=1) / 2, weights=weights))


def calibration_error(confidence: Floats, right: NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Compute the top-label expected calibration error.

    Rows are put into `CALIBRATION_BINS` bins of equal width, open on the left, by the probability of their most probable class; the
    error is the mean over bins, weighted by rows, of the distance between the mean probability and the share that is right.

    Parameters
    ----------
    confidence : ndarray of shape (n_rows,), float64
        Probability of the most probable class.
    right : ndarray of shape (n_rows,), bool
        Whether it is the true one.
    weights : ndarray of shape (n_rows,), float64, optional
        How much each row counts.

    Returns
    -------
    float
        Between 0 and 1.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", equation 3.

    Examples
    --------
    >>> calibration_error(np.array([0.8, 0.8, 0.8, 0.8]), np.array([True, True, True, False])).__round__(3)
    0.05
    """
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.intp) - 1, 0, CALIBRATION_BINS - 1)
    mass = np.ones(len(confidence)) if weights is None else weights
    gap = np.bincount(bins, mass * (confidence - right), CALIBRATION_BINS)
    return float(np.abs(gap).sum() / mass.sum())


def score_amounts(y: Floats, predicted: Floats, weights: Floats | None = None) -> dict[str, float]:
    """Compute every metric of amounts on one test fold.

    Parameters
    ----------
    y, predicted : ndarray of shape (n_rows,), float64
        True and predicted amounts.
    weights : ndarray of shape (n_rows,), float64, optional
        How much each row counts; a row of weight two is two rows.

    Returns
    -------
    dict of str to float
        By name, in the order of ``quantities.METRICS``; R squared is NaN where all answers are equal, as a single one is: nothing varies
        that could be explained.

    Examples
    --------
    >>> score_amounts(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))["r2"]
    0.5
    """
    values = {
        "r2": float(r2_score(y, predicted, sample_weight=weights)) if np.ptp(y) > 0 else np.nan,
        "rmse": float(root_mean_squared_error(y, predicted, sample_weight=weights)),
        "mae": float(mean_absolute_error(y, predicted, sample_weight=weights)),
        "median_ae": float(median_absolute_error(y, predicted, sample_weight=weights)),
    }
    return {metric.name: values[metric.name] for metric in metrics_of("regression")}
