"""Search for models that are good and cheap at once, and keep those that no other beats in both.

Both objectives are the same on every machine: the held-out loss, and the operations of an average row. NSGA-II (Deb, Pratap, Agarwal
and Meyarivan, 2002, IEEE Transactions on Evolutionary Computation 6(2)) breeds from the best fronts so far; the multi-objective
tree-structured Parzen estimator (Ozaki, Tanigaki, Watanabe, Nomura and Onishi, 2022, Journal of Artificial Intelligence Research 73)
models where good trials lie, and is the better one for few trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_scalar

from ensemblekit._extras import require
from ensemblekit.packed.compute import active_compute
from ensemblekit.tuning.space import SearchSpace


@dataclass(frozen=True)
class Candidate:
    """One set of parameters that was tried.

    Attributes
    ----------
    chosen : dict of str to (None, bool, int, float or str)
        What the trial chose, plain values under the trial's names.
    params : dict
        The same for ``set_params``.
    loss : float
        Held-out log-loss (natural logarithm), or mean squared error.
    cost : float
        Operations of an average held-out row.

    Examples
    --------
    >>> Candidate({"C": 1.0}, {"C": 1.0}, loss=0.3, cost=12.0).cost
    12.0
    """

    chosen: dict[str, Any]
    params: dict[str, Any]
    loss: float
    cost: float


@dataclass(frozen=True)
class ParetoSearch:
    """What a search found.

    Attributes
    ----------
    front : tuple of Candidate
        Those that no other one beats or equals in both, the cheapest first: each dearer one has a smaller loss.
    tried : tuple of Candidate
        All that could be fitted, in order.
    failed : tuple of str
        Reasons of the others.

    Examples
    --------
    >>> ParetoSearch((), (), ("ValueError: too few rows",)).failed
    ('ValueError: too few rows',)
    """

    front: tuple[Candidate, ...]
    tried: tuple[Candidate, ...]
    failed: tuple[str, ...]


def pareto_search(
    estimator: Any,
    space: SearchSpace,
    X: Any,
    y: Any,
    *,
    n_trials: int = 50,
    sampler: Literal["nsga2", "tpe"] = "tpe",
    validation_fraction: float = 0.25,
    cost: Callable[[Any, Any], float] = active_compute,
    timeout_s: float | None = None,
    random_state: int = 0,
) -> ParetoSearch:
    """Search by held-out loss and compute at once.

    The losses are those that the search chose by: judge the models of the front on rows that it has not seen.

    Parameters
    ----------
    estimator : estimator
        Classifier with `predict_proba`, or regressor; cloned for each trial.
    space : SearchSpace
        See `ensemblekit.tuning.space`.
    X : array-like of shape (n, d)
        Numbers, as the estimator takes them.
    y : array-like of shape (n,)
        Labels, or numbers.
    n_trials : int, default=50
        Models that are fitted, at least one.
    sampler : {"tpe", "nsga2"}, default="tpe"
        Who chooses the next trial. NSGA-II needs some hundred trials to be more than chance.
    validation_fraction : float, default=0.25
        Share of the rows, between 0 and 1, that is held out, the same for all trials; stratified for classifiers.
    cost : callable, default=active_compute
        From a fitted estimator and held-out rows to a number.
    timeout_s : float or None, default=None
        Start no trial after so many seconds, above zero. With it the answer depends on the machine.
    random_state : int, default=0
        Seed of the split and of the sampler; the estimator keeps its own.

    Returns
    -------
    ParetoSearch
        The same for the same seed, where the estimator's fit is.

    Raises
    ------
    ImportError
        Without Optuna (extra ``tune``).
    ValueError
        For an unknown sampler, a space of another estimator, or a number of trials, a share or a time out of range.
    TypeError
        For a space that is none, or a number of trials, a share or a time that is no number.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from ensemblekit.tuning import space
    >>> X, y = load_iris(return_X_y=True)
    >>> found = pareto_search(RandomForestClassifier(random_state=0), space("random-forest"), X, y, n_trials=4)
    >>> len(found.tried), len(found.front) >= 1
    (4, True)
    """
    _check(estimator, space, n_trials, validation_fraction, timeout_s)
    study = _study(sampler, random_state)
    labels = np.asarray(y) if is_classifier(estimator) else None
    train, held_out = train_test_split(np.arange(len(y)), test_size=validation_fraction, stratify=labels, random_state=random_state)
    tried: list[Candidate] = []
    failed: list[str] = []

    def objective(trial: Any) -> tuple[float, float]:
        params = space.suggest(trial)
        try:
            model = clone(estimator).set_params(**params).fit(_safe_indexing(X, train), _safe_indexing(y, train))
            rows = _safe_indexing(X, held_out)
            found = Candidate(trial.params, params, _loss(model, rows, _safe_indexing(y, held_out)), float(cost(model, rows)))
            if not np.isfinite([found.loss, found.cost]).all():
                raise ValueError(f"loss {found.loss} and cost {found.cost} have to be finite")  # noqa: TRY301 - a trial that failed
        except ValueError as error:
            failed.append(f"{type(error).__name__}: {error}")
            raise
        tried.append(found)
        return found.loss, found.cost

    study.optimize(objective, n_trials=n_trials, timeout=timeout_s, catch=(ValueError,))
    return ParetoSearch(pareto_front(tried), tuple(tried), tuple(failed))


def pareto_front(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """Keep those that no other one beats or equals in both loss and cost.

    Parameters
    ----------
    candidates : list of Candidate
        Any.

    Returns
    -------
    tuple of Candidate
        The cheapest first; of equal ones the first.

    Examples
    --------
    >>> tried = [Candidate({}, {}, loss, cost) for loss, cost in [(0.5, 1.0), (0.6, 2.0), (0.3, 9.0)]]
    >>> [found.cost for found in pareto_front(tried)]
    [1.0, 9.0]
    """
    front: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda found: (found.cost, found.loss)):
        if not front or candidate.loss < front[-1].loss:
            front.append(candidate)
    return tuple(front)


def _check(estimator: Any, space: Any, n_trials: Any, validation_fraction: Any, timeout_s: Any) -> None:
    _check_space(estimator, space)
    check_scalar(n_trials, "n_trials", Integral, min_val=1)
    check_scalar(validation_fraction, "validation_fraction", Real, min_val=0, max_val=1, include_boundaries="neither")
    if timeout_s is not None:
        check_scalar(timeout_s, "timeout_s", Real, min_val=0, include_boundaries="neither")


def _check_space(estimator: Any, space: Any) -> None:
    if not isinstance(space, SearchSpace):
        raise TypeError(f"space must be a SearchSpace, such as ensemblekit.tuning.space('moe'); got {space!r}.")
    task = "classification" if is_classifier(estimator) else "regression"
    if space.task != task:
        raise ValueError(
            f"The space {space.name!r} is of another estimator: its task is {space.task}, and {type(estimator).__name__}'s is {task}. "
            f"Give {task!r} to ensemblekit.tuning.space, or to the SearchSpace, as the task."
        )
    if strangers := sorted(set(space.dimensions) - set(estimator.get_params())):
        raise ValueError(
            f"The space {space.name!r} is of another estimator: {type(estimator).__name__} has no parameters {strangers}. The README of "
            "ensemblekit.tuning names the estimator of each space."
        )


def _study(sampler: str, seed: int) -> Any:
    optuna = require("optuna", extra="tune", purpose="A search for the Pareto set")
    samplers = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler}
    if sampler not in samplers:
        raise ValueError(f"sampler={sampler!r} is unknown; choose 'tpe' or 'nsga2'.")
    return optuna.create_study(directions=["minimize", "minimize"], sampler=samplers[sampler](seed=seed))


def _loss(model: Any, X: Any, y: Any) -> float:
    if is_classifier(model):
        if not hasattr(model, "predict_proba"):
            raise ValueError(f"{type(model).__name__} gives no probabilities with these parameters, and the loss is that of probabilities")
        return float(log_loss(y, model.predict_proba(X), labels=model.classes_))
    return float(mean_squared_error(y, model.predict(X)))
