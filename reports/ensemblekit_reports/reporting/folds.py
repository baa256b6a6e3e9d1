"""Cells of one table laid side by side: a row for each fold, a column for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ensemblekit_reports.results import Results


def cells_of(results: Results, table: str) -> pd.DataFrame:
    """Return the cells of one table.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> results = SimpleNamespace(cells=pd.DataFrame({"dataset": ["a", "b"], "model": ["m", "m"]}))
    >>> cells_of(results, "b")["model"].tolist()
    ['m']
    """
    return results.cells[results.cells["dataset"] == table]


def side_by_side(cells: pd.DataFrame, column: str, models: tuple[str, ...]) -> pd.DataFrame:
    """Spread one column of a table's cells over the models.

    Parameters
    ----------
    cells : DataFrame
        Cells of one table.
    column : str
        A metric or a cost.
    models : tuple of str
        Names of the columns wanted, in this order.

    Returns
    -------
    DataFrame of shape (n_folds, n_models), float64
        Indexed by (repeat, fold) over every fold that any model ran; NaN where a model has no usable number.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"repeat": [0, 0], "fold": [0, 0], "model": ["a", "b"], "status": ["ok", "failed"],
    ...                       "accuracy": [0.9, None]})
    >>> side_by_side(cells, "accuracy", ("a", "b")).to_numpy().tolist()
    [[0.9, nan]]
    """
    found = spread(cells, (column,), models)
    folds = np.unique(cells[["repeat", "fold"]].to_numpy(), axis=0)
    return pd.DataFrame(found[column], pd.MultiIndex.from_arrays(list(folds.T), names=["repeat", "fold"]), list(models))


def spread(cells: pd.DataFrame, columns: Sequence[str], models: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Spread several columns of a table's cells over the models at once.

    Parameters
    ----------
    cells : DataFrame
        Cells of one table.
    columns : sequence of str
        Metrics or costs.
    models : tuple of str
        Names of the models wanted, in this order.

    Returns
    -------
    dict of str to ndarray of shape (n_folds, n_models), float64
        By column; a row for each (repeat, fold), NaN where a model has no usable number.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"repeat": [0, 0], "fold": [1, 0], "model": ["a", "a"], "status": "ok", "accuracy": [0.9, 0.8]})
    >>> spread(cells, ["accuracy"], ("a",))["accuracy"].tolist()
    [[0.8], [0.9]]
    """
    folds, rows = np.unique(cells[["repeat", "fold"]].to_numpy(), axis=0, return_inverse=True)
    places = pd.Index(models).get_indexer(pd.Index(cells["model"]))
    kept = (places >= 0) & (cells["status"] == "ok").to_numpy()
    found = {}
    for column in columns:
        wide = np.full((len(folds), len(models)), np.nan)
        wide[rows[kept], places[kept]] = cells[column].to_numpy(dtype=np.float64, na_value=np.nan)[kept]
        wide[np.isinf(wide)] = np.nan
        found[column] = wide
    return found


def without_value(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the finished cells of folds on which a metric has no value for any model, as R squared where all answers are equal.

    Parameters
    ----------
    cells : DataFrame
        Cells of one table.
    metric : str
        A metric.

    Returns
    -------
    DataFrame
        Rows of ``cells``.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"repeat": 0, "fold": [0, 0, 1, 1], "model": ["a", "b"] * 2, "status": "ok", "r2": [0.9, None, None, None]})
    >>> without_value(cells, "r2")["model"].tolist()
    ['a', 'b']
    """
    finished = cells[cells["status"] == "ok"]
    has_value = finished[metric].notna().groupby([finished["repeat"], finished["fold"]]).transform("any")
    return finished[~has_value]


def held_out_ratio(cells: pd.DataFrame) -> float:
    """Return test rows over training rows, averaged over the folds of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> held_out_ratio(pd.DataFrame({"n_train": [80, 80], "n_test": [20, 20]}))
    0.25
    """
    return float((cells["n_test"] / cells["n_train"]).mean())
