"""What it costs to ask a fitted member: node visits, time or size."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ensemblekit.ensembles.fold_models import FoldMeanClassifier, FoldMeanRegressor
from ensemblekit.trees import node_visits

MAX_ROWS = 1000
REPEATS = 7


@singledispatch
def visits(member: Any, X: Any) -> float:
    """Mean node visits of a row, over all trees that run when the member is asked.

    Parameters
    ----------
    member : fitted estimator
        Forest, booster or tree that `ensemblekit.trees` reads; bagged ones, means over folds of them, and pipelines that
        end in them too.
    X : {array-like, dataframe} of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    float
        Visits a row; the same on every machine.

    Raises
    ------
    TypeError
        If the member has no trees to count.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> visits(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), np.array([[0.0]]))
    1.0
    """
    return node_visits(member, X)


@visits.register
def _(member: FrozenEstimator, X: Any) -> float:
    return visits(member.estimator, X)


@visits.register(FoldMeanClassifier)
@visits.register(FoldMeanRegressor)
def _(member: Any, X: Any) -> float:
    return sum(visits(fold.model, X) for fold in member.fold_models if fold.model is not None)


@visits.register(BaggingClassifier)
@visits.register(BaggingRegressor)
def _(member: Any, X: Any) -> float:
    bags = zip(member.estimators_, member.estimators_features_, strict=True)
    return sum(visits(model, _safe_indexing(X, columns, axis=1)) for model, columns in bags)


@visits.register
def _(member: Pipeline, X: Any) -> float:
    return visits(member[-1], member[:-1].transform(X) if len(member) > 1 else X)


def latency(member: Any, X: Any) -> float:
    """Seconds a row, in one call for all rows: the median of a few calls, after one that does not count.

    Parameters
    ----------
    member : fitted estimator
        Any.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    float
        Seconds a row, on this machine and now.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> latency(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), np.array([[0.0]])) > 0
    True
    """
    answer = member.predict_proba if hasattr(member, "predict_proba") else member.predict
    seconds = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        answer(X)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:])) / _num_samples(X)


def size(member: Any, X: Any) -> float:  # noqa: ARG001 - all costs are asked alike
    """Bytes of the pickled member.

    Parameters
    ----------
    member : fitted estimator
        Any.
    X : object
        Not used.

    Returns
    -------
    float
        Bytes.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> size(DummyClassifier().fit([[0.0]], [0]), None) > 100
    True
    """
    return float(len(pickle.dumps(member)))


COSTS: dict[str, Callable[[Any, Any], float]] = {"node_visits": visits, "latency": latency, "size": size}


def member_costs(cost: str, members: list[Any], X: Any) -> list[float]:
    """Cost of each member, on the first thousand rows.

    Parameters
    ----------
    cost : {"node_visits", "latency", "size"}
        Node visits a row, seconds a row, or bytes.
    members : list of fitted estimators
        All members.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    list of float
        One for each member.

    Raises
    ------
    ValueError
        If `cost` is unknown.
    TypeError
        If a member's node visits cannot be counted.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> member_costs("node_visits", [DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])], np.array([[0.0]]))
    [1.0]
    """
    if cost not in COSTS:
        raise ValueError(f"cost={cost!r} is unknown; choose one of {list(COSTS)}.")
    rows = _safe_indexing(X, np.arange(min(MAX_ROWS, _num_samples(X))))
    return [COSTS[cost](member, rows) for member in members]
