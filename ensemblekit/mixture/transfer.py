"""Experts of one mixture for another: each as a frozen estimator that speaks of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from ensemblekit.mixture.contracts import ExpertBank, Float
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.experts.estimators import EstimatorExperts
from ensemblekit.mixture.linear.namespaces import on_host


def frozen_experts(mixture: Any) -> list[FrozenEstimator]:
    """Take the experts of a fitted mixture, to be used as they are in another one.

    A mixture that gets them as ``experts`` learns a gate alone, and how exact each of them is on its own table if they are regressors. From
    there ``set_params(experts="logistic", warm_start=True)`` and another fit free the experts.

    The new table must hold every class that the experts know. Where it lacks one, add a few rows of that class from the old table, with a
    small ``sample_weight``. Its columns must be those of the old one, in the same order; of a wider one, choose them by
    ``expert_features``.

    Parameters
    ----------
    mixture : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
        Fitted.

    Returns
    -------
    list of FrozenEstimator
        One for each expert.

    Raises
    ------
    TypeError
        For what is no mixture, such as a pipeline that ends in one.

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(600, 2))
    >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
    >>> source = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    >>> model = MixtureOfExpertsClassifier(n_experts=2, experts=frozen_experts(source), random_state=0)
    >>> X, y = X[:100], ~y[:100]  # a small table on which the rules have changed places
    >>> model.fit(X, y).score(X, y) > 0.85
    True
    """
    if not hasattr(mixture, "gate_proba"):
        raise TypeError(f"frozen_experts takes a fitted mixture, such as the last step of a pipeline; got {type(mixture).__name__}.")
    check_is_fitted(mixture)
    bank, n_features, names = mixture.experts_, mixture.n_features_in_, getattr(mixture, "feature_names_in_", None)
    every = range(mixture.n_experts_)
    if hasattr(mixture, "classes_"):
        return [FrozenEstimator(SingleClassifier(bank, k, n_features, on_host(mixture.classes_), names)) for k in every]
    return [FrozenEstimator(SingleRegressor(bank, k, n_features, names)) for k in every]


def check_columns(expert: Any, n_features: int, names: NDArray[Any] | None) -> None:
    """Refuse an expert that was fitted to other columns than those that it is to read.

    Parameters
    ----------
    expert : estimator
        Fitted.
    n_features : int
        Columns of the table.
    names : ndarray of shape (n_features,) or None
        Their names, where they have any.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> check_columns(LinearRegression().fit([[1.0, 2.0]], [3.0]), 3, None)
    Traceback (most recent call last):
    ValueError: A fitted expert reads 2 columns, and the table has 3: give those that it was fitted to, in their order.
    """
    reads, known = getattr(expert, "n_features_in_", n_features), getattr(expert, "feature_names_in_", None)
    told, has = f"reads {reads} columns", f"has {n_features}"
    if known is not None and names is not None:
        told, has = f"reads the columns {list(known)}", f"has {list(names)}"
    if reads != n_features or (known is not None and names is not None and not np.array_equal(known, names)):
        raise ValueError(f"A fitted expert {told}, and the table {has}: give those that it was fitted to, in their order.")


def _read(X: Any, expert: SingleClassifier | SingleRegressor) -> Any:
    """Check a table for an expert; whole frames are for estimators, which may read columns of any type."""
    names = np.asarray(X.columns) if hasattr(X, "columns") else None
    if names is None or not isinstance(expert.bank, EstimatorExperts):
        finite = "allow-nan" if isinstance(expert.bank, BoostedExperts) else True
        X = check_array(X, dtype=np.float64, accept_sparse="csr", ensure_all_finite=finite)
    check_columns(expert, X.shape[1], names)
    return X


class SingleClassifier(ClassifierMixin, BaseEstimator):
    """One expert of a fitted bank as a classifier.

    Parameters
    ----------
    bank : ExpertBank
        Fitted.
    k : int
        Which expert.
    n_features : int
        Columns of a row.
    classes : ndarray of shape (n_classes,)
        Labels behind the bank's columns.
    names : ndarray of shape (n_features,) or None, default=None
        Names of the columns, where they have any.

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.experts.logistic import LogisticExperts
    >>> X, y = np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([0, 1, 0, 1])
    >>> bank = LogisticExperts(n_classes=2).fit(X, y, np.ones((4, 1)), np.ones(4))
    >>> SingleClassifier(bank, 0, 1, np.array(["no", "yes"])).predict(X[-1:]).tolist()
    ['yes']
    """

    def __init__(self, bank: ExpertBank, k: int, n_features: int, classes: NDArray[Any], names: NDArray[Any] | None = None) -> None:
        self.bank = bank
        self.k = k
        self.n_features = n_features
        self.classes = classes
        self.names = names

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels."""
        return self.classes

    @property
    def n_features_in_(self) -> int:
        """Columns of a row."""
        return self.n_features

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns."""
        if self.names is None:
            raise AttributeError("The columns have no names.")
        return self.names

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> SingleClassifier:  # noqa: ARG002
        """Do nothing: the expert is fitted."""
        return self

    def predict_proba(self, X: Any) -> Float:
        """Class probabilities, (n_samples, n_classes)."""
        return self.bank.predict_one(_read(X, self), self.k)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable labels."""
        labels: NDArray[Any] = self.classes[self.predict_proba(X).argmax(axis=1)]
        return labels


class SingleRegressor(RegressorMixin, BaseEstimator):
    """One expert of a fitted bank as a regressor.

    Parameters
    ----------
    bank : ExpertBank
        Fitted.
    k : int
        Which expert.
    n_features : int
        Columns of a row.
    names : ndarray of shape (n_features,) or None, default=None
        Names of the columns, where they have any.

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.experts.linear import LinearExperts
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-2.0, 0.0, 2.0])
    >>> bank = LinearExperts(alpha=0.0).fit(X, y, np.ones((3, 1)), np.ones(3))
    >>> SingleRegressor(bank, 0, 1).predict(X).round(3).tolist()
    [-2.0, 0.0, 2.0]
    """

    def __init__(self, bank: ExpertBank, k: int, n_features: int, names: NDArray[Any] | None = None) -> None:
        self.bank = bank
        self.k = k
        self.n_features = n_features
        self.names = names

    @property
    def n_features_in_(self) -> int:
        """Columns of a row."""
        return self.n_features

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns."""
        if self.names is None:
            raise AttributeError("The columns have no names.")
        return self.names

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> SingleRegressor:  # noqa: ARG002
        """Do nothing: the expert is fitted."""
        return self

    def predict(self, X: Any) -> Float:
        """Means, (n_samples,)."""
        return self.bank.predict_one(_read(X, self), self.k)[:, 0]
