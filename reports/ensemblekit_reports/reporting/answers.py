"""What a model answered about the rows of a table: which classes for which, how sure it was and how right, how far its amounts are off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ensemblekit_reports.quantities import CALIBRATION_BINS
from ensemblekit_reports.running.metrics import calibration_error
from ensemblekit_reports.running.predictions import Predictions, predictions_file, read_predictions

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Groups of equally many rows in which predicted and true amounts are compared.
AMOUNT_GROUPS = 10
_RESIDUAL_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


class ConfidenceBin(NamedTuple):
    """Rows whose most probable class got a similar probability.

    Attributes
    ----------
    confidence, right : float
        Mean of that probability, and the share of the rows where that class is the true one.
    rows : float
        How many rows, weights counted.
    """

    confidence: float
    right: float
    rows: float


class AmountGroup(NamedTuple):
    """Rows with similar predicted amounts.

    Attributes
    ----------
    predicted, true : float
        Means.
    low, high : float
        Between which four fifths of the true amounts lie.
    """

    predicted: float
    true: float
    low: float
    high: float


@dataclass(frozen=True)
class Answers:
    """One model's answers on one table.

    Parameters
    ----------
    dataset, model : str
    n_rows : int
        Answers looked at; a row counts once in each repeat.
    confusion : tuple of tuple of float
        Of classes: rows by true class (outer) and predicted class (inner), weights counted, mean over repeats.
    reliability : tuple of ConfidenceBin
        Of classes, where the model gives probabilities; bins without rows are left out.
    recall : tuple of float
        Of classes: the share of the rows of each that is found; NaN for a class without rows.
    ece : float
        Top-label expected calibration error of all the answers together, less biased than the mean over folds; NaN without probabilities.
    groups : tuple of AmountGroup
        Of amounts, by rising prediction.
    residuals : tuple of float
        Of amounts: the 5 %, 25 %, 50 %, 75 % and 95 % points of true minus predicted.
    bias : float
        Of amounts: mean of true minus predicted.
    """

    dataset: str
    model: str
    n_rows: int
    confusion: tuple[tuple[float, ...], ...] = ()
    reliability: tuple[ConfidenceBin, ...] = ()
    recall: tuple[float, ...] = ()
    ece: float = math.nan
    groups: tuple[AmountGroup, ...] = ()
    residuals: tuple[float, ...] = ()
    bias: float = math.nan


def read_answers(cells: Iterable[tuple[str, str, int, Path]], n_classes: dict[str, int]) -> tuple[Answers, ...]:
    """Read the predictions of finished cells and join them by table and model.

    Parameters
    ----------
    cells : iterable of (str, str, int, Path)
        Table, model, repeat and file of the metrics of each finished cell; one whose predictions were not kept is passed over.
    n_classes : dict of str to int
        Number of classes by table; 0 for amounts.

    Returns
    -------
    tuple of Answers
        In the order in which table and model first come.

    Raises
    ------
    UserError
        When a file is damaged.

    Examples
    --------
    >>> read_answers([], {})
    ()
    """
    of_pair: dict[tuple[str, str], list[Predictions]] = {}
    repeats: dict[str, set[int]] = {}  # those that ran, of a table: a scheme may name more than there are ways to divide the groups
    for table, model, repeat, cell in cells:
        repeats.setdefault(table, set()).add(repeat)
        file = predictions_file(cell)
        if file.exists():
            of_pair.setdefault((table, model), []).append(read_predictions(file))
    return tuple(_joined(table, model, folds, n_classes[table], len(repeats[table])) for (table, model), folds in of_pair.items())


def _joined(table: str, model: str, folds: list[Predictions], n_classes: int, n_repeats: int) -> Answers:
    y = np.concatenate([fold.y for fold in folds])
    predicted = np.concatenate([fold.predicted for fold in folds])
    weights = np.concatenate([np.ones(len(fold.y)) if fold.weights is None else fold.weights for fold in folds])
    if not n_classes:
        return of_amounts(table, model, y, predicted, weights)
    given = [fold.probabilities for fold in folds if fold.probabilities is not None]
    probabilities = np.concatenate(given) if len(given) == len(folds) else None
    return of_classes(table, model, y, predicted, probabilities, weights, n_classes, n_repeats)


def of_classes(
    table: str,
    model: str,
    y: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    weights: NDArray[np.float64],
    n_classes: int,
    n_repeats: int = 1,
) -> Answers:
    """Look at answers that are classes.

    Parameters
    ----------
    table, model : str
    y, predicted : ndarray of shape (n_rows,), int64
        True and predicted class codes.
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None
    weights : ndarray of shape (n_rows,), float64
    n_classes : int
    n_repeats : int, default=1
        How often each row is among them.

    Returns
    -------
    Answers

    Examples
    --------
    >>> y, sure = np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.3, 0.7], [0.1, 0.9]])
    >>> found = of_classes("t", "m", y, sure.argmax(axis=1), sure, np.ones(3), 2)
    >>> found.confusion, found.recall
    (((1.0, 1.0), (0.0, 1.0)), (0.5, 1.0))
    """
    counted = np.bincount(y * n_classes + predicted, weights, n_classes**2).reshape(n_classes, n_classes) / n_repeats
    totals = counted.sum(axis=1)
    recall = np.divide(counted.diagonal(), totals, out=np.full(n_classes, np.nan), where=totals > 0)
    found = Answers(table, model, len(y), tuple(tuple(map(float, row)) for row in counted), recall=tuple(map(float, recall)))
    if probabilities is None:
        return found
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    reliability = _reliability(confidence, right, weights)
    return replace(found, reliability=reliability, ece=calibration_error(confidence, right, weights))


def _reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[ConfidenceBin, ...]:
    # The bins of the calibration error, so that curve and number speak of the same.
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.intp) - 1, 0, CALIBRATION_BINS - 1)
    rows, sure, true = (np.bincount(bins, weights * part, CALIBRATION_BINS) for part in (np.ones(len(bins)), confidence, right))
    return tuple(ConfidenceBin(float(sure[i] / rows[i]), float(true[i] / rows[i]), float(rows[i])) for i in np.flatnonzero(rows))


def of_amounts(table: str, model: str, y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]) -> Answers:
    """Look at answers that are amounts.

    Parameters
    ----------
    table, model : str
    y, predicted : ndarray of shape (n_rows,), float64
        True and predicted amounts.
    weights : ndarray of shape (n_rows,), float64

    Returns
    -------
    Answers

    Examples
    --------
    >>> found = of_amounts("t", "m", np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]), np.ones(3))
    >>> found.bias.__round__(3), found.residuals[2], len(found.groups)
    (0.333, 0.0, 3)
    """
    order = np.argsort(predicted, kind="stable")
    groups = [part for part in np.array_split(order, min(AMOUNT_GROUPS, len(order))) if len(part)]
    residuals = y - predicted
    return Answers(
        table,
        model,
        len(y),
        groups=tuple(_group(y[part], predicted[part], weights[part]) for part in groups),
        residuals=_quantiles(residuals, weights, _RESIDUAL_SHARES),
        bias=float(np.average(residuals, weights=weights)),
    )


def _group(y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]) -> AmountGroup:
    means = (float(np.average(values, weights=weights)) for values in (predicted, y))
    return AmountGroup(*means, *_quantiles(y, weights, (0.1, 0.9)))


def _quantiles(values: NDArray[np.float64], weights: NDArray[np.float64], shares: Sequence[float]) -> tuple[float, ...]:
    found = np.quantile(values, shares, weights=weights, method="inverted_cdf")
    return tuple(map(float, np.atleast_1d(found)))
