"""Members that were fitted on folds: one that may lack classes, and the mean over the folds as a member."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class FoldModel:
    """Estimator fitted on the training rows of a fold, answering for all classes of the table.

    Parameters
    ----------
    model : fitted estimator or None
        Fitted on the numbers 0, 1, ... of the classes in `present`; None if these are a single class.
    n_classes : int or None
        Classes of the table; None for a regressor.
    present : ndarray of shape (n_present,), default=None
        Codes of the classes with a training row, ascending; all when None.

    Examples
    --------
    >>> FoldModel(None, n_classes=3, present=np.array([1])).answer(np.zeros((2, 1)))
    array([[0., 1., 0.],
           [0., 1., 0.]])
    """

    def __init__(self, model: Any, *, n_classes: int | None, present: NDArray[np.int64] | None = None) -> None:
        self.model = model
        self.n_classes = n_classes
        self.present = present

    def answer(self, X: Any) -> NDArray[np.float64]:
        """Probabilities for all classes, or predictions of a regressor.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples,), float64
            Zero for classes without a training row.
        """
        if self.n_classes is None:
            return np.asarray(self.model.predict(X), dtype=np.float64)
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        columns: Any = slice(None) if self.present is None else self.present
        proba = np.zeros((n_rows, self.n_classes))
        proba[:, columns] = 1.0 if self.model is None else self.model.predict_proba(X)
        return proba


class FoldMeanClassifier(ClassifierMixin, BaseEstimator):
    """Mean probabilities of the classifiers that one member became on the folds. Fitted from the start.

    Parameters
    ----------
    fold_models : list of FoldModel
        One for each fold, of two classes or more.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), int64
        Codes 0 to C - 1.

    Examples
    --------
    >>> models = [FoldModel(None, n_classes=2, present=np.array([code])) for code in (0, 1, 1, 1)]
    >>> FoldMeanClassifier(models).predict_proba(np.zeros((1, 1)))
    array([[0.25, 0.75]])
    """

    def __init__(self, fold_models: list[FoldModel]) -> None:
        self.fold_models = fold_models

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> NDArray[np.int64]:
        """Codes 0 to C - 1."""
        return np.arange(self.fold_models[0].n_classes or 0)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Mean over the folds, of shape (n_samples, n_classes)."""
        return np.asarray(np.mean([model.answer(X) for model in self.fold_models], axis=0))

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Code of the class of the largest mean, of shape (n_samples,)."""
        return np.asarray(np.argmax(self.predict_proba(X), axis=1), dtype=np.int64)


class FoldMeanRegressor(RegressorMixin, BaseEstimator):
    """Mean prediction of the regressors that one member became on the folds. Fitted from the start.

    Parameters
    ----------
    fold_models : list of FoldModel
        One for each fold.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> models = [FoldModel(DummyRegressor().fit([[0.0]], [y]), n_classes=None) for y in (1.0, 2.0)]
    >>> FoldMeanRegressor(models).predict(np.zeros((1, 1)))
    array([1.5])
    """

    def __init__(self, fold_models: list[FoldModel]) -> None:
        self.fold_models = fold_models

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Mean over the folds, of shape (n_samples,)."""
        return np.asarray(np.mean([model.answer(X) for model in self.fold_models], axis=0))
