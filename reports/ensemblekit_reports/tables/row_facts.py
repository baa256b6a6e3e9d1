"""What rows bring along beside features and answer: the group that they belong to, and how much they count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.columns import MISSING, as_text, one_spelling


def encode_groups(column: pd.Series) -> NDArray[np.int64]:
    """Give the groups of rows numbers.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        What names a row's group, of any type; numbers go by value, however they are spelled.

    Returns
    -------
    ndarray of shape (n_rows,), int64
        From 0 on.

    Raises
    ------
    UserError
        When a row has no group, or all have the same.

    Examples
    --------
    >>> encode_groups(pd.Series(["ann", "bob", "ann"], name="patient"))
    array([0, 1, 0])
    """
    texts = column.astype(object).where(column.notna(), "").map(as_text)
    blank = texts.isin(MISSING)
    if blank.any():
        raise UserError(f"the groups in column {str(column.name)!r} are missing in {int(blank.sum())} rows; every row needs one.")
    codes, names = pd.factorize(one_spelling(texts))
    if len(names) < 2:
        raise UserError(f"column {str(column.name)!r} puts all rows in one group; there must be at least two.")
    return np.asarray(codes, dtype=np.int64)


def encode_weights(column: pd.Series) -> NDArray[np.float64]:
    """Read how much each row counts.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Numbers, or text that can be read as such.

    Returns
    -------
    ndarray of shape (n_rows,), float64
        Positive.

    Raises
    ------
    UserError
        When a weight is missing, no number, or not positive.

    Examples
    --------
    >>> encode_weights(pd.Series(["1", "2.5"], name="w"))
    array([1. , 2.5])
    """
    weights = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        raise UserError(
            f"the sample weights in column {str(column.name)!r} must be positive numbers; {int(wrong.sum())} are not, "
            f"such as {str(column.to_numpy()[np.flatnonzero(wrong)[0]])!r}."
        )
    return weights
