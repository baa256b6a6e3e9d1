"""The ensemble with learned weights: how much each member is worth, judged on rows it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from ensemblekit.ensembles.base import BaseEnsembleClassifier, BaseEnsembleRegressor
from ensemblekit.ensembles.budget import best_within, cost_path
from ensemblekit.ensembles.costs import member_costs
from ensemblekit.ensembles.cross_fitted import CrossFittedEnsemble
from ensemblekit.ensembles.given_weights import active_weights
from ensemblekit.ensembles.greedy import Score, greedy_weights
from ensemblekit.ensembles.held_out import HeldOut
from ensemblekit.ensembles.held_out_score import held_out_score
from ensemblekit.ensembles.members import RandomState
from ensemblekit.ensembles.simplex import (
    SimplexSolution,
    log_loss_at,
    log_loss_weights,
    squared_error_at,
    squared_error_weights,
)

Weights = NDArray[np.float64]
Learner = Callable[[NDArray[np.float64]], Weights]

WEIGHTS = ("optimal", "greedy", "score")


class BaseWeightedEnsemble(CrossFittedEnsemble):
    """Cross-fit the members, learn weights from the held-out answers. Subclasses know the loss."""

    weights: Any
    scoring: Any
    refit: bool
    max_cost: float | None
    cost: str

    # What weights="score" is proportional to where `scoring` is None: zero must mean worthless.
    _plain_score: str

    def _solve(self, answers: NDArray[np.float64], y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> SimplexSolution:
        """Find the weights of the smallest loss."""
        raise NotImplementedError

    def _at(
        self,
        weights: Weights,
        answers: NDArray[np.float64],
        y: NDArray[Any],
        row_weight: NDArray[np.float64] | None,
    ) -> SimplexSolution:
        """Judge given weights by the loss."""
        raise NotImplementedError

    def _loss_score(self, y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> Score:
        """Score answers by minus the loss."""
        one = np.ones(1)
        return lambda answers: -self._at(one, answers[None], y, row_weight).loss

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit each member on each fold and on all rows, then the weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members, and how much each held-out row counts for the weights.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled; ``groups`` go to the splitter.

        Returns
        -------
        self
        """
        X, target = self._check_table(X, y)
        members = self._active_members()
        given = self._given_weights()
        if given is not None:
            if self.max_cost is not None:
                raise ValueError(f"max_cost needs weights that are learned: choose one of {list(WEIGHTS)}.")
            self._fit_members(members, X, target, self._route(sample_weight, fit_params))
            self.weights_ = given / given.sum()
            return self
        held_out = self._cross_fit(members, X, target, sample_weight, fit_params, refit=self.refit)
        self._learn_weights(X, held_out, target[held_out.rows], self._row_weight(sample_weight, X, held_out))
        return self

    def _learn_weights(self, X: Any, held_out: HeldOut, y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> None:
        learn = self._learner(y, row_weight)
        if self.max_cost is None:
            self.weights_ = learn(held_out.answers)
        else:
            self.costs_ = np.array(member_costs(self.cost, self.estimators_, X))
            self.cost_path_ = cost_path(
                held_out.answers,
                self.costs_,
                learn,
                lambda weights, answers: self._at(weights, answers, y, row_weight).loss,
            )
            self.weights_ = best_within(self.cost_path_, self.max_cost).weights
        _, self.held_out_loss_, self.optimality_gap_ = self._at(self.weights_, held_out.answers, y, row_weight)

    def _learner(self, y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> Learner:
        """From held-out answers to weights, in the way that `weights` asks for."""
        if self.weights == "optimal":
            return lambda answers: self._solve(answers, y, row_weight).weights
        if self.weights == "greedy":
            score = self._loss_score(y, row_weight)
            if self.scoring is not None:
                score = held_out_score(self.scoring, y, row_weight)
            return lambda answers: greedy_weights(answers, score, random_state=check_random_state(self.random_state))
        score = held_out_score(self.scoring or self._plain_score, y, row_weight)
        return lambda answers: _proportional([score(answer) for answer in answers])

    def _given_weights(self) -> Weights | None:
        """Numbers given as `weights`, of the members that were not dropped; None if they are to be learned."""
        if isinstance(self.weights, str):
            if self.weights in WEIGHTS:
                return None
            raise ValueError(f"weights={self.weights!r} is unknown; choose one of {list(WEIGHTS)}, or give numbers.")
        return active_weights(self.weights, self._members())

    def _ask(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the members' answers; members of weight zero are not asked."""
        X = self._check_rows(X)
        asked = [member for member, weight in zip(self.estimators_, self.weights_, strict=True) if weight > 0]
        answers = np.asarray([self._answer(member, X) for member in asked], dtype=np.float64)
        return np.asarray(np.average(answers, axis=0, weights=self.weights_[self.weights_ > 0]))


def _proportional(scores: list[float]) -> Weights:
    worth = np.maximum(scores, 0.0)
    if worth.sum() == 0:
        raise ValueError(
            f"weights='score' needs a score above zero from one member at least; the held-out scores are {scores}. "
            "Choose a scoring whose zero means worthless, such as 'accuracy' or 'r2', or weights='optimal'."
        )
    return np.asarray(worth / worth.sum(), dtype=np.float64)


class WeightedEnsembleClassifier(BaseEnsembleClassifier, BaseWeightedEnsemble):
    """Weighted mean of the members' probabilities, the weights learned on held-out rows.

    Each member is fitted once on the training rows of each fold and once on all rows. The weights come from what the
    members say about the held-out rows.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out, a `FrozenEstimator` is not fitted again
        (it should not have seen the rows of `fit`). None is a random forest, XGBoost and LightGBM, as in
        `ensemblekit.ensembles.members.default_classifiers`.
    weights : {"optimal", "greedy", "score"} or array-like of shape (n_estimators,), default="optimal"
        ``"optimal"``: the smallest log-loss of the weighted mean, over all non-negative weights that sum to one: a
        convex problem, solved until its optimality gap is below 1e-9. ``"greedy"``: ensemble selection with replacement
        (Caruana et al. 2004), for any `scoring`. ``"score"``: proportional to each member's held-out score. Numbers:
        these, scaled to sum to one; nothing is held out then.
    scoring : str or callable, default=None
        One of scikit-learn's scorers, for ``"greedy"`` (None: minus the log-loss) and ``"score"`` (None: accuracy). It
        sees codes of classes, not labels.
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many stratified folds of shuffled rows. Rows that a splitter never
        holds out have no say in the weights.
    refit : bool, default=True
        True: members are fitted on all rows in the end. False: a member is the mean of its models of the folds.
    max_cost : float, default=None
        Budget for asking the ensemble: members are dropped one after the other, each time the one that is missed least
        for what it costs, and the ensemble with the smallest held-out loss within the budget is taken. Infinity notes
        the way in `cost_path_` and allows all. None: no budget.
    cost : {"node_visits", "latency", "size"}, default="node_visits"
        Unit of the budget: node visits a row (of trees, the same on every machine), seconds a row (here and now, in one
        call for up to 1000 rows), or pickled bytes.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle, of greedy bags and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fits are kept, so that ensembles with members in common make them once. Members with ``random_state=None``
        are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,), float64
        Of the members in `estimators_`; non-negative, sum to one. Members of weight zero are not asked.
    held_out_loss_ : float
        Log-loss (natural logarithm) of the weighted mean on the held-out rows. A little too good: the weights were
        chosen there.
    optimality_gap_ : float
        No weights have a held-out log-loss below ``held_out_loss_ - optimality_gap_``.
    costs_ : ndarray of shape (n_members,), float64
        Cost of each of `estimators_`, where there is a budget.
    cost_path_ : list of CostStep
        Weights, cost and held-out loss from all members down to one, then the other single ones, where there is a
        budget.
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

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of models", ICML 2004.

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

    _plain_score = "accuracy"

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        weights: Any = "optimal",
        scoring: Any = None,
        cv: Any = 5,
        refit: bool = True,
        max_cost: float | None = None,
        cost: str = "node_visits",
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.scoring = scoring
        self.cv = cv
        self.refit = refit
        self.max_cost = max_cost
        self.cost = cost
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def _solve(self, answers: NDArray[np.float64], y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> SimplexSolution:
        return log_loss_weights(_true_class_proba(answers, y), row_weight)

    def _at(
        self,
        weights: Weights,
        answers: NDArray[np.float64],
        y: NDArray[Any],
        row_weight: NDArray[np.float64] | None,
    ) -> SimplexSolution:
        return log_loss_at(weights, _true_class_proba(answers, y), row_weight)

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
        return self._ask(X)


def _true_class_proba(answers: NDArray[np.float64], codes: NDArray[Any]) -> NDArray[np.float64]:
    """Probability of the true class by row and member."""
    return answers[:, np.arange(len(codes)), codes].T


class WeightedEnsembleRegressor(BaseEnsembleRegressor, BaseWeightedEnsemble):
    """Weighted mean of the members' predictions, the weights learned on held-out rows.

    Each member is fitted once on the training rows of each fold and once on all rows. The weights come from what the
    members say about the held-out rows.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out, a `FrozenEstimator` is not fitted again
        (it should not have seen the rows of `fit`). None is a random forest, XGBoost and LightGBM, as in
        `ensemblekit.ensembles.members.default_regressors`.
    weights : {"optimal", "greedy", "score"} or array-like of shape (n_estimators,), default="optimal"
        ``"optimal"``: the smallest mean squared error of the weighted mean, over all non-negative weights that sum to
        one, solved exactly. ``"greedy"``: ensemble selection with replacement (Caruana et al. 2004), for any `scoring`.
        ``"score"``: proportional to each member's held-out score. Numbers: these, scaled to sum to one; nothing is held
        out then.
    scoring : str or callable, default=None
        One of scikit-learn's scorers, for ``"greedy"`` (None: minus the mean squared error) and ``"score"`` (None: R²).
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many folds of shuffled rows. Rows that a splitter never holds out have
        no say in the weights.
    refit : bool, default=True
        True: members are fitted on all rows in the end. False: a member is the mean of its models of the folds.
    max_cost : float, default=None
        Budget for asking the ensemble: members are dropped one after the other, each time the one that is missed least
        for what it costs, and the ensemble with the smallest held-out loss within the budget is taken. Infinity notes
        the way in `cost_path_` and allows all. None: no budget.
    cost : {"node_visits", "latency", "size"}, default="node_visits"
        Unit of the budget: node visits a row (of trees, the same on every machine), seconds a row (here and now, in one
        call for up to 1000 rows), or pickled bytes.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle, of greedy bags and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fits are kept, so that ensembles with members in common make them once. Members with ``random_state=None``
        are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,), float64
        Of the members in `estimators_`; non-negative, sum to one. Members of weight zero are not asked.
    held_out_loss_ : float
        Mean squared error of the weighted mean on the held-out rows. A little too good: the weights were chosen there.
    optimality_gap_ : float
        No weights have a held-out error below ``held_out_loss_ - optimality_gap_``.
    costs_ : ndarray of shape (n_members,), float64
        Cost of each of `estimators_`, where there is a budget.
    cost_path_ : list of CostStep
        Weights, cost and held-out loss from all members down to one, then the other single ones, where there is a
        budget.
    estimators_ : list of estimators
        Fitted members, those dropped left out.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of models", ICML 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> members = [("ridge", Ridge(alpha=0.1)), ("constant", DummyRegressor())]
    >>> WeightedEnsembleRegressor(members, random_state=0).fit(X, y).weights_.round(1)
    array([1., 0.])
    """

    _plain_score = "r2"

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        weights: Any = "optimal",
        scoring: Any = None,
        cv: Any = 5,
        refit: bool = True,
        max_cost: float | None = None,
        cost: str = "node_visits",
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.scoring = scoring
        self.cv = cv
        self.refit = refit
        self.max_cost = max_cost
        self.cost = cost
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def _solve(self, answers: NDArray[np.float64], y: NDArray[Any], row_weight: NDArray[np.float64] | None) -> SimplexSolution:
        return squared_error_weights(answers.T, y, row_weight)

    def _at(
        self,
        weights: Weights,
        answers: NDArray[np.float64],
        y: NDArray[Any],
        row_weight: NDArray[np.float64] | None,
    ) -> SimplexSolution:
        return squared_error_at(weights, answers.T, y, row_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the members' predictions; members of weight zero are not asked.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Predictions.
        """
        return self._ask(X)
