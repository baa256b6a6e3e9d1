"""Linear regressions and constants as experts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.experts import ONE_OUTPUT, LinearExpert, regressor_packers

KINDS = ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "BayesianRidge", "HuberRegressor")


@regressor_packers.register(*(f"sklearn.{kind}" for kind in KINDS))
def pack_linear_regression(model: Any) -> LinearExpert:
    """Take coefficients and intercept.

    Parameters
    ----------
    model : fitted linear regression
        Of one target.

    Returns
    -------
    LinearExpert
        With the identity link.

    Raises
    ------
    ValueError
        For several targets.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> pack_linear_regression(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])).coef.round(6)
    array([[2.]])
    """
    coef = np.asarray(model.coef_, np.float64)
    if coef.ndim == 2 and len(coef) != 1:
        raise ValueError(f"A packed model has one output; {type(model).__name__} was fitted with {len(coef)}. Fit one for each.")
    intercept = np.asarray(model.intercept_, np.float64).reshape(1)
    return LinearExpert(coef.reshape(1, -1), intercept, ONE_OUTPUT, link="identity")


@regressor_packers.register("sklearn.DummyRegressor")
def pack_constant(model: Any) -> LinearExpert:
    """Take the constant, which a mixture keeps for an expert that was given one row.

    Parameters
    ----------
    model : fitted DummyRegressor
        Of any strategy.

    Returns
    -------
    LinearExpert
        With coefficients of zero.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> pack_constant(DummyRegressor().fit([[0.0], [0.0]], [1.0, 3.0])).intercept
    array([2.])
    """
    value = np.asarray(model.constant_, np.float64).reshape(1)
    return LinearExpert(np.zeros((1, int(model.n_features_in_))), value, ONE_OUTPUT, link="identity")
