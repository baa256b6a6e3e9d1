"""What stands between a table's raw numbers and a model; fitted on the training fold alone, as part of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from ensemblekit_reports.tables.table import Table

#: ``linear`` models need columns of one size; for trees scaling changes nothing.
KINDS = ("linear", "trees")
#: Levels rarer than this share of the training rows are one level together, and at most this many levels remain.
RARE, MOST_LEVELS = 0.01, 40


def preprocessing(kind: str, numbers: Sequence[int], incomplete: Sequence[int], categories: Sequence[int]) -> Any:
    """Make the preprocessing of a kind of model for columns of given kinds.

    Parameters
    ----------
    kind : str
        ``"linear"`` or ``"trees"``.
    numbers : sequence of int
        Positions of the numeric and boolean columns without missing cells.
    incomplete : sequence of int
        Positions of those with missing cells: the median is filled in and a column says where.
    categories : sequence of int
        Positions of the categorical columns: one column per level that is not rare, a missing cell being a level too.

    Returns
    -------
    estimator or "passthrough"
        Not fitted. Plain numbers go to trees as they are.

    Examples
    --------
    >>> preprocessing("trees", [0, 1], [], [])
    'passthrough'
    >>> [name for name, _, _ in preprocessing("linear", [0], [1], [2]).transformers]
    ['numbers', 'incomplete', 'categories']
    """
    if not incomplete and not categories:
        # No column needs a treatment of its own, and dispatching columns costs more than some models' predictions.
        return StandardScaler() if kind == "linear" else "passthrough"
    scale: list[Any] = [StandardScaler()] if kind == "linear" else []
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encode = OneHotEncoder(min_frequency=RARE, max_categories=MOST_LEVELS, handle_unknown="infrequent_if_exist", sparse_output=False)
    parts = [
        ("numbers", make_pipeline(*scale) if scale else "passthrough", list(numbers)),
        ("incomplete", make_pipeline(impute, *scale), list(incomplete)),
        ("categories", encode, list(categories)),
    ]
    return ColumnTransformer([part for part in parts if part[2]])


def column_groups(table: Table) -> tuple[list[int], list[int], list[int]]:
    """Sort a table's columns into those that preprocessing treats alike.

    Parameters
    ----------
    table : Table
        Any table.

    Returns
    -------
    numbers, incomplete, categories : list of int
        Positions of complete numeric columns, of numeric columns with missing cells, of categorical columns.

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> column_groups(bundled_table("iris"))
    ([0, 1, 2, 3], [], [])
    """
    numeric = table.positions("numeric", "boolean")
    missing = np.atleast_1d(np.isnan(table.X).any(axis=0))
    numbers = [position for position in numeric if not missing[position]]
    incomplete = [position for position in numeric if missing[position]]
    return numbers, incomplete, table.positions("categorical")
