"""How the rows of a new table become what a stored model was fitted on: the study's own encoding, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError, nearest
from ensemblekit_reports.outputs.known_columns import KnownColumn
from ensemblekit_reports.tables.table import Table


@dataclass(frozen=True)
class TableEncoding:
    """The feature columns of a table, in the order in which a model wants them.

    Parameters
    ----------
    columns : tuple of KnownColumn
    answer : str
        Name of the answer column; a new table may have it, and it is not read.
    """

    columns: tuple[KnownColumn, ...]
    answer: str

    def encode(self, frame: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Turn a new table into rows for the model.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Raw columns in any order; those that the model does not know are left out with a note.

        Returns
        -------
        X : ndarray of shape (n_rows, n_features), float64
        notes : tuple of str
            What was left out or changed, one sentence each.

        Raises
        ------
        UserError
            When there is no row, a column is missing, or holds another kind than in fitting.

        Examples
        --------
        >>> encoding = TableEncoding((KnownColumn("size", "numeric"), KnownColumn("colour", "categorical", ("red",))), "kind")
        >>> encoding.encode(pd.DataFrame({"colour": ["red"], "size": [2], "kind": ["a"], "memo": ["x"]}))
        (array([[2., 0.]]), ("The model does not use the column 'memo'; it was left out.",))
        >>> encoding.encode(pd.DataFrame({"siz": [2], "colour": ["red"]}))
        Traceback (most recent call last):
            ...
        ensemblekit_reports.errors.UserError: the table lacks a column that the model needs: 'size' (is it 'siz'?).
        """
        frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
        self._check(frame)
        read = [column.read(frame[column.name]) for column in self.columns]
        notes = [note for _, of_column in read for note in of_column]
        X = np.column_stack([values for values, _ in read])
        return X, (*notes, *self._say_left_out(list(frame.columns)))

    def _check(self, frame: pd.DataFrame) -> None:
        if not frame.columns.is_unique:
            raise UserError(f"the table has more than one column named {frame.columns[frame.columns.duplicated()][0]!r}.")
        missing = [column.name for column in self.columns if column.name not in frame.columns]
        if missing:
            spare = set(frame.columns) - {column.name for column in self.columns}
            hints = [f"{name!r}{f' (is it {near!r}?)' if (near := nearest(name, spare)) else ''}" for name in missing[:10]]
            more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
            what = "a column" if len(missing) == 1 else f"{len(missing)} columns"
            raise UserError(f"the table lacks {what} that the model needs: {', '.join(hints)}{more}.")
        if not len(frame):
            raise UserError("the table has no rows to predict.")

    def _say_left_out(self, names: list[str]) -> tuple[str, ...]:
        used = {column.name for column in self.columns} | {self.answer}
        extra = [repr(name) for name in names if name not in used]
        if not extra:
            return ()
        listed = ", ".join(extra[:10]) + (f" and {len(extra) - 10} more" if len(extra) > 10 else "")
        one = len(extra) == 1
        return (f"The model does not use the column{'' if one else 's'} {listed}; {'it was' if one else 'they were'} left out.",)

    def plain(self) -> dict[str, Any]:
        """Return everything as what JSON can hold."""
        return asdict(self)


def encoding_of(table: Table) -> TableEncoding:
    """Freeze the encoding of a table that a model is fitted on.

    Parameters
    ----------
    table : Table
        All rows.

    Returns
    -------
    TableEncoding

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> encoding_of(bundled_table("iris")).columns[0]
    KnownColumn(name='sepal length (cm)', kind='numeric', levels=(), fill=5.8)
    """
    columns = [
        KnownColumn(column.name, column.kind, column.levels, _median(values) if column.kind != "categorical" else None)
        for column, values in zip(table.columns, table.X.T, strict=True)
    ]
    return TableEncoding(tuple(columns), table.target)


def _median(values: NDArray[np.float64]) -> float | None:
    """Return the median of a complete column; one with missing cells is filled in by the model's own preprocessing."""
    return None if np.isnan(values).any() else float(np.median(values))


def encoding_from(plain: dict[str, Any]) -> TableEncoding:
    """Read what ``TableEncoding.plain`` wrote.

    Parameters
    ----------
    plain : dict
        From JSON.

    Returns
    -------
    TableEncoding

    Examples
    --------
    >>> encoding = TableEncoding((KnownColumn("colour", "categorical", ("red",)),), "kind")
    >>> encoding_from(encoding.plain()) == encoding
    True
    """
    columns: Sequence[dict[str, Any]] = plain["columns"]
    known = [KnownColumn(str(c["name"]), str(c["kind"]), tuple(map(str, c["levels"])), c["fill"]) for c in columns]
    return TableEncoding(tuple(known), str(plain["answer"]))
