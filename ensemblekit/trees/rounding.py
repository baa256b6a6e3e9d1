"""Split thresholds as float32, rounded so that every float32 row takes the branch that the library would take.

Libraries compare a float32 or float64 value with a float64 threshold. Casting the threshold to the nearest float32
moves rows that lie between the two; rounding towards minus infinity moves none, because no float32 lies between a
threshold and the largest float32 at or below it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def at_most(threshold: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Round so that ``x <= result`` equals ``x <= threshold`` for every float32 `x`.

    Parameters
    ----------
    threshold : array-like of float64
        Thresholds; infinities stay.

    Returns
    -------
    ndarray of float32
        The largest float32 that is not above each threshold.

    Examples
    --------
    >>> t = 0.1  # the nearest float32 lies above
    >>> float(np.float32(t)) > t, float(at_most(t)) <= t
    (True, True)
    """
    exact = np.asarray(threshold, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        near = exact.astype(np.float32)
    down = np.nextafter(near, np.float32(-np.inf), dtype=np.float32)
    return np.where(near.astype(np.float64) > exact, down, near)


def below(threshold: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Round so that ``x <= result`` equals ``x < threshold`` for every float32 `x`.

    Parameters
    ----------
    threshold : array-like of float64
        Thresholds of a library that sends ``x < threshold`` to the left (XGBoost).

    Returns
    -------
    ndarray of float32
        The largest float32 below each threshold; NaN, which nothing is at most, for minus infinity.

    Examples
    --------
    >>> u = below(1.0)
    >>> bool(u < 1.0), bool(np.nextafter(u, np.float32(2)) == 1.0)
    (True, True)
    """
    exact = np.asarray(threshold, dtype=np.float64)
    floor = at_most(exact)
    down = np.nextafter(floor, np.float32(-np.inf), dtype=np.float32)
    strict = np.where(floor.astype(np.float64) == exact, down, floor)
    return np.where(np.isneginf(exact), np.float32(np.nan), strict).astype(np.float32)
