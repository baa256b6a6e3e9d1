"""Small fitted models of every readable kind, and rows on the knife's edge of their splits."""

from __future__ import annotations

import warnings

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRFClassifier

TYPES = ["c", "c", *"qqqqqq"]
XGB = {"n_estimators": 6, "max_depth": 4, "n_jobs": 1}
LGB = {"n_estimators": 6, "num_leaves": 12, "n_jobs": 1, "verbose": -1, "random_state": 0}

PLAIN = {
    "decision tree": lambda: DecisionTreeClassifier(max_depth=6, random_state=0),
    "random forest": lambda: RandomForestClassifier(12, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(12, max_depth=9, random_state=0),
    "gradient boosting": lambda: GradientBoostingClassifier(n_estimators=6, random_state=0),
    "hist gradient boosting": lambda: HistGradientBoostingClassifier(max_iter=6),
    "xgboost": lambda: XGBClassifier(**XGB),
    "xgboost dart": lambda: XGBClassifier(booster="dart", rate_drop=0.5, **XGB),
    "xgboost forest": lambda: XGBRFClassifier(**XGB),
    "lightgbm": lambda: LGBMClassifier(**LGB),
    "lightgbm forest": lambda: LGBMClassifier(boosting_type="rf", subsample=0.7, subsample_freq=1, **LGB),
    "lightgbm dart": lambda: LGBMClassifier(boosting_type="dart", **LGB),
}
TAKES_MISSING = [name for name in PLAIN if name != "gradient boosting"]
CATEGORICAL = {
    "hist gradient boosting": lambda: HistGradientBoostingClassifier(max_iter=6, categorical_features=[0, 1]),
    "xgboost": lambda: XGBClassifier(enable_categorical=True, feature_types=TYPES, **XGB),
    "xgboost one-hot": lambda: XGBClassifier(enable_categorical=True, feature_types=TYPES, max_cat_to_onehot=100, **XGB),
    "lightgbm": lambda: LGBMClassifier(min_data_per_group=5, cat_smooth=1, **LGB),
}


def table(n_classes: int, *, missing: bool = False, categorical: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Make 400 float32 rows of 8 columns; the categorical ones are columns 0 and 1."""
    rng = np.random.default_rng(7)
    X, y = make_classification(400, 8, n_informative=6, n_classes=n_classes, random_state=1)
    X = X.astype(np.float32)
    if categorical:
        X[:, 0] = rng.permutation(11)[(rng.integers(0, 6, 400) + 3 * y) % 11]  # tells of y, in no order
        X[:, 1] = (rng.integers(0, 50, 400) + 9 * y) % 70
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def fit(model, X, y, *, categorical=False):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM and XGBoost talk about small tables
        extra = {"categorical_feature": [0, 1]} if categorical and isinstance(model, LGBMClassifier) else {}
        return model.fit(X, y, **extra)


def proba(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM invents feature names and then misses them
        return model.predict_proba(X)


def knife_edge(trees, X, *, infinite=True, missing=True, seed=0):
    """Take rows of X and put thresholds, their float32 neighbours, zeros, denormals and infinities into them."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(X, 3, axis=0)
    tiny = np.float32(1e-35)
    special = [0.0, -0.0, 1e-40, -1e-40, 1.4e-45, tiny, -tiny, np.nextafter(tiny, np.float32(1)), 1e30, -1e30]
    special += [np.inf, -np.inf] if infinite else []
    special += [np.nan] if missing else []
    numeric = (trees.feature >= 0) & (trees.category_set < 0)
    for column in range(trees.n_features):
        if column in trees.categorical_features:
            continue
        t = trees.threshold[numeric & (trees.feature == column)]
        t = t[np.isfinite(t)]
        up, down = (np.nextafter(t, np.float32(s * np.inf), dtype=np.float32) for s in (1, -1))
        pool = np.concatenate([t, up, down, np.array(special, np.float32)])
        rows[:, column] = rng.choice(pool, len(rows))
    return rows
