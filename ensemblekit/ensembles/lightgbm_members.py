"""LightGBM's estimators, for any column names; imported only where LightGBM is installed."""

# LightGBM spells out every argument; here all but the rows pass through as they are.
# mypy: disable-error-code="override, misc"

from __future__ import annotations

import re
from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from scipy import sparse

from ensemblekit.ensembles.column_names import AnyColumnNames
from ensemblekit.ensembles.labels import encode


class LightGBMTable(AnyColumnNames):
    """Mixin: tables as LightGBM accepts them.

    Examples
    --------
    >>> bool(LightGBMTable.refused_characters.search("a: b"))
    True
    """

    refused_characters = re.compile(r'[\[\]{}",:]')

    def _as_accepted(self, X: Any) -> Any:
        # LightGBM knows scipy's sparse matrices, not its newer sparse arrays.
        return sparse.csr_matrix(X) if sparse.issparse(X) else super()._as_accepted(X)


class LightGBMClassifier(LightGBMTable, LGBMClassifier):
    """`lightgbm.LGBMClassifier` for any column names.

    All parameters, attributes and methods are LightGBM's. A target of one class is refused: LightGBM would answer with
    two columns.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LightGBMClassifier(n_estimators=5, verbosity=-1).fit(X.set_axis(list("[]{}"), axis=1), y)
    >>> model.feature_names_in_.tolist()
    ['[', ']', '{', '}']
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> LightGBMClassifier:
        """Fit; parameters as in `lightgbm.LGBMClassifier.fit`."""
        encode(y)
        super().fit(X, y, sample_weight=sample_weight, **fit_params)
        return self

    def predict_proba(self, X: Any, **predict_params: Any) -> Any:
        """Probabilities of shape (n_samples, n_classes); parameters as in `lightgbm.LGBMClassifier.predict_proba`."""
        return super().predict_proba(self._checked(X), **predict_params)

    def decision_function(self, X: Any) -> Any:
        """Raw scores, of shape (n_samples,) for two classes and (n_samples, n_classes) for more."""
        return self.predict_proba(X, raw_score=True)


class LightGBMRegressor(LightGBMTable, LGBMRegressor):
    """`lightgbm.LGBMRegressor` for any column names.

    All parameters, attributes and methods are LightGBM's.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LightGBMRegressor(n_estimators=5, verbosity=-1).fit(X.rename(columns={"bmi": "bmi, kg"}), y)
    >>> str(model.feature_names_in_[2])
    'bmi, kg'
    """
