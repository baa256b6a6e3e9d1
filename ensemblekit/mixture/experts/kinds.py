"""Which estimators can learn their rows by heart, so that they must not judge themselves."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

#: Families whose fits have few parameters beside the rows: they may judge the rows that they were fitted to.
_MODEST = ("sklearn.linear_model", "sklearn.naive_bayes", "sklearn.discriminant_analysis", "sklearn.dummy")


def holds_out(estimator: Any) -> bool:
    """Tell whether an expert's responsibilities should come from held-out predictions.

    Parameters
    ----------
    estimator : estimator
        For a pipeline its last step decides.

    Returns
    -------
    bool
        False for linear models, naive Bayes, discriminant analysis and frozen estimators; True for the rest: trees, forests, boosting,
        neighbours, networks.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> holds_out(Ridge()), holds_out(DecisionTreeRegressor())
    (False, True)
    """
    if isinstance(estimator, Pipeline):
        return holds_out(estimator.steps[-1][1])
    return not isinstance(estimator, FrozenEstimator) and not type(estimator).__module__.startswith(_MODEST)
