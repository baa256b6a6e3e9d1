"""Members of an ensemble: forests and boosted trees with plain settings for tables.

The settings are the libraries' own defaults, with what the books agree on: 200 trees in a forest, 150 rounds at a
learning rate of 0.1 in a booster, and a random part of rows and columns for every tree of a booster, so that its seed
matters. They were not tuned on any table. Each member computes on one thread: an ensemble runs its members side by side
instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from ensemblekit._extras import require

RandomState = int | np.random.RandomState | None

BOOSTER: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "n_jobs": 1,
}


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
    return RandomForestClassifier(n_estimators=200, n_jobs=1, random_state=random_state)


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

    return XGBoostClassifier(**BOOSTER, max_depth=6, tree_method="hist", verbosity=0, random_state=random_state)


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

    return LightGBMClassifier(**BOOSTER, num_leaves=31, subsample_freq=1, verbosity=-1, random_state=random_state)


def default_classifiers(*, random_state: RandomState = None) -> list[tuple[str, Any]]:
    """Members of an ensemble that was given none: random forest, XGBoost, LightGBM.

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
    return [
        ("forest", random_forest_classifier(random_state=random_state)),
        ("xgboost", xgboost_classifier(random_state=random_state)),
        ("lightgbm", lightgbm_classifier(random_state=random_state)),
    ]
