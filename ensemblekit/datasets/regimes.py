"""Tables in which different rows obey different rules: what a learned gate is for.

Both generators draw from a mixture of experts, so the truth is known: a softmax gate on the first two columns says
which regime a row is in, and each regime has a linear rule of its own on the remaining columns. The rules sum to zero
over the regimes, so a single linear rule for the whole table has almost nothing to find.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils import check_random_state

#: Columns are rounded, so that a table written as text and read again is the same table.
DECIMALS = 4

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def make_regimes_classification(
    n_samples: int = 1000,
    n_features: int = 6,
    *,
    n_regimes: int = 3,
    n_classes: int = 2,
    sharpness: float = 4.0,
    scale: float = 3.0,
    random_state: Any = None,
) -> tuple[Floats, Integers, Integers]:
    """Draw a classification table from a mixture of multinomial-logistic experts.

    Parameters
    ----------
    n_samples : int, default=1000
        Rows.
    n_features : int, default=6
        Columns, at least 3: the first two belong to the gate, the others to the experts.
    n_regimes : int, default=3
        Experts, at least 1.
    n_classes : int, default=2
        Classes, at least 2.
    sharpness : float, default=4.0
        Length of the gate's coefficients: 0 makes regimes that the columns do not show, large values cut sharp borders.
    scale : float, default=3.0
        Standard deviation of the experts' coefficients; larger is less noise in ``y``.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        Standard normal columns, rounded to 4 decimals.
    y : ndarray of shape (n_samples,), int64
        Classes ``0 .. n_classes - 1``.
    regime : ndarray of shape (n_samples,), int64
        The expert that answered, ``0 .. n_regimes - 1``; a model must not see it.

    Raises
    ------
    ValueError
        When there are too few columns, regimes or classes.

    Examples
    --------
    >>> X, y, regime = make_regimes_classification(8, random_state=0)
    >>> X.shape, sorted(set(y.tolist())), regime.shape
    ((8, 6), [0, 1], (8,))
    """
    _check(n_features=(n_features, 3), n_regimes=(n_regimes, 1), n_classes=(n_classes, 2))
    random = check_random_state(random_state)
    X, regime = _rows_and_regimes(random, n_samples, n_features, n_regimes, sharpness)
    rules = _rules_that_cancel(random, (n_regimes, n_features - 2, n_classes), scale)
    probabilities = softmax(np.einsum("nf,nfc->nc", X[:, 2:], rules[regime]), axis=1)
    return X, _draw(random, probabilities), regime


def make_regimes_regression(
    n_samples: int = 1000,
    n_features: int = 6,
    *,
    n_regimes: int = 3,
    sharpness: float = 4.0,
    scale: float = 3.0,
    noise: float = 0.5,
    random_state: Any = None,
) -> tuple[Floats, Floats, Integers]:
    """Draw a regression table from a mixture of linear experts.

    Parameters
    ----------
    n_samples : int, default=1000
        Rows.
    n_features : int, default=6
        Columns, at least 3: the first two belong to the gate, the others to the experts.
    n_regimes : int, default=3
        Experts, at least 1.
    sharpness : float, default=4.0
        Length of the gate's coefficients: 0 makes regimes that the columns do not show, large values cut sharp borders.
    scale : float, default=3.0
        Standard deviation of the experts' coefficients.
    noise : float, default=0.5
        Standard deviation of the Gaussian noise on ``y``.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        Standard normal columns, rounded to 4 decimals.
    y : ndarray of shape (n_samples,), float64
        Answers.
    regime : ndarray of shape (n_samples,), int64
        The expert that answered, ``0 .. n_regimes - 1``; a model must not see it.

    Raises
    ------
    ValueError
        When there are too few columns or regimes.

    Examples
    --------
    >>> X, y, regime = make_regimes_regression(8, random_state=0)
    >>> X.shape, y.shape, regime.shape
    ((8, 6), (8,), (8,))
    """
    _check(n_features=(n_features, 3), n_regimes=(n_regimes, 1))
    random = check_random_state(random_state)
    X, regime = _rows_and_regimes(random, n_samples, n_features, n_regimes, sharpness)
    rules = _rules_that_cancel(random, (n_regimes, n_features - 2), scale)
    y = np.einsum("nf,nf->n", X[:, 2:], rules[regime]) + noise * random.normal(size=n_samples)
    return X, y, regime


def _check(**sizes: tuple[int, int]) -> None:
    for name, (received, least) in sizes.items():
        if received < least:
            raise ValueError(f"{name} must be at least {least}, got {received}.")


def _rows_and_regimes(
    random: np.random.RandomState, n_samples: int, n_features: int, n_regimes: int, sharpness: float
) -> tuple[Floats, Integers]:
    X = random.normal(size=(n_samples, n_features)).round(DECIMALS)
    # Directions spread evenly over the circle of the first two columns: every regime gets its sector.
    angles = 2 * np.pi * np.arange(n_regimes) / n_regimes
    directions = sharpness * np.stack([np.cos(angles), np.sin(angles)])
    return X, _draw(random, softmax(X[:, :2] @ directions, axis=1))


def _rules_that_cancel(random: np.random.RandomState, shape: tuple[int, ...], scale: float) -> Floats:
    rules: Floats = random.normal(scale=scale, size=shape)
    return rules if shape[0] == 1 else rules - rules.mean(axis=0)


def _draw(random: np.random.RandomState, probabilities: Floats) -> Integers:
    thresholds = random.uniform(size=(len(probabilities), 1))
    drawn: Integers = (probabilities.cumsum(axis=1) < thresholds).sum(axis=1, dtype=np.int64)
    # Rounding may leave the last cumulated probability a hair below one.
    last: Integers = np.full_like(drawn, probabilities.shape[1] - 1)
    return np.minimum(drawn, last)
