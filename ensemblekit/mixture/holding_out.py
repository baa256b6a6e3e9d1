"""Rows held out inside a fit, and the rule that reads their losses.

Up to ten thousand different rows each is held out once, in one of five folds; of longer tables one fold is enough to judge by. Folds are
made by a hash of the rows' content, so that nothing is drawn and equal rows stay together.

References
----------
L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone (1984). Classification and regression trees, section 3.4.3. Wadsworth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.contracts import Data, Float
from ensemblekit.mixture.linear.namespaces import take_rows
from ensemblekit.mixture.start import fold_of

#: Parts of the table, and different rows up to which each of them is held out in turn.
_FOLDS, _EVERY = 5, 10_000

Rows = NDArray[np.intp]


def folds(X: Any, y: NDArray[Any]) -> Iterator[tuple[Rows, Rows]]:
    """Divide rows into those that are kept and those that are held out, again and again.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Yields
    ------
    kept, held_out : ndarray of int
        Positions; both hold rows.

    Raises
    ------
    ValueError
        Where all rows are equal, so that none can be held out.

    Examples
    --------
    >>> [held_out.size for _, held_out in folds(np.arange(10.0)[:, None], np.zeros(10))]
    [2, 2, 2, 2, 2]
    """
    place = fold_of(X, y, y.shape[0])  # a fold for each different row
    number = place % _FOLDS
    present = np.unique(number)
    if present.size < 2:
        raise ValueError("Rows cannot be held out: all of them are equal.")
    for fold in present if place.max() < _EVERY else present[:1]:
        yield np.flatnonzero(number != fold), np.flatnonzero(number == fold)


def part_of(data: Data, rows: Rows) -> Data:
    """Take some rows of a table.

    Parameters
    ----------
    data : Data
    rows : ndarray of int

    Returns
    -------
    Data

    Examples
    --------
    >>> X = np.eye(3)
    >>> part_of(Data(X, X, np.arange(3), np.ones(3)), np.array([2])).y
    array([2])
    """
    X = _rows_of(data.X, rows)
    gate = X if data.X_gate is data.X else _rows_of(data.X_gate, rows)
    return Data(X, gate, take_rows(data.y, rows), take_rows(data.sample_weight, rows))


def _rows_of(X: Any, rows: Rows) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else take_rows(X, rows)


def mean_and_error(losses: Float, sample_weight: Float) -> tuple[float, float]:
    """Weighted mean and its standard error; a row of weight two counts as two rows.

    Parameters
    ----------
    losses : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,)

    Returns
    -------
    mean, standard_error : float

    Examples
    --------
    >>> mean, error = mean_and_error(np.array([0.0, 1.0]), np.array([2.0, 2.0]))
    >>> mean, round(error, 3)
    (0.5, 0.25)
    """
    total = sample_weight.sum()
    mean = float(sample_weight @ losses / total)
    return mean, float(np.sqrt(sample_weight @ np.square(losses - mean)) / total)


def simplest_within_one_error(losses: list[float], errors: list[float]) -> int:
    """Choose the first candidate whose loss is within one standard error of the best's (Breiman et al., 1984, section 3.4.3).

    Parameters
    ----------
    losses, errors : list of float
        Mean held-out loss of every candidate and its standard error; candidates in order, the simplest first.

    Returns
    -------
    int
        Position of the chosen one.

    Examples
    --------
    >>> simplest_within_one_error([0.9, 0.52, 0.5], [0.03, 0.03, 0.03])
    1
    """
    best = int(np.argmin(losses))
    return next(place for place, loss in enumerate(losses) if loss <= losses[best] + errors[best])
