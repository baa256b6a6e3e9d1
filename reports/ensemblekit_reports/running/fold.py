"""One fold of one table: which rows are learnt from, which are tested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.studies.learning_rows import kept_rows
from ensemblekit_reports.tables.table import Table


@dataclass(frozen=True)
class Fold:
    """One fold of one table.

    Parameters
    ----------
    table : Table
        All rows.
    repeat, number : int
        Which fold it is.
    tested : ndarray of shape (n_rows,), bool
        Rows of the test fold.
    seed : int
        Seed of every model on this fold.
    share : float, default=1.0
        Part of the training rows that models learn from: less for a point of a learning curve.
    """

    table: Table
    repeat: int
    number: int
    tested: NDArray[np.bool_]
    seed: int
    share: float = 1.0

    @cached_property
    def train(self) -> NDArray[np.intp]:
        """Positions of the rows that models learn from."""
        table = self.table
        return kept_rows(np.flatnonzero(~self.tested), table.y, table.groups, self.share, self.seed, classes=bool(table.classes))


def part_of(values: NDArray[Any] | None, rows: NDArray[Any]) -> Any:
    """Return what comes along with some rows, such as their weights; None where nothing does.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), or None
        Of all rows.
    rows : ndarray of int or bool
        Which.

    Examples
    --------
    >>> part_of(np.array([0.5, 2.0]), np.array([1])), part_of(None, np.array([1]))
    (array([2.]), None)
    """
    return None if values is None else values[rows]
