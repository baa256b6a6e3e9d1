"""Stacking: a last model that learns from the members' held-out answers how to combine them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeCV

from ensemblekit.ensembles.base import BaseEnsembleClassifier, BaseEnsembleRegressor
from ensemblekit.ensembles.cross_fitted import CrossFittedEnsemble
from ensemblekit.ensembles.members import RandomState


class BaseStackingEnsemble(CrossFittedEnsemble):
    """Cross-fit the members, then fit the last model on their held-out answers."""

    final_estimator: Any

    def _default_final_estimator(self) -> Any:
        raise NotImplementedError

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit each member on each fold and on all rows, then the last model on the held-out answers.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members and to the last model.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled; ``groups`` go to the splitter.

        Returns
        -------
        self
        """
        X, target = self._check_table(X, y)
        held_out = self._cross_fit(self._active_members(), X, target, sample_weight, fit_params)
        final = self._default_final_estimator() if self.final_estimator is None else clone(self.final_estimator)
        row_weight = self._row_weight(sample_weight, X, held_out)
        weighted = {} if row_weight is None else {"sample_weight": row_weight}
        self.final_estimator_ = final.fit(_side_by_side(held_out.answers), target[held_out.rows], **weighted)
        return self

    def _stacked(self, X: Any) -> NDArray[np.floating]:
        """Answers of the members as the last model wants them."""
        return _side_by_side(self._answers(X))


def _side_by_side(answers: NDArray[np.floating]) -> NDArray[np.floating]:
    """Columns of all members; of two probabilities that sum to one, the second alone, as in scikit-learn."""
    is_binary = answers.ndim == 3 and answers.shape[2] == 2
    return np.column_stack(list(answers[:, :, 1:] if is_binary else answers))


class StackingEnsembleClassifier(BaseEnsembleClassifier, BaseStackingEnsemble):
    """scikit-learn's `StackingClassifier` behind the names and members of this package.

    With the same members, folds and last model the answers are the same.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out, a `FrozenEstimator` is not fitted again.
        None is a random forest, XGBoost and LightGBM, as in `ensemblekit.ensembles.members.default_classifiers`.
    final_estimator : classifier, default=None
        Learns the codes of the classes from the members' probabilities. None is a logistic regression.
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many stratified folds of shuffled rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fits of members are kept, so that ensembles with members in common make them once. Members with
        ``random_state=None`` are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    final_estimator_ : classifier
        The fitted last model.
    estimators_ : list of estimators
        Members fitted on all rows. They answer in codes 0 to C - 1, positions in `classes_`.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    References
    ----------
    D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier(random_state=0))]
    >>> StackingEnsembleClassifier(members, random_state=0).fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        final_estimator: Any = None,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def _default_final_estimator(self) -> Any:
        return LogisticRegression(max_iter=1000)

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities of the last model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        stacked = self._stacked(X)
        return np.asarray(self.final_estimator_.predict_proba(stacked))

    def predict(self, X: Any) -> NDArray[Any]:
        """Class that the last model predicts.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        stacked = self._stacked(X)
        return np.asarray(self.classes_[self.final_estimator_.predict(stacked)])


class StackingEnsembleRegressor(BaseEnsembleRegressor, BaseStackingEnsemble):
    """scikit-learn's `StackingRegressor` behind the names and members of this package.

    With the same members, folds and last model the answers are the same.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out, a `FrozenEstimator` is not fitted again.
        None is a random forest, XGBoost and LightGBM, as in `ensemblekit.ensembles.members.default_regressors`.
    final_estimator : regressor, default=None
        Learns the target from the members' predictions. None is `RidgeCV`.
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many folds of shuffled rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fits of members are kept, so that ensembles with members in common make them once. Members with
        ``random_state=None`` are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    final_estimator_ : regressor
        The fitted last model.
    estimators_ : list of estimators
        Members fitted on all rows.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    References
    ----------
    D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> members = [("ridge", Ridge(alpha=0.1)), ("tree", DecisionTreeRegressor(max_depth=3, random_state=0))]
    >>> StackingEnsembleRegressor(members, random_state=0).fit(X, y).score(X, y) > 0.5
    True
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        final_estimator: Any = None,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def _default_final_estimator(self) -> Any:
        return RidgeCV()

    def predict(self, X: Any) -> NDArray[np.floating]:
        """Prediction of the last model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        stacked = self._stacked(X)
        return np.asarray(self.final_estimator_.predict(stacked))
