"""Column names as the boosting libraries accept them.

LightGBM refuses names with JSON's special characters, XGBoost names with brackets or ``<``, and all refuse a name that
comes twice. Data frames come with all of these, so a booster is handed positions instead where its library would refuse
a name, while it keeps, reports and checks the names that were given. (LightGBM by itself does not even notice columns
in another order.)
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_feature_names


def with_distinct_names(X: Any) -> Any:
    """Table whose repeated column names say their position; anything else as it is.

    Parameters
    ----------
    X : object
        A pandas data frame, or any other kind of table.

    Returns
    -------
    object
        `X` itself if no name is repeated.

    Examples
    --------
    >>> import pandas as pd
    >>> with_distinct_names(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])).columns.tolist()
    ['a', 'b', 'a (column 2)']
    """
    if getattr(getattr(X, "columns", None), "is_unique", True):
        return X
    again = X.columns.duplicated()
    return X.set_axis([f"{name} (column {i})" if again[i] else name for i, name in enumerate(X.columns)], axis=1)


class AnyColumnNames:
    """Mixin, placed before a booster's own scikit-learn class: any names of columns will do.

    Attributes
    ----------
    feature_names_in_ : ndarray of shape (n_features,), str objects
        The names as they were given, repeated ones with their position; absent when `X` had none.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> import pandas as pd
    >>> class PickyRidge(AnyColumnNames, Ridge):
    ...     refused_characters = re.compile("<")
    >>> ridge = PickyRidge().fit(pd.DataFrame([[0.0], [1.0]], columns=["<b>"]), [0.0, 1.0])
    >>> ridge.feature_names_in_.tolist()
    ['<b>']
    """

    refused_characters: ClassVar[re.Pattern[str]]

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the columns of `fit`, as they were given."""
        try:
            return self._given_names
        except AttributeError:
            raise AttributeError("feature_names_in_ exists once fitted on a table whose column names are strings") from None

    # scikit-learn's own check of names sets and deletes this attribute; the libraries define it without a setter.
    @feature_names_in_.setter
    def feature_names_in_(self, names: NDArray[np.object_]) -> None:
        self._given_names = names

    @feature_names_in_.deleter
    def feature_names_in_(self) -> None:
        del self._given_names

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Any:
        """Fit on `X` under names that the library accepts; parameters as in the library's own `fit`."""
        X = with_distinct_names(X)
        _check_feature_names(self, X, reset=True)
        super().fit(self._as_accepted(X), y, sample_weight=sample_weight, **fit_params)  # type: ignore[misc]
        # Once more: a library may have noted the names that it was handed.
        _check_feature_names(self, X, reset=True)
        return self

    def predict(self, X: Any, **predict_params: Any) -> Any:
        """Predict as the library does, after a check that the columns are those of `fit`."""
        return super().predict(self._checked(X), **predict_params)  # type: ignore[misc]

    def _checked(self, X: Any) -> Any:
        # LightGBM's predict comes back through predict_proba with the columns that were renamed for it.
        if hasattr(self, "_given_names") and list(getattr(X, "columns", [])) == self._accepted_names():
            return X
        X = with_distinct_names(X)
        _check_feature_names(self, X, reset=False)
        return self._as_accepted(X)

    def _as_accepted(self, X: Any) -> Any:
        if not hasattr(X, "set_axis") or not hasattr(self, "_given_names"):
            return X
        return X.set_axis(self._accepted_names(), axis=1)

    def _accepted_names(self) -> list[str]:
        """Names as they were given if the library takes all of them, else the positions."""
        names = [str(name) for name in self._given_names]
        if any(self.refused_characters.search(name) for name in names):
            return [f"column_{position}" for position in range(len(names))]
        return names
