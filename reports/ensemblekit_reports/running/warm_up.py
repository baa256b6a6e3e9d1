"""A small made-up table on which a pipeline takes all of its steps once, so that nothing is timed that happens only once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]

#: Places in a job's ``columns``.
INCOMPLETE, CATEGORIES = 1, 2
#: Rows of the table, and trees of forests and boosters.
DUMMY_ROWS, DUMMY_TREES = 60, 5


def warm_up(make: Callable[[list[list[int]]], Pipeline], columns: list[list[int]], n_classes: int) -> None:
    """Fit and predict a small made-up table, so that no import, no compilation and no first page of a library is timed.

    It has a few columns of each kind that the real one has, hence the same steps, and it is quick for every model.

    Parameters
    ----------
    make : callable
        From positions of columns to a pipeline that is not fitted.
    columns : list of list of int
        Positions of the real table's complete numbers, incomplete numbers and categories.
    n_classes : int
        Classes of the real table; 0 for amounts.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> warm_up(lambda columns: print(columns) or Pipeline([("model", GaussianNB())]), [[0, 1, 2], [], []], 2)
    [[0, 1], [], []]
    """
    X, y, own = dummy_table(columns, n_classes)
    # So few rows may be too few for a model; the real fit will tell.
    with contextlib.suppress(Exception):
        with_few_trees(make(own)).fit(X, y).predict(X[:1])


def with_few_trees(pipeline: Pipeline) -> Pipeline:
    """Let forests and boosters take the same steps as ever, but a few times only.

    Parameters
    ----------
    pipeline : Pipeline
        Not fitted; changed in place.

    Returns
    -------
    Pipeline
        The same. Members that an ensemble would choose by itself are named.

    Examples
    --------
    >>> from ensemblekit.ensembles import AveragingEnsembleClassifier
    >>> pipeline = with_few_trees(Pipeline([("model", AveragingEnsembleClassifier())]))
    >>> [member.n_estimators for _, member in pipeline[-1].estimators]
    [5, 5, 5]
    """
    for name, value in pipeline.get_params().items():
        if name.split("__")[-1] == "estimators" and value is None:
            owner = pipeline.get_params()[name.rpartition("__")[0]]
            pipeline.set_params(**{name: list(owner.named_estimators.items())})
    sizes = {name: value for name, value in pipeline.get_params().items() if name.split("__")[-1] == "n_estimators"}
    return pipeline.set_params(**{name: min(value, DUMMY_TREES) for name, value in sizes.items() if isinstance(value, int)})


def dummy_table(columns: list[list[int]], n_classes: int) -> tuple[Floats, NDArray[Any], list[list[int]]]:
    """Make a small table with the kinds of columns of a real one.

    Parameters
    ----------
    columns : list of list of int
        Positions of the real table's complete numbers, incomplete numbers and categories.
    n_classes : int
        Classes of the real table; of more than two, three are enough. 0 for amounts.

    Returns
    -------
    X : ndarray of shape (60, n_columns), float64
        At most two columns of each kind.
    y : ndarray of shape (60,), int64 or float64
        Classes or amounts.
    columns : list of list of int
        Positions of its own columns.

    Examples
    --------
    >>> X, y, columns = dummy_table([[0, 1, 2, 4], [], [3]], 10)
    >>> X.shape, np.bincount(y).tolist(), columns
    ((60, 3), [20, 20, 20], [[0, 1], [], [2]])
    """
    rng = np.random.default_rng(0)
    y = np.arange(DUMMY_ROWS) % min(n_classes, 3) if n_classes else rng.normal(size=DUMMY_ROWS)
    parts, own, width = [], [], 0
    for kind, positions in enumerate(columns):
        part = rng.normal(y[:, None], 2.0, size=(DUMMY_ROWS, min(len(positions), 2)))
        if kind == INCOMPLETE:
            part[::5] = np.nan
        parts.append(part.round() if kind == CATEGORIES else part)
        own.append(list(range(width, width + part.shape[1])))
        width += part.shape[1]
    return np.hstack(parts), y, own
