"""The fitted model whose insight is collected, together with the table that it was fitted on, as its reader knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.tables.table import Table
from ensemblekit_reports.wording import MINUS

Floats = NDArray[np.float64]

#: How preprocessing names its columns: part, what it did, position of the reader's column, category.
_ORIGIN = re.compile(r"(?:\w+?__)?(?P<missing>missingindicator_)?x(?P<position>\d+)(?:_(?P<level>.+))?")
#: Gates are asked about at most so many rows at a time.
_AT_ONCE = 20_000


@dataclass(frozen=True)
class Subject:
    """A model fitted on the training rows of a fold.

    Parameters
    ----------
    fitted : estimator
        On preprocessed rows.
    table : Table
        All rows, raw.
    tested : ndarray of shape (n_rows,), bool
        Rows of the test fold.
    preprocessing : estimator or "passthrough"
        Fitted.

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> Subject(None, table, np.arange(150) % 5 == 0, "passthrough").typical.round(1)
    array([5.8, 3. , 4.2, 1.3])
    """

    fitted: Any
    table: Table
    tested: NDArray[np.bool_]
    preprocessing: Any

    @cached_property
    def test_rows(self) -> NDArray[np.intp]:
        """Positions of the test rows."""
        return np.flatnonzero(self.tested)

    @cached_property
    def numeric(self) -> frozenset[int]:
        """Positions of the reader's numeric columns."""
        return frozenset(self.table.positions("numeric", "boolean"))

    @cached_property
    def typical(self) -> Floats:
        """Median of every numeric column of the training rows, most frequent level of the others."""
        train = self.table.X[~self.tested]
        return np.array([_middle(column, numeric=j in self.numeric) for j, column in enumerate(train.T)])

    def ready(self, raw: Floats) -> Floats:
        """Return rows as the model reads them, of shape (n_rows, n_ready_columns)."""
        if isinstance(self.preprocessing, str):
            return raw
        return np.asarray(self.preprocessing.transform(raw), dtype=np.float64)

    def gate(self, raw: Floats) -> Floats:
        """Return the gate's probabilities for raw rows, of shape (n_rows, n_experts)."""
        pieces = [raw[start : start + _AT_ONCE] for start in range(0, len(raw), _AT_ONCE)]
        return np.concatenate([np.asarray(self.fitted.gate_proba(self.ready(piece)), dtype=np.float64) for piece in pieces])

    @cached_property
    def origins(self) -> list[tuple[int, bool]]:
        """Of each column that the model reads: position of the reader's column, and whether it is that number itself."""
        if isinstance(self.preprocessing, str):
            return [(position, True) for position in range(self.table.X.shape[1])]
        found = [_ORIGIN.fullmatch(str(name)) for name in self.preprocessing.get_feature_names_out()]
        return [(int(m["position"]), not (m["missing"] or m["level"])) if m else (-1, False) for m in found]

    def say(self, position: int, value: float) -> str:
        """Write a value of a column as its reader knows it."""
        if np.isnan(value):
            return "missing"
        column = self.table.columns[position]
        if column.levels:
            return column.levels[int(value)]
        return say_number(value, _spread(self.table.X[:, position])).replace("-", MINUS)


def _middle(column: Floats, *, numeric: bool) -> float:
    filled = column[~np.isnan(column)]
    if not filled.size:
        return float("nan")
    if numeric:
        return float(np.median(filled))
    levels, counts = np.unique(filled, return_counts=True)
    return float(levels[counts.argmax()])


def _spread(column: Floats) -> float:
    filled = column[np.isfinite(column)]
    return float(np.subtract(*np.percentile(filled, [95, 5]))) if filled.size else 0.0


def say_number(value: float, spread: float) -> str:
    """Write a number with as many digits as its column tells apart.

    Parameters
    ----------
    value : float
    spread : float
        Most of the column's values lie within a range of this size.

    Returns
    -------
    str

    Examples
    --------
    >>> say_number(1234.567, 1000.0), say_number(0.61234, 2.0), say_number(3.0, 0.0)
    ('1235', '0.61', '3')
    """
    if not spread > 0:
        return f"{value:.6g}"
    places = int(np.clip(2 - np.floor(np.log10(spread)), 0, 12))
    if abs(value) >= 10**9 * spread or spread < 1e-9:
        return f"{value:.6g}"
    text = f"{round(value, places):.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
