"""Fit any scikit-learn estimator to weighted rows, whether or not it can take weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter

from ensemblekit.mixture.contracts import Float


def fit_weighted(estimator: Any, X: Any, y: NDArray[Any], weight: Float) -> Any:
    """Fit an estimator in place to weighted rows.

    Parameters
    ----------
    estimator : estimator
        An estimator or pipeline. Where neither it nor the last step of the pipeline takes ``sample_weight``, it is fitted to as many
        rows drawn in proportion to their weights, and a warning says so.
    X : array-like of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    weight : ndarray of shape (n_samples,)
        Not negative.

    Returns
    -------
    estimator
        The same one.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.array([[0.0], [1.0], [1.0]])
    >>> fit_weighted(LinearRegression(), X, np.array([0.0, 1.0, 9.0]), np.array([1.0, 1.0, 0.0])).coef_.round(6)
    array([1.])
    """
    name = weight_parameter(estimator)
    if name is not None:
        return estimator.fit(X, y, **{name: weight})
    warnings.warn(
        f"{type(estimator).__name__} takes no sample_weight: it is fitted to rows resampled in proportion to their weights.",
        UserWarning,
        stacklevel=2,
    )
    rows = resample(weight)
    return estimator.fit(_safe_indexing(X, rows), y[rows])


def weight_parameter(estimator: Any) -> str | None:
    """Name of the fit parameter that takes the weights; None where there is none.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    str or None

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_parameter(make_pipeline(LinearRegression()))
    'linearregression__sample_weight'
    """
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = weight_parameter(last)
        return None if inner is None else f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def resample(weight: Float) -> NDArray[np.intp]:
    """Systematic resample: each row about as often as its share of the weight asks, without any draw.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Row indices, in order.

    Examples
    --------
    >>> resample(np.array([1.0, 0.0, 3.0, 0.0]))
    array([0, 2, 2, 2])
    """
    edges = np.cumsum(weight)
    marks = (np.arange(weight.size) + 0.5) / weight.size * edges[-1]
    return np.searchsorted(edges, marks, side="right").clip(max=weight.size - 1)
