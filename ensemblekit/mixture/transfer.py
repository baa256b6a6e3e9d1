"""Experts of one mixture for another: each as a frozen estimator that speaks of labels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ensemblekit.mixture.contracts import ExpertBank, Float
from ensemblekit.mixture.linear.namespaces import on_host


def frozen_experts(mixture: Any) -> list[FrozenEstimator]:
    """Take the experts of a fitted mixture, to be used as they are in another one.

    A mixture that gets them as ``experts`` learns a gate alone, and how exact each of them is on its own table if they are regressors. From
    there ``set_params(experts="logistic", warm_start=True)`` and another fit free the experts.

    The new table must hold every class that the experts know, and no other. Where it lacks one, add a few rows of that class from the old
    table, with a small ``sample_weight``.

    Parameters
    ----------
    mixture : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
        Fitted.

    Returns
    -------
    list of FrozenEstimator
        One for each expert.

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
    check_is_fitted(mixture)
    bank, n_features = mixture.experts_, mixture.n_features_in_
    if hasattr(mixture, "classes_"):
        return [FrozenEstimator(SingleClassifier(bank, k, n_features, on_host(mixture.classes_))) for k in range(mixture.n_experts_)]
    return [FrozenEstimator(SingleRegressor(bank, k, n_features)) for k in range(mixture.n_experts_)]


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

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.experts.logistic import LogisticExperts
    >>> X, y = np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([0, 1, 0, 1])
    >>> bank = LogisticExperts(n_classes=2).fit(X, y, np.ones((4, 1)), np.ones(4))
    >>> SingleClassifier(bank, 0, 1, np.array(["no", "yes"])).predict(X[-1:]).tolist()
    ['yes']
    """

    def __init__(self, bank: ExpertBank, k: int, n_features: int, classes: NDArray[Any]) -> None:
        self.bank = bank
        self.k = k
        self.n_features = n_features
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels."""
        return self.classes

    @property
    def n_features_in_(self) -> int:
        """Columns of a row."""
        return self.n_features

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> SingleClassifier:  # noqa: ARG002
        """Do nothing: the expert is fitted."""
        return self

    def predict_proba(self, X: Any) -> Float:
        """Class probabilities, (n_samples, n_classes)."""
        return self.bank.predict_one(X, self.k)

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

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.experts.linear import LinearExperts
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-2.0, 0.0, 2.0])
    >>> bank = LinearExperts(alpha=0.0).fit(X, y, np.ones((3, 1)), np.ones(3))
    >>> SingleRegressor(bank, 0, 1).predict(X).round(3).tolist()
    [-2.0, 0.0, 2.0]
    """

    def __init__(self, bank: ExpertBank, k: int, n_features: int) -> None:
        self.bank = bank
        self.k = k
        self.n_features = n_features

    @property
    def n_features_in_(self) -> int:
        """Columns of a row."""
        return self.n_features

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> SingleRegressor:  # noqa: ARG002
        """Do nothing: the expert is fitted."""
        return self

    def predict(self, X: Any) -> Float:
        """Means, (n_samples,)."""
        return self.bank.predict_one(X, self.k)[:, 0]
