"""The plain ensemble: the mean of what the members say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.ensembles.base import BaseEnsembleClassifier, BaseEnsembleRegressor
from ensemblekit.ensembles.members import RandomState


class AveragingEnsembleClassifier(BaseEnsembleClassifier):
    """Mean of the members' probabilities, all members alike.

    The same answer, to the bit, as scikit-learn's ``VotingClassifier(voting="soft")`` of the same members.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out. None is a random forest, XGBoost and
        LightGBM, as in `ensemblekit.ensembles.members.default_classifiers`.
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
    >>> ensemble = AveragingEnsembleClassifier(random_state=0).fit(X, y)
    >>> ensemble.predict(X[:2])
    array([0, 0])
    >>> list(ensemble.named_estimators_)
    ['forest', 'xgboost', 'lightgbm']
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Mean of the members' probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return np.asarray(np.average(self._answers(X), axis=0))


class AveragingEnsembleRegressor(BaseEnsembleRegressor):
    """Mean of the members' predictions, all members alike.

    The same answer, to the bit, as scikit-learn's `VotingRegressor` of the same members.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out. None is a random forest, XGBoost and
        LightGBM, as in `ensemblekit.ensembles.members.default_regressors`.
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
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> AveragingEnsembleRegressor(random_state=0).fit(X, y).score(X, y) > 0.8
    True
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def predict(self, X: Any) -> NDArray[np.floating]:
        """Mean of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        # Rows first, as in scikit-learn: numpy sums in another order otherwise, and the last bits differ.
        return np.asarray(np.average(self._answers(X).T, axis=1))
