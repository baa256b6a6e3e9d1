"""Members of an ensemble: forests and boosted trees with plain settings for tables.

The settings are the libraries' own defaults, with what the books agree on: 200 trees in a forest, 150 rounds at a
learning rate of 0.1 in a booster, and a random part of rows or columns for every tree of a booster, so that its seed
matters. They were not tuned on any table. Each member computes on one thread: an ensemble runs its members side by side
instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from ensemblekit._extras import require

RandomState = int | np.random.RandomState | None
Task = Literal["classification", "regression"]

FOREST: dict[str, Any] = {"n_estimators": 200, "n_jobs": 1}
BOOSTER: dict[str, Any] = {"learning_rate": 0.1, "n_estimators": 150, "subsample": 0.8, "colsample_bytree": 0.8}
XGBOOST: dict[str, Any] = {**BOOSTER, "max_depth": 6, "tree_method": "hist", "n_jobs": 1, "verbosity": 0}
LIGHTGBM: dict[str, Any] = {**BOOSTER, "num_leaves": 31, "subsample_freq": 1, "n_jobs": 1, "verbosity": -1}
HISTOGRAM: dict[str, Any] = {"learning_rate": 0.1, "max_iter": 150, "max_features": 0.8, "early_stopping": False}
BAGGING: dict[str, Any] = {"n_estimators": 100, "n_jobs": 1}


def random_forest_classifier(*, random_state: RandomState = None) -> RandomForestClassifier:
    """Random forest of 200 fully grown trees.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    sklearn.ensemble.RandomForestClassifier
        Not fitted.

    Examples
    --------
    >>> random_forest_classifier(random_state=0)
    RandomForestClassifier(n_estimators=200, n_jobs=1, random_state=0)
    """
    return RandomForestClassifier(**FOREST, random_state=random_state)


def xgboost_classifier(*, random_state: RandomState = None) -> Any:
    """XGBoost, 150 rounds of trees of depth 6.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn for each tree.

    Returns
    -------
    ensemblekit.ensembles.xgboost_members.XGBoostClassifier
        Not fitted; takes any class labels and any column names.

    Raises
    ------
    ImportError
        If XGBoost is not installed.

    Examples
    --------
    >>> xgboost_classifier(random_state=0).n_estimators
    150
    """
    require("xgboost", extra="boosting", purpose="An XGBoost member")
    from ensemblekit.ensembles.xgboost_members import XGBoostClassifier  # noqa: PLC0415 - only where it is installed

    return XGBoostClassifier(**XGBOOST, random_state=random_state)


def _xgboost_regressor(*, random_state: RandomState = None) -> Any:
    require("xgboost", extra="boosting", purpose="An XGBoost member")
    from ensemblekit.ensembles.xgboost_members import XGBoostRegressor  # noqa: PLC0415

    return XGBoostRegressor(**XGBOOST, random_state=random_state)


def lightgbm_classifier(*, random_state: RandomState = None) -> Any:
    """LightGBM, 150 rounds of trees of 31 leaves.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn for each tree.

    Returns
    -------
    ensemblekit.ensembles.lightgbm_members.LightGBMClassifier
        Not fitted; takes any column names.

    Raises
    ------
    ImportError
        If LightGBM is not installed.

    Examples
    --------
    >>> lightgbm_classifier(random_state=0).num_leaves
    31
    """
    require("lightgbm", extra="boosting", purpose="A LightGBM member")
    from ensemblekit.ensembles.lightgbm_members import LightGBMClassifier  # noqa: PLC0415 - only where it is installed

    return LightGBMClassifier(**LIGHTGBM, random_state=random_state)


def _lightgbm_regressor(*, random_state: RandomState = None) -> Any:
    require("lightgbm", extra="boosting", purpose="A LightGBM member")
    from ensemblekit.ensembles.lightgbm_members import LightGBMRegressor  # noqa: PLC0415

    return LightGBMRegressor(**LIGHTGBM, random_state=random_state)


def _with(kind: type, settings: dict[str, Any]) -> Callable[..., Any]:
    def make(*, random_state: RandomState = None) -> Any:
        return kind(**settings, random_state=random_state)

    return make


KINDS: dict[str, dict[Task, Callable[..., Any]]] = {
    "forest": {"classification": random_forest_classifier, "regression": _with(RandomForestRegressor, FOREST)},
    "extra_trees": {
        "classification": _with(ExtraTreesClassifier, FOREST),
        "regression": _with(ExtraTreesRegressor, FOREST),
    },
    "xgboost": {"classification": xgboost_classifier, "regression": _xgboost_regressor},
    "lightgbm": {"classification": lightgbm_classifier, "regression": _lightgbm_regressor},
    "hist_boosting": {
        "classification": _with(HistGradientBoostingClassifier, HISTOGRAM),
        "regression": _with(HistGradientBoostingRegressor, HISTOGRAM),
    },
    "bagging": {"classification": _with(BaggingClassifier, BAGGING), "regression": _with(BaggingRegressor, BAGGING)},
}


def make_members(*kinds: str, n: int = 1, task: Task = "classification", random_state: RandomState = None) -> list[tuple[str, Any]]:
    """Members of the given kinds, `n` of each that differ in their seed.

    Parameters
    ----------
    *kinds : {"forest", "extra_trees", "xgboost", "lightgbm", "hist_boosting", "bagging"}
        Random forest, extremely randomised trees, XGBoost, LightGBM, scikit-learn's histogram boosting, bagged trees.
    n : int, default=1
        Members of each kind.
    task : {"classification", "regression"}, default="classification"
        What the members do.
    random_state : int, RandomState instance or None, default=None
        Seed of the first member of each kind; the next ones count on from it.

    Returns
    -------
    list of (str, estimator) tuples
        Named after their kind, with a number when `n` is above one.

    Raises
    ------
    ValueError
        If a kind or the task is unknown, no kind is given, or `n` is below one.
    ImportError
        If XGBoost or LightGBM is asked for and not installed.

    Examples
    --------
    >>> [name for name, member in make_members("forest", "xgboost", n=2, random_state=0)]
    ['forest_0', 'forest_1', 'xgboost_0', 'xgboost_1']
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"Members come in the kinds {list(KINDS)}; received {unknown or 'none'}.")
    if task not in ("classification", "regression"):
        raise ValueError(f"task={task!r} is unknown; choose 'classification' or 'regression'.")
    if n < 1:
        raise ValueError(f"n={n} members of each kind: at least one is needed.")
    return [
        (kind if n == 1 else f"{kind}_{position}", KINDS[kind][task](random_state=count_on(random_state, position)))
        for kind in kinds
        for position in range(n)
    ]


