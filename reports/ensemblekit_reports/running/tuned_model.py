"""Nested tuning: the parameters of a model are searched inside the training rows of each fold.

The test rows take no part: trials are judged by a cross-validation inside the training rows, by the study's own metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from ensemblekit_reports.running.asking import ask
from ensemblekit_reports.running.fit_estimator import fit_estimator
from ensemblekit_reports.running.fold import part_of
from ensemblekit_reports.running.global_state import seed_generators
from ensemblekit_reports.running.grouped_folds import with_grouped_folds
from ensemblekit_reports.running.metrics import judge
from ensemblekit_reports.running.predictions import Predictions
from ensemblekit_reports.running.search import space_of, tune
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.scheme import Split, group_folds, strata_of
from ensemblekit_reports.studies.tuning import INNER_FOLDS


def tuned_model(
    model: Model,
    X: NDArray[np.float64],
    y: NDArray[Any],
    weights: NDArray[np.float64] | None,
    groups: NDArray[np.int64] | None,
    seed: int,
    search: dict[str, Any],
) -> Model:
    """Tune a model inside training rows.

    Parameters
    ----------
    model : Model
        With a `Tuning`.
    X : ndarray of shape (n_rows, n_columns), float64
        Training rows, preprocessed.
    y : ndarray of shape (n_rows,)
        Their classes or amounts.
    weights, groups : ndarray of shape (n_rows,), or None
        What they bring along.
    seed : int
        Of the fold.
    search : dict
        Filled with what was done: ``trials``, ``asked``, ``seconds``, ``score``, ``default``, ``params``.

    Returns
    -------
    Model
        With the parameters that were best, and no search any more.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import REGISTRY
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> from ensemblekit_reports.studies.tuning import Tuning
    >>> table, search = bundled_table("iris"), {}
    >>> logistic = REGISTRY["logistic"].tuned_by(Tuning(2, metric="log_loss"))
    >>> tuned_model(logistic, table.X, table.y, None, None, 0, search).tuning, search["trials"]
    (None, 2)
    """
    ranges, tuning = space_of(model.space, model.task, model.fixed), model.tuning
    if ranges is None or tuning is None:
        return model
    folds = list(inner_folds(y, groups, seed))

    def score_inside(estimator: Any) -> float:
        scores = []
        for train, test in folds:
            own = with_grouped_folds(clone(estimator), y[train], part_of(groups, train))
            seed_generators(seed)  # before every fit: what an earlier trial has drawn must not show in this one
            fitted = fit_estimator(own, X[train], y[train], part_of(weights, train))
            answers = ask(fitted, X[test], y, by_predict=not model.registered)
            scores.append(judge(Predictions(test.astype(np.int32), y[test], *answers, part_of(weights, test)))[tuning.metric])
        known = [value for value in scores if not np.isnan(value)]  # R squared of equal answers is none, whatever the model
        return float(np.mean(known)) if known else np.nan

    chosen, found = tune(model.factory(seed), ranges, tuning, score_inside, seed)
    search |= found | {"params": chosen}
    return model.with_params(chosen)


def inner_folds(y: NDArray[Any], groups: NDArray[np.int64] | None, seed: int) -> Iterator[Split]:
    """Deal training rows out for the search, as the study deals all rows out.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Classes or amounts of the training rows.
    groups : ndarray of shape (n_rows,), int64, or None
        Rows of one group stay together.
    seed : int
        Of the fold.

    Yields
    ------
    train, test : ndarray of int
        Positions in the training rows.

    Examples
    --------
    >>> [len(test) for _, test in inner_folds(np.arange(12) % 2, None, 0)]
    [4, 4, 4]
    """
    n_folds = INNER_FOLDS if groups is None else min(INNER_FOLDS, len(np.unique(groups)))
    if n_folds < 2:
        raise ValueError("there is one group of training rows: nothing can be held out to judge a trial by")
    # The smallest point of a learning curve may hold a row or two of each class.
    n_folds = min(n_folds, int(np.unique(strata_of(y, n_folds), return_counts=True)[1].max()))
    if n_folds < 2:
        raise ValueError("there is one training row of each class: none can be held out to judge a trial by")
    strata = strata_of(y, n_folds)
    if groups is None:
        yield from StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(np.zeros(len(y)), strata)
    else:
        yield from group_folds(strata, groups, n_folds, seed)
