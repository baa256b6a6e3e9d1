"""Score of held-out answers by any of scikit-learn's scorers, which expect an estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer


class AnsweredClassifier(ClassifierMixin, BaseEstimator):
    """Classifier that gives the same answers whatever it is asked.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        The answers; classes are the codes 0 to C - 1.

    Examples
    --------
    >>> AnsweredClassifier(np.array([[0.2, 0.8]])).predict(None)
    array([1])
    """

    def __init__(self, proba: NDArray[np.float64]) -> None:
        self.proba = proba
        self.classes_ = np.arange(proba.shape[1])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: ARG002 - the answers are there already
        """Give the probabilities, of shape (n_samples, n_classes)."""
        return self.proba

    def predict(self, X: Any) -> NDArray[np.intp]:  # noqa: ARG002
        """Code of the most probable class, of shape (n_samples,)."""
        return np.asarray(np.argmax(self.proba, axis=1))


class AnsweredRegressor(RegressorMixin, BaseEstimator):
    """Regressor that gives the same answers whatever it is asked.

    Parameters
    ----------
    predictions : ndarray of shape (n_samples,)
        The answers.

    Examples
    --------
    >>> AnsweredRegressor(np.array([0.5])).predict(None)
    array([0.5])
    """

    def __init__(self, predictions: NDArray[np.float64]) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: ARG002 - the answers are there already
        """Give the predictions, of shape (n_samples,)."""
        return self.predictions


def held_out_score(scoring: Any, y: NDArray[Any], row_weight: NDArray[np.float64] | None = None) -> Callable[[NDArray[np.float64]], float]:
    """Turn a scorer into a function of answers.

    Parameters
    ----------
    scoring : str or callable
        Name of one of scikit-learn's scorers, or ``scorer(estimator, X, y)``. It sees codes of classes, not labels.
    y : ndarray of shape (n_held_out,)
        Codes of the true classes, or true values.
    row_weight : ndarray of shape (n_held_out,), default=None
        Passed to the scorer as ``sample_weight`` when given.

    Returns
    -------
    callable
        From answers, of shape (n_held_out, n_classes) or (n_held_out,), to a number; greater is better.

    Examples
    --------
    >>> accuracy = held_out_score("accuracy", np.array([0, 1]))
    >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]))
    0.5
    """
    scorer = get_scorer(scoring)
    params = {} if row_weight is None else {"sample_weight": row_weight}
    placeholder = np.empty((len(y), 0))

    def score(answers: NDArray[np.float64]) -> float:
        if answers.ndim == 1:
            answered: Any = AnsweredRegressor(answers)
        else:
            # Members in single precision sum to one within 1e-7, of which scikit-learn's metrics warn.
            answered = AnsweredClassifier(answers / answers.sum(axis=1, keepdims=True))
        return float(scorer(answered, placeholder, y, **params))

    return score
