"""Rows as the engines take them: a contiguous float32 table, checked once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def as_rows(X: npt.ArrayLike, n_features: int) -> npt.NDArray[np.float32]:
    """Cast a table to contiguous float32 rows.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Numbers; NaN is a missing value. float64 is rounded to the nearest float32, as scikit-learn's forests do.
    n_features : int
        Columns that the model was fitted with.

    Returns
    -------
    ndarray of float32, shape (n, n_features)
        The rows; `X` itself when it is such an array already.

    Raises
    ------
    ValueError
        When the shape does not fit, or the cells are no numbers.

    Examples
    --------
    >>> as_rows([[1, 2], [3, 4]], 2).dtype
    dtype('float32')
    >>> as_rows([1, 2], 2)
    Traceback (most recent call last):
    ValueError: Expected rows of shape (n, 2), received shape (2,).
    """
    try:
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(X, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Rows must be a dense table of numbers, received {type(X).__name__}: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != n_features:
        raise ValueError(f"Expected rows of shape (n, {n_features}), received shape {np.shape(X)}.")
    return rows


def check_rows(rows: npt.NDArray[np.float32], *, accepts_missing: bool, categorical_features: npt.NDArray[np.int32]) -> None:
    """Refuse rows on which the fitted model and its arrays might differ.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, n_features)
        From `as_rows`.
    accepts_missing : bool
        Whether the fitted estimator takes NaN.
    categorical_features : ndarray of int32
        Columns that hold category codes.

    Raises
    ------
    ValueError
        When NaN meets a model that refuses it, or a categorical column holds a fraction (libraries disagree on it).

    Examples
    --------
    >>> rows = as_rows([[0.5, np.nan]], 2)
    >>> check_rows(rows, accepts_missing=False, categorical_features=np.array([], int))
    Traceback (most recent call last):
    ValueError: The rows hold missing values and the fitted model takes none. Impute them first.
    >>> check_rows(rows, accepts_missing=True, categorical_features=np.array([0]))
    Traceback (most recent call last):
    ValueError: Column 0 is categorical: its cells must be whole numbers or NaN.
    """
    if not accepts_missing and np.isnan(rows).any():
        raise ValueError("The rows hold missing values and the fitted model takes none. Impute them first.")
    if not len(categorical_features):
        return
    codes = rows[:, categorical_features]
    fractional = np.isfinite(codes) & (codes != np.floor(codes))
    if fractional.any():
        column = int(categorical_features[fractional.any(axis=0).argmax()])
        raise ValueError(f"Column {column} is categorical: its cells must be whole numbers or NaN.")
