"""Rows that resemble given ones: MUNGE, which lets a teacher be asked about more rows than there are."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_random_state, check_scalar

#: A column of so few values is nominal or counts something: its cells are swapped and not moved.
FEW_VALUES = 20


def munge(
    X: npt.ArrayLike, n_rows: int, *, swap: float = 0.5, locality: float = 1.0, random_state: int | np.random.RandomState | None = None
) -> npt.NDArray[np.float64]:
    """Make rows between rows and their nearest neighbours (Buciluă, Caruana and Niculescu-Mizil, 2006, algorithm 1).

    Each cell of a row is, with probability `swap`, taken from the row's nearest neighbour, and then moved by normal noise whose deviation
    is their distance over `locality`; cells of columns with at most 20 different values are taken as they are. So rows stay where rows
    are, which independent columns would not. Adjacent columns of 0 and 1 of which every row has exactly one 1 code one category: they are
    taken together, so that no row is made with two levels or none.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Numbers, at least two rows; NaN is a missing cell, and is taken over as such.
    n_rows : int
        Rows to make, not negative.
    swap : float, default=0.5
        Probability that a cell comes from the neighbour.
    locality : float, default=1.0
        Above zero; larger stays nearer to the neighbour's cell.
    random_state : int, RandomState instance or None, default=None
        Source of chance.

    Returns
    -------
    ndarray of float64, shape (n_rows, d)
        Made of every given row in turn; of rows drawn without repetition where fewer are asked for than given.

    Raises
    ------
    ValueError
        For fewer than two rows, infinite cells, or a parameter out of its range.
    TypeError
        For sparse rows, or a parameter that is no number.

    References
    ----------
    C. Buciluă, R. Caruana, A. Niculescu-Mizil (2006). Model compression. KDD.

    Examples
    --------
    >>> rows = munge([[0.0, 5.0], [1.0, 5.0], [9.0, 7.0]], 6, random_state=0)
    >>> rows.shape, set(rows[:, 1]) <= {5.0, 7.0}
    ((6, 2), True)
    """
    check_scalar(n_rows, "n_rows", Integral, min_val=0)
    check_scalar(swap, "swap", Real, min_val=0, max_val=1)
    check_scalar(locality, "locality", Real, min_val=0, include_boundaries="neither")
    rows = check_array(X, dtype=np.float64, ensure_all_finite=False)
    if len(rows) < 2:
        raise ValueError(f"Synthetic rows are made of at least two rows; received {len(rows)}.")
    if np.isinf(rows).any():
        raise ValueError(f"Rows must be finite or NaN; columns {np.flatnonzero(np.isinf(rows).any(axis=0)).tolist()} hold infinity.")
    rng = check_random_state(random_state)
    # The first rows of a sorted table resemble each other and not the table.
    chosen = rng.permutation(len(rows))[:n_rows] if n_rows < len(rows) else np.resize(np.arange(len(rows)), n_rows)
    source, other = rows[chosen], rows[_neighbours(rows)[chosen]]
    deviation = np.where(_is_nominal(rows), 0.0, np.abs(source - other) / locality)
    moved = other + deviation * rng.normal(size=source.shape)
    moved = np.where(np.isnan(source) | np.isnan(other), other, moved)
    unit = _units(rows)
    return np.where((rng.uniform(size=(len(source), unit[-1] + 1)) < swap)[:, unit], moved, source)


def _units(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Give numbers to what is taken together: each column by itself, neighbouring 0/1 columns with one 1 in every row by one number."""
    n_columns = rows.shape[1]
    ones = _ones_before(rows)
    places: dict[tuple[int, int, int], int] = {}
    for place, key in enumerate(ones):
        places.setdefault(key, place)
    unit, first = np.empty(n_columns, np.intp), 0
    while first < n_columns:
        run, shape, count = ones[first]
        end = places.get((run, shape, count + 1), first + 1)  # where every row has one 1 more
        unit[first:end] = first
        first = end
    return np.unique(unit, return_inverse=True)[1]


def _ones_before(rows: npt.NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Count each row's ones before each place: the run of 0/1 columns, counts less the first row's, hashed, and the first row's."""
    counts, run, found = np.zeros(len(rows), np.int64), 0, []
    flags = ((rows == 0) | (rows == 1)).all(axis=0)
    for column in range(rows.shape[1] + 1):
        found.append((run, hash((counts - counts[0]).tobytes()), int(counts[0])))
        if column < rows.shape[1] and flags[column]:
            counts = counts + rows[:, column].astype(np.int64)
        else:
            run += 1
    return found


def _is_nominal(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.array([len(np.unique(column)) <= FEW_VALUES for column in rows.T])


def _neighbours(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Find the nearest other row of each, columns on one scale, missing cells in the middle."""
    filled = np.where(np.isnan(rows), _means(rows), rows)
    deviation = filled.std(axis=0)
    scaled = (filled - filled.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return np.asarray(NearestNeighbors(n_neighbors=1).fit(scaled).kneighbors(return_distance=False)[:, 0])


def _means(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    present = ~np.isnan(rows)
    return np.asarray(np.where(present, rows, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1))
