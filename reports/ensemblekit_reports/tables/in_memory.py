"""A table out of what a reader has in memory: features, answers, and what comes along with the rows."""

from __future__ import annotations

import reprlib
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.table import Table, table_from_frame


def table_in_memory(X: Any, y: Any, groups: Any = None, weights: Any = None, *, name: str = "table", task: str = "") -> Table:
    """Make a table; rows belong together by their place.

    Parameters
    ----------
    X : DataFrame, array-like or sparse matrix of shape (n_rows, n_columns)
        Features of any kind; masked cells are missing.
    y : Series or array-like of shape (n_rows,)
        Classes or amounts.
    groups, weights : Series or array-like of shape (n_rows,), optional
        Which rows belong together, and how much each counts.
    name : str, default="table"
        What the report calls it.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the answers.

    Returns
    -------
    Table

    Raises
    ------
    UserError
        When shapes do not go together, or rows of two pandas objects are in another order.

    Examples
    --------
    >>> table_in_memory([[0.5], [1.5], [0.5], [2.5]], ["no", "yes", "no", "yes"]).classes
    ('no', 'yes')
    >>> table_in_memory([[0.5], [1.5]], "churned")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: y must hold one entry for each row; got 'churned'.
    """
    features, labels = _frame(X), _series(y, "y")
    beside = {
        "y": labels,
        "groups": None if groups is None else _series(groups, "groups"),
        "sample_weight": None if weights is None else _series(weights, "sample_weight"),
    }
    for what, values in beside.items():
        if values is not None and len(values) != len(features):
            raise UserError(f"X has {len(features)} rows, {what} has {len(values)}; they must be as many.")
    _check_order({"X": X, "y": y, "groups": groups, "sample_weight": weights})
    return table_from_frame(features, labels, name=name, groups=beside["groups"], weights=beside["sample_weight"], task=task)


def _frame(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        names = [str(column) for column in X.columns]
        if len(set(names)) < len(names):
            raise UserError(f"X has more than one column named {next(n for n in names if names.count(n) > 1)!r}.")
        return X.set_axis(names, axis=1).reset_index(drop=True)
    array = _array(X, "X must be a DataFrame or an array of rows and columns")
    if array.ndim != 2:
        raise UserError(f"X must have two dimensions, rows and columns; it has shape {array.shape}.")
    return pd.DataFrame(array, columns=[f"x{position}" for position in range(array.shape[1])]).infer_objects()


def _series(values: Any, what: str) -> pd.Series:
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, (pd.Series, pd.api.extensions.ExtensionArray)):
        series = pd.Series(values)
    else:
        array = _array(values, f"{what} must hold one entry for each row")
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise UserError(f"{what} must be one column; it has shape {array.shape}.")
        series = pd.Series(array)
    lists = [entry for entry in series if isinstance(entry, (list, tuple, set, dict, np.ndarray))] if series.dtype == object else []
    if lists:
        raise UserError(f"{what} must hold one entry for each row, and no lists; got {reprlib.repr(lists[0])} among them.")
    name = getattr(values, "name", None)
    return series.reset_index(drop=True).rename(what if name is None else str(name))


def _array(values: Any, must: str) -> NDArray[Any]:
    if sparse.issparse(values):
        values = values.toarray()
    if np.ma.is_masked(values):  # NumPy by itself would show what the mask hides
        values = values.astype(np.float64).filled(np.nan) if values.dtype.kind in "biuf" else values.astype(object).filled(None)
    try:
        if isinstance(values, (list, tuple)) and any(map(np.ma.is_masked, values)):
            return _array(np.ma.stack(values), must)
        array = np.asarray(values)
    except ValueError:
        raise UserError(f"{must}; its rows are not as long as one another.") from None
    if array.ndim == 0:
        raise UserError(f"{must}; got {reprlib.repr(values)}.")
    return array


def _check_order(parts: dict[str, Any]) -> None:
    """Refuse rows that a reader of pandas takes to go together by their labels, and that do so by no place."""
    labels = {what: values.index for what, values in parts.items() if isinstance(values, (pd.Series, pd.DataFrame))}
    for (one, first), (other, second) in combinations(labels.items(), 2):
        # Labels may be repeated; those that have nothing to do with one another say nothing about an order.
        if not first.equals(second) and Counter(first) == Counter(second):
            remedy = f", as with {other}.loc[{one}.index]" if first.is_unique else ""
            raise UserError(
                f"the rows of {one} and {other} have the same labels in another order, and go together by their place: "
                f"bring them into one order{remedy}."
            )
