"""Which of many fitted experts to run within a budget: a search over subsets on held-out rows.

Greedy search with look-back adds the expert that helps most and takes back what has become useless (floating selection; Pudil, Novovicova
and Kittler, 1994). Exact search is branch and bound (Land and Doig, 1960): no subset of a set of experts can do better than the best
convex weights over the whole set, and these are a convex problem that is solved with a proof of its gap.

References
----------
P. Pudil, J. Novovicova and J. Kittler (1994). Floating search methods in feature selection. Pattern Recognition Letters 15(11), 1119-1125.
A. H. Land and A. G. Doig (1960). An automatic method of solving discrete programming problems. Econometrica 28(3), 497-520.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length, check_is_fitted

from ensemblekit._budget import check_budget, prices
from ensemblekit.ensembles.simplex import SimplexSolution, log_loss_at, log_loss_weights, squared_error_at, squared_error_weights

Float = NDArray[np.float64]
Subset = tuple[int, ...]

#: Experts up to which every subset can be looked at or ruled out.
MOST_EXACT = 20
#: Gain in the loss below which two subsets are equal; the gap that the best weights of a subset are allowed; that of a bound.
_EQUAL, _GAP, _ROUGH_GAP = 1e-7, 1e-8, 1e-4


class ExpertSearch(NamedTuple):
    """The experts to run.

    Attributes
    ----------
    experts : tuple of int
        Positions of those that are chosen, in rising order.
    weights : ndarray of shape (n_experts,), float64
        Weights of their answers, zero for the others; they sum to one.
    held_out_loss : float
        Log-loss in nats, or mean squared error, of the weighted mean on the held-out rows.
    cost : float
        Sum over the chosen experts.
    exact : bool
        Whether no other subset within the budget does better by more than 1e-7.
    n_evaluated : int
        Subsets whose loss was computed.

    Examples
    --------
    >>> ExpertSearch((0,), np.array([1.0, 0.0]), 0.3, 5.0, exact=True, n_evaluated=3).cost
    5.0
    """

    experts: Subset
    weights: Float
    held_out_loss: float
    cost: float
    exact: bool
    n_evaluated: int


def search_experts(
    experts: Sequence[Any],
    X: Any,
    y: ArrayLike,
    costs: ArrayLike,
    *,
    max_cost: float,
    weights: str = "equal",
    method: str = "auto",
    sample_weight: ArrayLike | None = None,
) -> ExpertSearch:
    """Choose the subset of fitted experts whose mean answer has the smallest held-out loss within a budget.

    Parameters
    ----------
    experts : sequence of estimators
        Fitted; all classifiers of the same classes, or all regressors.
    X : array-like of shape (n_samples, n_features)
        Rows that no expert was fitted to.
    y : array-like of shape (n_samples,)
        Their answers.
    costs : array-like of shape (n_experts,)
        Cost of running each expert, in any unit; not negative.
    max_cost : float
        Budget for the sum of the chosen experts' costs, in the same unit; ``numpy.inf`` for none.
    weights : {"equal", "optimal"}, default="equal"
        How the answers of the chosen experts are averaged: alike, or by the weights that are best on these rows.
    method : {"auto", "greedy", "exact"}, default="auto"
        "exact" rules out every other subset, up to 20 experts; "auto" is that up to 20 experts and greedy beyond.
    sample_weight : array-like of shape (n_samples,), default=None
        Not negative; equal when None.

    Returns
    -------
    ExpertSearch

    Raises
    ------
    ValueError
        If there is no expert, or the budget allows none; if weights are negative, answers not finite or not one a row, the experts do not
        agree on the classes, or a parameter is out of range.
    TypeError
        If the experts are no list of estimators, a classifier has no probabilities, or the budget is no number.
    sklearn.exceptions.NotFittedError
        If an expert is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> trees = [DecisionTreeClassifier(max_depth=d, random_state=0).fit(X[::2], y[::2]) for d in (1, 2, 3)]
    >>> search_experts(trees, X[1::2], y[1::2], costs=[1, 2, 3], max_cost=3).cost
    2.0
    """
    _check_experts(experts)
    limit = check_budget(max_cost, "the budget for the sum of the chosen experts' costs")
    price = prices(len(experts), costs)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
    _check(len(experts), weights, method)
    answers = _check_y(y, y_numeric=not is_classifier(experts[0]))
    pool = _pool(experts, X, answers, sample_weight, optimal=weights == "optimal")
    affordable = tuple(int(k) for k in np.flatnonzero(price <= limit))
    if not affordable:
        raise ValueError(f"max_cost={max_cost} allows no expert: the cheapest costs {price.min():.4g}.")
    search = _Search(pool, price, limit)
    best = search.greedy(affordable)
    exact = method == "exact" or (method == "auto" and len(experts) <= MOST_EXACT)
    if exact:
        best = search.exact(affordable, best)
    found = search.evaluate(best)
    full = np.zeros(len(experts))
    full[list(best)] = found.weights
    kept = tuple(int(k) for k in np.flatnonzero(full))
    return ExpertSearch(kept, full, found.loss, float(price[list(kept)].sum()), exact, len(search.known))


def _check_experts(experts: Any) -> None:
    if not hasattr(experts, "__len__") or hasattr(experts, "fit") or isinstance(experts, str | bytes | Mapping):  # a forest has a length
        raise TypeError(f"experts must be a list of fitted estimators; got {experts!r}.")
    if not len(experts):
        raise ValueError("experts is empty: give at least one fitted estimator.")
    if strangers := [expert for expert in experts if not hasattr(expert, "predict")]:
        raise TypeError(f"experts must be a list of fitted estimators; {strangers[0]!r} in it has no predict.")
    for expert in experts:
        check_is_fitted(expert)
        if is_classifier(expert) and not hasattr(expert, "predict_proba"):
            raise TypeError(f"The answers of classifiers are their probabilities, and {expert!r} has no predict_proba.")
    kinds = ["classifier" if is_classifier(expert) else "regressor" for expert in experts]
    if len(set(kinds)) > 1:
        raise ValueError(f"experts must be all classifiers or all regressors; got {kinds}.")


def _check(n_experts: int, weights: str, method: str) -> None:
    if weights not in ("equal", "optimal"):
        raise ValueError(f"weights must be 'equal' or 'optimal'; got {weights!r}.")
    if method not in ("auto", "greedy", "exact"):
        raise ValueError(f"method must be 'auto', 'greedy' or 'exact'; got {method!r}.")
    if method == "exact" and n_experts > MOST_EXACT:
        raise ValueError(f"method='exact' is for at most {MOST_EXACT} experts; got {n_experts}. Use method='greedy'.")


class _Pool(NamedTuple):
    """Loss of a subset as it would be used, and a bound that no subset of it can beat."""

    evaluate: Callable[[Subset], SimplexSolution]
    bound: Callable[[Subset], float]


def _pool(experts: Sequence[Any], X: Any, y: NDArray[Any], sample_weight: ArrayLike | None, *, optimal: bool) -> _Pool:
    check_consistent_length(X, y)
    share = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    classes = is_classifier(experts[0])
    answers = _true_class_proba(experts, X, y) if classes else np.column_stack([expert.predict(X) for expert in experts])

    def best(subset: Subset, gap: float = _GAP) -> SimplexSolution:
        part = answers[:, list(subset)]
        return log_loss_weights(part, share, tol=gap) if classes else squared_error_weights(part, y, share)

    def even(subset: Subset) -> SimplexSolution:
        part, weights = answers[:, list(subset)], np.full(len(subset), 1 / len(subset))
        return log_loss_at(weights, part, share) if classes else squared_error_at(weights, part, y, share)

    def bound(subset: Subset) -> float:
        solution = best(subset, _ROUGH_GAP)
        return solution.loss - solution.gap

    return _Pool(best if optimal else even, bound)


def _true_class_proba(experts: Sequence[Any], X: Any, y: NDArray[Any]) -> Float:
    classes = experts[0].classes_
    for k, expert in enumerate(experts):
        if not np.array_equal(expert.classes_, classes):
            raise ValueError(
                f"Expert {k} knows the classes {expert.classes_.tolist()}, expert 0 knows {classes.tolist()}; they must agree."
            )
    unknown = np.setdiff1d(y, classes)
    if unknown.size:
        raise ValueError(f"y holds labels that no expert knows: {unknown.tolist()}. Known: {classes.tolist()}.")
    codes = np.searchsorted(classes, y)
    return np.column_stack([expert.predict_proba(X)[np.arange(len(y)), codes] for expert in experts])


class _Search:
    """Subsets looked at so far, each computed once."""

    def __init__(self, pool: _Pool, costs: Float, max_cost: float) -> None:
        self.pool = pool
        self.costs = costs
        self.max_cost = max_cost
        self.known: dict[Subset, SimplexSolution] = {}

    def evaluate(self, subset: Subset) -> SimplexSolution:
        subset = tuple(sorted(subset))
        if subset not in self.known:
            self.known[subset] = self.pool.evaluate(subset)
        return self.known[subset]

    def cost(self, subset: Subset) -> float:
        return float(self.costs[list(subset)].sum())

    def better(self, one: Subset, other: Subset) -> bool:
        """Whether one subset has the smaller loss, or an equal one for less."""
        gain = self.evaluate(other).loss - self.evaluate(one).loss
        return gain > _EQUAL or (gain > -_EQUAL and self.cost(one) < self.cost(other))

    def greedy(self, affordable: Subset) -> Subset:
        """Add, take back, exchange: whichever single move is the best, until none helps."""
        singles: list[Subset] = [(k,) for k in affordable]
        best = min(singles, key=lambda subset: (self.evaluate(subset).loss, self.cost(subset)))
        while True:
            moves = [move for move in self._moves(best, affordable) if self.cost(move) <= self.max_cost]
            step = min(moves, key=lambda subset: (self.evaluate(subset).loss, self.cost(subset)), default=best)
            if not self.better(step, best):
                return best
            best = step

    @staticmethod
    def _moves(subset: Subset, affordable: Subset) -> list[Subset]:
        inside, outside = set(subset), [k for k in affordable if k not in subset]
        added = [tuple(sorted(inside | {k})) for k in outside]
        taken = [tuple(sorted(inside - {k})) for k in subset] if len(subset) > 1 else []
        exchanged = [tuple(sorted(inside - {old} | {new})) for old in subset for new in outside]
        return added + taken + exchanged

    def exact(self, affordable: Subset, best: Subset) -> Subset:
        """Divide by whether an expert is in, and leave what even the best weights could not save."""
        order = tuple(sorted(affordable, key=lambda k: self.evaluate((k,)).loss))
        waiting: list[tuple[Subset, Subset, float | None]] = [((), order, None)]
        while waiting:
            chosen, open_, bound = waiting.pop()
            room = self.max_cost - self.cost(chosen)
            fitting = tuple(k for k in open_ if self.costs[k] <= room)
            if bound is None or len(fitting) < len(open_):
                bound = self.pool.bound(chosen + fitting) if chosen + fitting else np.inf
            if bound > self.evaluate(best).loss + _EQUAL:
                continue
            if chosen and self.better(chosen, best):
                best = tuple(sorted(chosen))
            if fitting:
                head, *tail = fitting
                waiting.append((chosen, tuple(tail), None))
                waiting.append(((*chosen, head), tuple(tail), bound))
        return best
