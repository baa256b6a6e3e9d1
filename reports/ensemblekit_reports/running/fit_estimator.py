"""Fit one estimator, with what its rows weigh and the members that others have fitted already."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from ensemblekit.ensembles.fitting import MemberFitError, fit_member
from ensemblekit_reports.running.member_cache import MemberCache


def fit_estimator(
    estimator: Any, X: NDArray[np.float64], y: NDArray[Any], weights: NDArray[np.float64] | None, memory: MemberCache | None = None
) -> Any:
    """Fit an estimator on training rows.

    Parameters
    ----------
    estimator : estimator
        Not fitted.
    X : ndarray of shape (n_rows, n_columns), float64
        Preprocessed.
    y : ndarray of shape (n_rows,)
        Classes or amounts.
    weights : ndarray of shape (n_rows,), float64, or None
        How much each row counts.
    memory : MemberCache, optional
        Where fitted members are kept; a single model is some ensemble's member, so it is kept, too.

    Returns
    -------
    estimator
        Fitted.

    Raises
    ------
    ValueError
        When there are weights and it takes none.
    Exception
        Whatever its own fit raises.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> fit_estimator(LogisticRegression(), np.array([[0.0], [1.0]]), np.array([0, 1]), None).classes_
    array([0, 1])
    """
    params = {} if weights is None else {"sample_weight": weights}
    if params and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(f"{type(estimator).__name__} takes no sample weights")
    if memory is not None and "memory" in estimator.get_params(deep=False):
        return clone(estimator).set_params(memory=memory).fit(X, y, **params)
    try:
        return fit_member(estimator, X, y, fit_params=params, memory=memory)
    except MemberFitError as error:
        raise error.__cause__ or error  # noqa: B904 - the model's own error is what the reader is to see
