"""Ask a fitted model about rows, and refuse answers that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Probabilities in single precision add up to one only so well.
SUM_TOLERANCE = 1e-3
#: Kinds of NumPy's types that may hold numbers: booleans, integers, floats, objects.
_MAY_BE_NUMBERS = "biufO"


def ask(fitted: Any, X: Floats, y: NDArray[Any], *, by_predict: bool = True) -> tuple[NDArray[Any], Floats | None]:
    """Ask a fitted model for what is like the answers of a table: classes and their probabilities, or amounts.

    Parameters
    ----------
    fitted : estimator
        Fitted on class codes or amounts.
    X : ndarray of shape (n_rows, n_columns), float64
        Rows.
    y : ndarray of shape (n_all,), int64 or float64
        Answers of all rows of the table.
    by_predict : bool, default=True
        Whether classes are what ``predict`` says. Else they are the most probable ones: the same for models that are known, in half
        the time.

    Returns
    -------
    predicted : ndarray of shape (n_rows,), int64 or float64
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None
        None for amounts, and for a model that gives none.

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
    n_classes = int(y.max()) + 1
    probabilities = predict_probabilities(fitted, X, n_classes) if hasattr(fitted, "predict_proba") else None
    if probabilities is None or by_predict:
        return predict_classes(fitted, X, n_classes), probabilities
    return probabilities.argmax(axis=1), probabilities


def predict_classes(fitted: Any, X: Floats, n_classes: int) -> Codes:
    """Ask a fitted model for classes.

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
    ndarray of shape (n_rows,), int64

    Raises
    ------
    ValueError
        When the shape is another, or what it says is no class.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> predict_classes(DummyClassifier().fit([[0.0], [0.0]], [1, 1]), np.zeros((1, 1)), 2)
    array([1])
    """
    predicted = _one_column("predict", fitted.predict(X), len(X))
    strange = predicted[~np.isin(predicted, np.arange(n_classes))]
    if strange.size:
        raise ValueError(f"predict returned {strange[0]:g}, which is no class; it was fitted on whole numbers from 0 to {n_classes - 1}")
    return predicted.astype(np.int64)


def predict_probabilities(fitted: Any, X: Floats, n_classes: int) -> Floats:
    """Ask a fitted model for the probabilities of the classes of a table.

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
    ndarray of shape (n_rows, n_classes), float64
        Zero for classes that training did not see.

    Raises
    ------
    ValueError
        When shapes or values are wrong, or it is not known which column is which class.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> predict_probabilities(DummyClassifier().fit([[0.0], [0.0]], [1, 1]), np.zeros((1, 1)), 2)
    array([[0., 1.]])
    """
    classes = _classes_of(fitted, n_classes)
    probabilities = np.zeros((len(X), n_classes))
    probabilities[:, classes] = check_probabilities(fitted.predict_proba(X), len(X), len(classes))
    return probabilities


def _classes_of(fitted: Any, n_classes: int) -> Codes:
    """Return the class of each column of probabilities."""
    if not hasattr(fitted, "classes_"):
        raise ValueError("it has predict_proba and no classes_: nobody knows which column is which class")
    classes = _numbers("classes_", fitted.classes_)
    known = np.isin(classes, np.arange(n_classes))
    if classes.ndim != 1 or not known.all() or len(np.unique(classes)) < len(classes):
        raise ValueError(f"classes_ is {classes.tolist()}, expected each class that it was fitted on once, in the order of the columns")
    return classes.astype(np.int64)


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
        When the shape is another, or values are no numbers, missing, negative or do not add up to one.

    Examples
    --------
    >>> check_probabilities([[0.5, 0.6]], 1, 2)
    Traceback (most recent call last):
        ...
    ValueError: predict_proba returned rows that add up to 1.1, not 1
    """
    array = _numbers("predict_proba", probabilities)
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
        When the shape is another, or values are no numbers, missing or infinite.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> predict_amounts(DummyRegressor().fit([[0.0], [0.0]], [1.0, 2.0]), np.zeros((1, 1)))
    array([1.5])
    """
    predicted = _one_column("predict", fitted.predict(X), len(X))
    if not np.isfinite(predicted).all():
        raise ValueError(f"predict returned {int((~np.isfinite(predicted)).sum())} values that are NaN or infinite")
    return predicted


def _one_column(method: str, answers: object, n_rows: int) -> Floats:
    """Return one number a row; some libraries return them as a column."""
    array = _numbers(method, answers)
    if array.shape not in {(n_rows,), (n_rows, 1)}:
        raise ValueError(f"{method} returned shape {array.shape}, expected {(n_rows,)}")
    return array.reshape(n_rows)


def _numbers(method: str, answers: object) -> Floats:
    """Return answers as numbers; NumPy by itself would drop masks and imaginary parts, and read numbers out of text."""
    if np.ma.is_masked(answers):
        raise ValueError(f"{method} returned a masked array: some answers are missing")
    array = np.asarray(answers)
    numbers = array.dtype.kind in _MAY_BE_NUMBERS and not any(isinstance(value, (str, bytes, complex)) for value in _objects(array))
    if not numbers:
        raise ValueError(f"{method} returned values of type {array.dtype}{_first(array)}, expected numbers")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{method} returned values of type {array.dtype}{_first(array)}, expected numbers") from None


def _objects(array: NDArray[Any]) -> list[Any]:
    return array.ravel().tolist() if array.dtype.kind == "O" else []


def _first(array: NDArray[Any]) -> str:
    """Show an entry that is no number: one that reads as none, before text that does."""
    entries = array.ravel().tolist()
    if not entries:
        return ""
    shown = next((entry for strange in (_is_unreadable, _is_text) for entry in entries if strange(entry)), entries[0])
    return f" such as {str(shown)[:40]!r}"


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes))


def _is_unreadable(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return True
    return False
