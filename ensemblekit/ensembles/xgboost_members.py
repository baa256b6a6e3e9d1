"""XGBoost's estimators, for any column names and class labels; imported only where XGBoost is installed."""

# XGBoost spells out every argument; here all but the rows and labels pass through as they are.
# mypy: disable-error-code="override, misc"

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier, XGBRegressor

from ensemblekit.ensembles.column_names import AnyColumnNames
from ensemblekit.ensembles.labels import encode

REFUSED = re.compile(r"[\[\]<]")


class XGBoostClassifier(AnyColumnNames, XGBClassifier):
    """`xgboost.XGBClassifier` for any column names and any class labels.

    All parameters, attributes and methods are XGBoost's, except that `classes_` and `predict` speak the labels of `y`,
    where XGBoost's own class takes the integers 0 to C - 1 only.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> names = load_iris().target_names
    >>> model = XGBoostClassifier(n_estimators=5).fit(X.set_axis(list("[]<>"), axis=1), names[y])
    >>> model.classes_.tolist(), model.feature_names_in_.tolist()
    (['setosa', 'versicolor', 'virginica'], ['[', ']', '<', '>'])
    """

    refused_characters = REFUSED

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> XGBoostClassifier:
        """Fit; parameters as in `xgboost.XGBClassifier.fit`."""
        labels, codes = encode(y)
        # XGBoost compares the codes with classes_ while it fits, so the labels come after.
        self._labels: NDArray[Any] | None = None
        super().fit(X, codes, sample_weight=sample_weight, **fit_params)
        self._labels = labels
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """Sorted labels, of shape (n_classes,)."""
        labels = getattr(self, "_labels", None)
        return np.arange(self.n_classes_) if labels is None else labels

    def predict(self, X: Any, **predict_params: Any) -> Any:
        """Labels of shape (n_samples,); parameters as in `xgboost.XGBClassifier.predict`."""
        answer = super().predict(X, **predict_params)
        return answer if predict_params.get("output_margin") else self.classes_[np.asarray(answer, dtype=np.int64)]

    def predict_proba(self, X: Any, **predict_params: Any) -> Any:
        """Probabilities (n_samples, n_classes), float64; parameters as in `xgboost.XGBClassifier.predict_proba`."""
        proba = np.asarray(super().predict_proba(self._checked(X), **predict_params), dtype=np.float64)
        # XGBoost's single precision sums to one within 1e-7; scikit-learn's metrics warn of that in double precision.
        return proba / proba.sum(axis=1, keepdims=True)


class XGBoostRegressor(AnyColumnNames, XGBRegressor):
    """`xgboost.XGBRegressor` for any column names.

    All parameters, attributes and methods are XGBoost's.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = XGBoostRegressor(n_estimators=5).fit(X.rename(columns={"bmi": "bmi [kg]"}), y)
    >>> str(model.feature_names_in_[2])
    'bmi [kg]'
    """

    refused_characters = REFUSED
