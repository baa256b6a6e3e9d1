"""The ensemble that votes: on classes (hard) or with probabilities (soft)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if

from ensemblekit.ensembles.base import BaseEnsembleClassifier
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
        weights: ArrayLike | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.voting = voting
        self.weights = weights
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any
    ) -> VotingEnsembleClassifier:
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
        X, codes = self._check_table(X, y)
        members = self._active_members()
        self._weights = self._active_weights()
        self._fit_members(members, X, codes, self._route(sample_weight, fit_params))
        return self

    def _active_weights(self) -> NDArray[np.float64] | None:
        """Weights of the members that were not dropped."""
        if self.weights is None:
            return None
        weights = check_array(self.weights, ensure_2d=False, dtype=np.float64, input_name="weights")
        members = self._members()
        if weights.shape != (len(members),):
            raise ValueError(
                f"weights has shape {weights.shape}, but there are {len(members)} estimators: one weight for each."
            )
        weights = weights[[not isinstance(member, str) for _, member in members]]
        if weights.min() < 0 or weights.sum() == 0:
            raise ValueError(f"weights must not be negative, and not all zero; got {weights.tolist()}.")
        return np.asarray(weights, dtype=np.float64)

    @available_if(_is_soft)  # type: ignore[untyped-decorator]
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
        return np.asarray(np.average(self._member_proba(X), axis=0, weights=self._weights))

    def predict(self, X: Any) -> NDArray[Any]:
        """Class that won the vote.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        scores = self._count_votes(X) if self.voting == "hard" else self.predict_proba(X)
        winners = np.argmax(scores, axis=1)
        return np.asarray(self.classes_[winners])

    def _count_votes(self, X: Any) -> NDArray[np.float64]:
        """Weight of the votes for each class, of shape (n_samples, n_classes)."""
        X = self._check_rows(X)
        weights = np.ones(len(self.estimators_)) if self._weights is None else self._weights
        classes = np.arange(len(self.classes_))
        votes = [np.asarray(member.predict(X))[:, None] == classes for member in self.estimators_]
        return np.asarray(np.tensordot(weights, np.asarray(votes, dtype=np.float64), axes=1))
