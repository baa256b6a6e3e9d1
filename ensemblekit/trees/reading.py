"""From a fitted estimator to flat trees; each library's reader registers itself here.

Every reader takes the library's own published arrays or text and not a converter: a converter has its own gaps, and
some are silent (`tests/trees/test_traps.py` keeps the list).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from ensemblekit.trees.flat import Link, TreeEnsemble
from ensemblekit.trees.registry import Registry

readers: Registry[Callable[[Any], TreeEnsemble]] = Registry("Reading trees")


def read_trees(estimator: object) -> TreeEnsemble:
    """Read the trees of a fitted scikit-learn, XGBoost or LightGBM estimator.

    Parameters
    ----------
    estimator : fitted estimator
        RandomForest, ExtraTrees, DecisionTree, GradientBoosting, HistGradientBoosting, XGB, XGBRF or LGBM classifier
        or regressor.
        Early-stopped boosters give the trees that they predict with.

    Returns
    -------
    TreeEnsemble
        Its trees; float32 rows reach the same leaves.

    Raises
    ------
    TypeError
        For a kind that has no reader.
    ValueError
        For a model that flat trees cannot express: several outputs, linear leaves, zeros as missing values, ...
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> model = HistGradientBoostingClassifier(max_iter=5).fit(*load_iris(return_X_y=True))
    >>> trees = read_trees(model)
    >>> trees.n_trees, trees.link
    (15, 'softmax')
    """
    reader = readers.find(estimator)
    check_is_fitted(estimator)
    return reader(estimator)


def check_task(model: object, link: Link, objective: str) -> None:
    """Refuse a regressor that was trained as a classifier, or the other way round: its answers are not what its margins say.

    Parameters
    ----------
    model : fitted booster
        From a library whose estimators take any objective.
    link : {"identity", "softmax", "sigmoid", "one-vs-all"}
        Of the objective.
    objective : str
        Its name, for the message.

    Raises
    ------
    ValueError
        When the two do not fit.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> check_task(LogisticRegression(), "identity", "reg:squarederror")
    Traceback (most recent call last):
    ValueError: LogisticRegression with the objective 'reg:squarederror' cannot be read: the one classifies, the other does not.
    """
    if is_regressor(model) != (link == "identity"):
        does = "predicts numbers" if is_regressor(model) else "classifies"
        raise ValueError(f"{type(model).__name__} with the objective {objective!r} cannot be read: the one {does}, the other does not.")
