"""Which training rows a point of a learning curve may learn from: nested, so that the curve shows more rows and not other ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError

#: Shares of the training rows that ``--learning-curve`` asks for.
SHARES = (0.1, 0.25, 0.5, 1.0)


def check_shares(shares: Sequence[float]) -> tuple[float, ...]:
    """Refuse what is no share of the training rows; all of them are always one.

    Parameters
    ----------
    shares : sequence of float
        Above 0 and up to 1; empty for no curve.

    Returns
    -------
    tuple of float
        Ascending, each once, 1 at the end; or empty.

    Raises
    ------
    UserError
        When one lies elsewhere.

    Examples
    --------
    >>> check_shares([0.5, 0.1]), check_shares([])
    ((0.1, 0.5, 1.0), ())
    >>> check_shares([10])
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: learning_curve must hold shares of the training rows, above 0 and up to 1; got 10.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise UserError(f"learning_curve must hold shares of the training rows, above 0 and up to 1; got {share:g}.")
    return tuple(sorted({*map(float, shares), 1.0})) if shares else ()


def kept_rows(
    train: NDArray[np.intp], y: NDArray[np.generic], groups: NDArray[np.int64] | None, share: float, seed: int, *, classes: bool
) -> NDArray[np.intp]:
    """Choose the rows of a smaller training fold; those of a larger share hold those of every smaller one.

    Parameters
    ----------
    train : ndarray of shape (n_train,), intp
        Positions of the training rows.
    y : ndarray of shape (n_rows,)
        Answers of all rows.
    groups : ndarray of shape (n_rows,), int64, or None
        Rows of one group are taken together, and classes as they come.
    share : float
        Of the rows, or of the groups.
    seed : int
        Of the fold.
    classes : bool
        Whether answers are classes: then each keeps its share, and at least one row.

    Returns
    -------
    ndarray of intp
        Ascending.

    Examples
    --------
    >>> y = np.repeat([0, 1], [8, 4])
    >>> few = kept_rows(np.arange(12), y, None, 0.25, 0, classes=True)
    >>> more = kept_rows(np.arange(12), y, None, 0.5, 0, classes=True)
    >>> np.bincount(y[few]), set(few) < set(more)
    (array([2, 1]), True)
    """
    if share >= 1:
        return train
    if groups is None:
        parts = y[train] if classes else np.zeros(len(train))
        return np.sort(np.concatenate([_first(train[parts == part], share, seed) for part in np.unique(parts)]))
    taken = _first(np.unique(groups[train]), share, seed)
    kept: NDArray[np.intp] = train[np.isin(groups[train], taken)]
    return kept


def _first(positions: NDArray[np.intp], share: float, seed: int) -> NDArray[np.intp]:
    shuffled = np.random.default_rng(seed).permutation(positions)
    return shuffled[: max(1, round(share * len(positions)))]
