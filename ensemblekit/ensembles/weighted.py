"""The ensemble with learned weights: how much each member is worth, judged on rows it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_sample_weight

from ensemblekit.ensembles.base import BaseEnsembleClassifier, Routed
from ensemblekit.ensembles.fitting import fit_member
from ensemblekit.ensembles.held_out import Fold, held_out_proba, make_folds
from ensemblekit.ensembles.members import RandomState
from ensemblekit.ensembles.simplex import SimplexSolution, log_loss_weights


class WeightedEnsembleClassifier(BaseEnsembleClassifier):
    """Weighted mean of the members' probabilities, the weights learned on held-out rows.

    Each member is fitted once on the training rows of each fold and once on all rows. The weights minimise the log-loss
    of the weighted mean on the held-out rows, over all non-negative weights that sum to one: a convex problem, solved
    until its optimality gap is below 1e-9.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out. None is a random forest, XGBoost and
        LightGBM, as in `ensemblekit.ensembles.members.default_classifiers`.
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many stratified folds of shuffled rows. Rows that a splitter never
        holds out have no say in the weights.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fitted members and held-out probabilities are kept, so that ensembles with members in common fit them
        once. Members with ``random_state=None`` are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,), float64
        Of the members in `estimators_`; non-negative, sum to one.
    held_out_log_loss_ : float
        Log-loss (natural logarithm) of the weighted mean on the held-out rows. A little too good: the weights were
        chosen there.
    optimality_gap_ : float
        No weights have a held-out log-loss below ``held_out_log_loss_ - optimality_gap_``.
    estimators_ : list of estimators
        Members fitted on all rows, those dropped left out. They answer in codes 0 to C - 1, positions in `classes_`.
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
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [("linear", LogisticRegression(max_iter=1000)), ("constant", DummyClassifier())]
    >>> ensemble = WeightedEnsembleClassifier(members, random_state=0).fit(X, y)
    >>> ensemble.weights_.round(3)
    array([1., 0.])
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any
    ) -> WeightedEnsembleClassifier:
        """Fit each member on each fold and on all rows, then the weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members, and how much each held-out row counts for the weights.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled; ``groups`` go to the splitter.

        Returns
        -------
        self
        """
        X, codes = self._check_table(X, y)
        members, routed = self._active_members(), self._route(sample_weight, fit_params)
        split_params = routed["splitter"]["split"] if _routing_enabled() else {}
        folds = make_folds(self.cv, X, codes, random_state=self.random_state, split_params=split_params)
        held_out = self._fit_all(members, X, codes, folds, routed)
        solution = self._solve(held_out, codes, folds, sample_weight, X)
        self.weights_, self.held_out_log_loss_, self.optimality_gap_ = solution
        return self

    def _fit_all(
        self, members: list[tuple[str, Any]], X: Any, codes: NDArray[np.int64], folds: list[Fold], routed: Routed
    ) -> NDArray[np.float64]:
        """Fit on all rows and on all folds, in one queue; returns probabilities (n_members, n_held_out, n_classes)."""
        on_all_rows = [
            delayed(fit_member)(
                member,
                X,
                codes,
                fit_params=routed[name]["fit"],
                memory=self.memory,
                name=name,
                verbose=self._progress(name, position, len(members)),
            )
            for position, (name, member) in enumerate(members)
        ]
        on_folds = [
            delayed(held_out_proba)(
                member,
                X,
                codes,
                fold,
                n_classes=len(self.classes_),
                fit_params=routed[name]["fit"],
                memory=self.memory,
                name=name,
            )
            for name, member in members
            for fold in folds
        ]
        answers = Parallel(n_jobs=self.n_jobs)(on_all_rows + on_folds)
        self._keep_fitted([name for name, _ in members], answers[: len(members)])
        by_member = np.split(np.arange(len(members), len(answers)), len(members))
        return np.stack([np.vstack([answers[task] for task in tasks]) for tasks in by_member])

    def _solve(
        self,
        held_out: NDArray[np.float64],
        codes: NDArray[np.int64],
        folds: list[Fold],
        sample_weight: ArrayLike | None,
        X: Any,
    ) -> SimplexSolution:
        rows = np.concatenate([test for _, test in folds])
        true_class_proba = held_out[:, np.arange(len(rows)), codes[rows]].T
        row_weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)[rows]
        return log_loss_weights(true_class_proba, row_weight)

    def get_metadata_routing(self) -> MetadataRouter:
        """Who gets which metadata in `fit`.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            Each member under its name, and the splitter; `sample_weight` is also for the ensemble itself.
        """
        router = super().get_metadata_routing().add_self_request(self)
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the members' probabilities; members of weight zero are not asked.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        X = self._check_rows(X)
        asked = [member for member, weight in zip(self.estimators_, self.weights_, strict=True) if weight > 0]
        proba = np.asarray([member.predict_proba(X) for member in asked], dtype=np.float64)
        return np.asarray(np.average(proba, axis=0, weights=self.weights_[self.weights_ > 0]))

    def predict(self, X: Any) -> NDArray[Any]:
        """Class of the largest weighted mean probability.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        winners = np.argmax(self.predict_proba(X), axis=1)
        return np.asarray(self.classes_[winners])
