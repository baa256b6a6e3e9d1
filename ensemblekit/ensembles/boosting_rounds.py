"""What a booster says after its first rounds, by the library's own way of stopping short; nothing is fitted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from ensemblekit.trees.registry import Registry

Float = NDArray[np.float64]

boosters: Registry[Callable[[Any, Any, Sequence[int]], list[Float]]] = Registry("Answering after some rounds")


def answers_after(fitted: Any, X: Any, rounds: Sequence[int]) -> list[Float]:
    """Answers of a booster after some of its rounds.

    Parameters
    ----------
    fitted : fitted booster
        Of XGBoost, LightGBM or scikit-learn.
    X : {array-like, dataframe} of shape (n_samples, n_features)
        Rows.
    rounds : sequence of int
        How many of the first rounds answer; all there are where early stopping left fewer.

    Returns
    -------
    list of ndarray of shape (n_samples, n_classes) or (n_samples,), float64
        Probabilities or predictions, one array for each of `rounds`.

    Raises
    ------
    TypeError
        If the estimator is not a booster that is known.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GradientBoostingClassifier(n_estimators=5, random_state=0).fit(X, y)
    >>> early, late = answers_after(model, X[:1], [1, 5])
    >>> bool(early.max() < late.max())
    True
    """
    return [np.asarray(answer, dtype=np.float64) for answer in boosters.find(fitted)(fitted, X, rounds)]


def n_rounds(booster: Any) -> int:
    """Count the rounds that a booster is allowed.

    Parameters
    ----------
    booster : booster
        Fitted or not.

    Returns
    -------
    int
        Its ``n_estimators`` or ``max_iter``; XGBoost's own default where it has None.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> n_rounds(HistGradientBoostingClassifier(max_iter=30))
    30
    """
    if hasattr(booster, "get_num_boosting_rounds"):
        return int(booster.get_num_boosting_rounds())
    return int(booster.max_iter if hasattr(booster, "max_iter") else booster.n_estimators)


def _answer(fitted: Any, prefix: str = "") -> Any:
    return getattr(fitted, prefix + ("predict_proba" if is_classifier(fitted) else "predict"))


@boosters.register("xgboost.XGBClassifier", "xgboost.XGBRegressor", "ensemblekit.XGBoostClassifier", "ensemblekit.XGBoostRegressor")
def _xgboost(fitted: Any, X: Any, rounds: Sequence[int]) -> list[Float]:
    return [_answer(fitted)(X, iteration_range=(0, n)) for n in rounds]


@boosters.register("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor", "ensemblekit.LightGBMClassifier", "ensemblekit.LightGBMRegressor")
def _lightgbm(fitted: Any, X: Any, rounds: Sequence[int]) -> list[Float]:
    return [_answer(fitted)(X, num_iteration=n) for n in rounds]


@boosters.register(
    "sklearn.HistGradientBoostingClassifier",
    "sklearn.HistGradientBoostingRegressor",
    "sklearn.GradientBoostingClassifier",
    "sklearn.GradientBoostingRegressor",
)
def _scikit_learn(fitted: Any, X: Any, rounds: Sequence[int]) -> list[Float]:
    stages = list(_answer(fitted, "staged_")(X))
    return [stages[min(n, len(stages)) - 1] for n in rounds]
