"""Ask a fitted model about rows, and refuse answers that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Probabilities in single precision add up to one only so well.
SUM_TOLERANCE = 1e-3


def ask(fitted: Any, X: Floats, y: NDArray[Any]) -> tuple[NDArray[Any], Floats | None]:
    """Ask a fitted model for what is like the answers of a table: classes and their probabilities, or amounts.

    Parameters
    ----------
    fitted : estimator
        Fitted on class codes or amounts.
    X : ndarray of shape (n_rows, n_columns), float64
        Rows.
    y : ndarray of shape (n_all,), int64 or float64
        Answers of all rows of the table.

    Returns
    -------
    predicted : ndarray of shape (n_rows,), int64 or float64
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None

    Raises
    ------
    ValueError
        When shapes or values are wrong.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> ask(DummyRegressor().fit([[0.0], [0.0]], [1.0, 2.0]), np.zeros((1, 1)), np.array([1.0, 2.0]))
    (array([1.5]), None)
    """
    if np.issubdtype(y.dtype, np.floating):
        return predict_amounts(fitted, X), None
    return predict(fitted, X, int(y.max()) + 1)


def predict(fitted: Any, X: Floats, n_classes: int) -> tuple[NDArray[np.int64], Floats | None]:
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


def predict_amounts(fitted: Any, X: Floats) -> Floats:
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
