"""Columns chosen by name, position, callable or ``make_column_selector``, as positions."""

from __future__ import annotations

from typing import Any

from sklearn.utils._indexing import _get_column_indices


def positions(X: Any, chosen: Any, parameter: str) -> list[int] | None:
    """Resolve a choice of columns against a table.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
    chosen : None, str, int, slice, list, mask or callable
        As in scikit-learn's ``ColumnTransformer``; None for all columns.
    parameter : str
        Name of the parameter, for the error.

    Returns
    -------
    list of int or None

    Raises
    ------
    ValueError
        When a column is not there.

    Examples
    --------
    >>> import numpy as np
    >>> positions(np.zeros((2, 3)), slice(0, 2), "gate_features")
    [0, 1]
    """
    if chosen is None:
        return None
    chosen = chosen(X) if callable(chosen) else chosen
    try:
        return [int(column) for column in _get_column_indices(X, chosen)]
    except (ValueError, IndexError, KeyError) as error:
        names = list(X.columns) if hasattr(X, "columns") else f"positions 0 to {X.shape[1] - 1}"
        raise ValueError(f"{parameter}={chosen!r} does not fit the columns; there are {names}. ({error})") from error
