"""Small fitted models of every readable kind."""

from __future__ import annotations

import warnings

from lightgbm import LGBMClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier, XGBRFClassifier

from tests.trees.edges import knife_edge, table

__all__ = ["CATEGORICAL", "PLAIN", "TAKES_MISSING", "fit", "knife_edge", "proba", "table"]

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


def fit(model, X, y, *, categorical=False):
    with warnings.catch_warnings(), threadpool_limits(1):  # many small fits on a busy machine wait for one another
        warnings.simplefilter("ignore")  # LightGBM and XGBoost talk about small tables
        extra = {"categorical_feature": [0, 1]} if categorical and isinstance(model, LGBMClassifier) else {}
        return model.fit(X, y, **extra)


def proba(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM invents feature names and then misses them
        return model.predict_proba(X)
