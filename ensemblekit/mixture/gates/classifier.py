"""Any scikit-learn classifier as a gate: it learns which expert is responsible."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.experts.weighted_fit import fit_weighted

#: Responsibilities below this share are not worth a row of their own.
_NEGLIGIBLE = 1e-4
#: A classifier that has never erred may still err: the smallest probability that a gate gives.
_FLOOR = 1e-6


class ClassifierGate(BaseEstimator):
    """A classifier of rows into experts, fitted to soft targets. Of one expert there is nothing to learn.

    scikit-learn's classifiers take no soft targets, so every row is repeated once for each expert that answers for it, weighted by the
    responsibility: for a classifier that minimises a weighted loss this is the same.

    Parameters
    ----------
    estimator : estimator
        Classifier with ``predict_proba``. One that cannot take ``sample_weight`` is fitted to a weighted resample, with a warning.

    Attributes
    ----------
    estimator_ : estimator
        Where there are several experts.
    n_experts_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[0.0], [1.0]])
    >>> gate = ClassifierGate(DecisionTreeClassifier()).fit(X, np.array([[0.9, 0.1], [0.2, 0.8]]), np.ones(2))
    >>> np.exp(gate.log_proba(X)).round(2)
    array([[0.9, 0.1],
           [0.2, 0.8]])
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Fit the classifier to rows repeated by responsibility.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        self.n_experts_ = responsibilities.shape[1]
        if self.n_experts_ == 1:
            return self
        rows, experts = np.nonzero(responsibilities >= _NEGLIGIBLE)
        weight = sample_weight[rows] * responsibilities[rows, experts]
        self.estimator_ = fit_weighted(clone(self.estimator), X[rows], experts, weight)
        return self

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the classifier's probabilities, floored at one in a million.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        if self.n_experts_ == 1:
            return np.zeros((X.shape[0], 1))
        proba = np.full((X.shape[0], self.n_experts_), _FLOOR)
        proba[:, self.estimator_.classes_] = np.maximum(self.estimator_.predict_proba(X), _FLOOR)
        return np.log(proba / proba.sum(axis=1, keepdims=True))

    def penalty(self) -> float:
        """Zero: what the classifier penalises is its own affair."""
        return 0.0
