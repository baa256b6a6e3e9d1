"""Ensembles that vote: on classes, hard or with probabilities; on numbers, by the median."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.metaestimators import available_if

from ensemblekit.ensembles.base import BaseEnsembleClassifier, BaseEnsembleRegressor
from ensemblekit.ensembles.given_weights import active_weights
from ensemblekit.ensembles.members import RandomState

VOTING = ("hard", "soft")


def _is_soft(ensemble: VotingEnsembleClassifier) -> bool:
    if ensemble.voting == "hard":
        raise AttributeError("predict_proba exists with voting='soft' only; voting='hard' counts votes")
    return True


class VotingEnsembleClassifier(BaseEnsembleClassifier):
    """Vote of the members, with scikit-learn's `VotingClassifier` rules.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out. None is a random forest, XGBoost and
        LightGBM, as in `ensemblekit.ensembles.members.default_classifiers`.
    voting : {"hard", "soft"}, default="hard"
        ``"hard"``: each member votes for one class, the most votes win, and of classes with equally many votes the
        first in `classes_`. ``"soft"``: the class of the largest mean probability.
    abstain_below : float, default=None
        The vote is void, and `predict` gives `abstain_label`, where the winner has a smaller share of the votes
        (``"hard"``) or a smaller mean probability (``"soft"``) than this, between 0 and 1. None: never.
    abstain_label : object, default=None
        Answer of a void vote: None, or something of the type of the labels. :meth:`score` counts it as wrong; scikit-learn's metrics do
        so too where it is of the type of the labels, and cannot compare None with them.
    weights : array-like of shape (n_estimators,), default=None
        Votes, or parts of the mean, that each of `estimators` has (of those dropped too). Equal when None.
    random_state : int, RandomState instance or None, default=None
        Seed of the default members. Given members keep their own.
    n_jobs : int, default=None
        Members that are fitted side by side.
    memory : str or joblib.Memory, default=None
        Where fitted members are kept, so that ensembles with members in common fit them once. Members with
        ``random_state=None`` are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took.

    Attributes
    ----------
    estimators_ : list of estimators
        Fitted members, those dropped left out. They answer in codes 0 to C - 1, positions in `classes_`.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> VotingEnsembleClassifier(voting="hard", random_state=0).fit(X, y).predict(X[:2])
    array([0, 0])
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        voting: Literal["hard", "soft"] = "hard",
        abstain_below: float | None = None,
        abstain_label: Any = None,
        weights: ArrayLike | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.voting = voting
        self.abstain_below = abstain_below
        self.abstain_label = abstain_label
        self.weights = weights
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit each member.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self
        """
        if self.voting not in VOTING:
            raise ValueError(f"voting={self.voting!r} is unknown; choose one of {list(VOTING)}.")
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise ValueError(f"abstain_below={self.abstain_below!r} is a share of the votes, between 0 and 1.")
        self._weights = None if self.weights is None else active_weights(self.weights, self._members())
        return super().fit(X, y, sample_weight, **fit_params)

    def _asks_for_probabilities(self) -> bool:
        return self.voting == "soft"

    @available_if(_is_soft)
    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Mean of the members' probabilities, with soft voting only.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return np.asarray(np.average(self._answers(X), axis=0, weights=self._weights))

    def predict(self, X: Any) -> NDArray[Any]:
        """Class that won the vote.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels, and `abstain_label` where the vote is void.
        """
        shares = self.predict_votes(X) if self.voting == "hard" else self.predict_proba(X)
        labels = self.classes_[np.argmax(shares, axis=1)]
        if self.abstain_below is None:
            return np.asarray(labels)
        return np.asarray(np.where(shares.max(axis=1) < self.abstain_below, self.abstain_label, labels))

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy: the share of rows whose label wins the vote; a void one is wrong.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
        """
        labels, answers = column_or_1d(y), self.predict(X)
        check_consistent_length(labels, answers)
        right = answers == labels
        return float(accuracy_score(np.ones_like(right), right, sample_weight=sample_weight))

    def predict_votes(self, X: Any) -> NDArray[np.float64]:
        """Share of the members, by weight, that vote for each class; for soft voting too.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Rows sum to one.
        """
        votes = self._votes(X)
        weights = np.ones(len(votes)) if self._weights is None else self._weights
        is_vote_for = votes[:, :, None] == np.arange(len(self.classes_))
        return np.asarray(np.tensordot(weights, is_vote_for.astype(np.float64), axes=1) / weights.sum())


class VotingEnsembleRegressor(BaseEnsembleRegressor):
    """Median of the members' predictions: one member that is far off has no say.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out. None is a random forest, XGBoost and
        LightGBM, as in `ensemblekit.ensembles.members.default_regressors`.
    weights : array-like of shape (n_estimators,), default=None
        Votes that each of `estimators` has (of those dropped too), for a weighted median. Equal when None.
    random_state : int, RandomState instance or None, default=None
        Seed of the default members. Given members keep their own.
    n_jobs : int, default=None
        Members that are fitted side by side.
    memory : str or joblib.Memory, default=None
        Where fitted members are kept, so that ensembles with members in common fit them once. Members with
        ``random_state=None`` are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took.

    Attributes
    ----------
    estimators_ : list of estimators
        Fitted members, those dropped left out.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> members = [(f"says_{k}", DummyRegressor(strategy="constant", constant=k)) for k in (1.0, 2.0, 1000.0)]
    >>> VotingEnsembleRegressor(members).fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.0]])
    array([2.])
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        weights: ArrayLike | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit each member.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self
        """
        self._weights = None if self.weights is None else active_weights(self.weights, self._members())
        return super().fit(X, y, sample_weight, **fit_params)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Median, or weighted median, of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            The middle of the two middle ones where exactly half of the weight lies on either side.
        """
        answers = np.asarray(self._answers(X), dtype=np.float64)
        return weighted_median(answers, np.ones(len(answers)) if self._weights is None else self._weights)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Value with at most half of the weight below it and at most half above it.

    Parameters
    ----------
    values : ndarray of shape (n_members, n_samples), float64
        One column for each median.
    weights : ndarray of shape (n_members,), float64
        Non-negative, not all zero.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        The middle of two values where both will do; numpy's median for equal weights.

    Examples
    --------
    >>> weighted_median(np.array([[1.0], [2.0], [9.0]]), np.array([1.0, 1.0, 3.0]))
    array([9.])
    """
    values, weights = values[weights > 0], weights[weights > 0]
    order = np.argsort(values, axis=0)
    in_order = np.take_along_axis(values, order, axis=0)
    reached = np.cumsum(weights[order], axis=0) / weights.sum()
    lower = np.argmax(reached >= 0.5 - 1e-12, axis=0)
    upper = np.argmax(reached > 0.5 + 1e-12, axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray((in_order[lower, columns] + in_order[upper, columns]) / 2, dtype=np.float64)