def count_on(random_state: RandomState, position: int) -> RandomState:
    """Seed of the member at a position, different for each.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Seed of the first member.
    position : int
        From 0 on.

    Returns
    -------
    int or None
        None stays None: the member draws its seed itself.

    Examples
    --------
    >>> count_on(7, 2)
    9
    """
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return None if random_state is None else int(random_state) + position


def default_classifiers(*, random_state: RandomState = None) -> list[tuple[str, Any]]:
    """Members of a classifying ensemble that was given none: random forest, XGBoost, LightGBM.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed, the same for each.

    Returns
    -------
    list of (str, estimator) tuples
        Named ``"forest"``, ``"xgboost"``, ``"lightgbm"``.

    Raises
    ------
    ImportError
        If XGBoost or LightGBM is not installed.

    Examples
    --------
    >>> [name for name, member in default_classifiers(random_state=0)]
    ['forest', 'xgboost', 'lightgbm']
    """
    return make_members("forest", "xgboost", "lightgbm", random_state=random_state)


def default_regressors(*, random_state: RandomState = None) -> list[tuple[str, Any]]:
    """Members of a regressing ensemble that was given none: random forest, XGBoost, LightGBM.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed, the same for each.

    Returns
    -------
    list of (str, estimator) tuples
        Named ``"forest"``, ``"xgboost"``, ``"lightgbm"``.

    Raises
    ------
    ImportError
        If XGBoost or LightGBM is not installed.

    Examples
    --------
    >>> [type(member).__name__ for name, member in default_regressors(random_state=0)]
    ['RandomForestRegressor', 'XGBoostRegressor', 'LightGBMRegressor']
    """
    return make_members("forest", "xgboost", "lightgbm", task="regression", random_state=random_state)
