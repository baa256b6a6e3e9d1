"""Class labels as the codes 0, 1, ..., C - 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d


def encode(y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Sorted labels and the position of each target among them.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of any type that can be sorted.

    Returns
    -------
    labels : ndarray of shape (n_classes,)
        Sorted, without repetition.
    codes : ndarray of shape (n_samples,), int64
        ``labels[codes]`` is `y`.

    Raises
    ------
    ValueError
        If there is one class only.

    Examples
    --------
    >>> labels, codes = encode(["no", "yes", "no"])
    >>> labels.tolist(), codes.tolist()
    (['no', 'yes'], [0, 1, 0])
    """
    labels, codes = np.unique(column_or_1d(y), return_inverse=True)
    if len(labels) < 2:
        raise ValueError(f"A classifier needs rows of two classes or more; y holds one class only: {labels.tolist()}.")
    return labels, codes.astype(np.int64, copy=False)
