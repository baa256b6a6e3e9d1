"""A table as the models see it: numbers and codes, whether it came from a file, a frame or the package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit.datasets import load_bundled
from ensemblekit_reports.errors import UserError, nearest
from ensemblekit_reports.results import TableFacts
from ensemblekit_reports.tables.columns import Encoded, LeftOut, encode
from ensemblekit_reports.tables.labels import encode_labels
from ensemblekit_reports.tables.reading import read_frame
from ensemblekit_reports.tables.row_facts import encode_groups, encode_weights


@dataclass(frozen=True)
class Column:
    """A feature column.

    Parameters
    ----------
    name : str
        As the reader wrote it; only reports see it.
    kind : str
        ``"numeric"``, ``"categorical"`` or ``"boolean"``.
    levels : tuple of str
        Categories; ``X`` holds their positions.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows with answers, read and encoded.

    Models get ``X`` alone: plain numbers without names, since names from a stranger's file are free to hold anything.

    Parameters
    ----------
    name : str
        Unique within a study.
    source, licence, target : str
        What the report says of it.
    columns : tuple of Column
        One per column of ``X``.
    X : ndarray of shape (n_rows, n_columns), float64
        Numbers; categories as positions in their levels; NaN is missing.
    y : ndarray of shape (n_rows,), int64 or float64
        Positions in ``classes``, or amounts.
    classes : tuple of str
        Class labels as text; empty for amounts.
    notes : tuple of str
        What was left out or changed on reading.
    groups : ndarray of shape (n_rows,), int64, or None
        Rows of one group are never divided between training and test.
    weights : ndarray of shape (n_rows,), float64, or None
        How much each row counts, in fits and in metrics; alike when None.
    origin : str
        What it was read from: ``"bundled"``, ``"file"``, ``"openml"`` or ``"memory"``.
    groups_name, weights_name : str
        Names of the columns that these were.
    """

    name: str
    source: str
    licence: str
    target: str
    columns: tuple[Column, ...]
    X: NDArray[np.float64]
    y: NDArray[Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    origin: str = "memory"
    groups_name: str = "groups"
    weights_name: str = "weights"

    @cached_property
    def checksum(self) -> str:
        """SHA-256 (hex) of the parsed content: names, kinds, levels, classes and values, not of the file's bytes."""
        heading = [self.target, self.classes, [(c.name, c.kind, c.levels) for c in self.columns], self.X.shape]
        digest = hashlib.sha256(json.dumps(heading).encode())
        # One bit pattern for NaN and for zero, little-endian everywhere: the same content has the same sum.
        canonical = np.where(np.isnan(self.X), np.nan, self.X + 0.0)
        digest.update(np.ascontiguousarray(canonical, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(self.y, dtype="<i8" if self.classes else "<f8").tobytes())
        if self.groups is not None:
            digest.update(b"groups" + np.ascontiguousarray(self.groups, dtype="<i8").tobytes())
        if self.weights is not None:
            digest.update(b"weights" + np.ascontiguousarray(self.weights, dtype="<f8").tobytes())
        return digest.hexdigest()

    @property
    def task(self) -> str:
        """``"classification"``, or ``"regression"`` for answers that are amounts."""
        return "classification" if self.classes else "regression"

    def positions(self, *kinds: str) -> list[int]:
        """Return the positions of the columns of some kinds."""
        return [position for position, column in enumerate(self.columns) if column.kind in kinds]

    def facts(self) -> TableFacts:
        """Return what the report says of this table."""
        counts = np.bincount(self.y, minlength=len(self.classes)).tolist() if self.classes else []
        kinds = [column.kind for column in self.columns]
        return TableFacts(
            name=self.name,
            source=self.source,
            licence=self.licence,
            target=self.target,
            checksum=self.checksum,
            n_rows=len(self.y),
            n_columns=len(self.columns),
            column_kinds={kind: kinds.count(kind) for kind in ("numeric", "categorical", "boolean")},
            class_counts=dict(zip(self.classes, counts, strict=True)),
            notes=self.notes,
            task=self.task,
            answers={} if self.classes else _summary(self.y),
            origin=self.origin,
            groups="" if self.groups is None else self.groups_name,
            weights="" if self.weights is None else self.weights_name,
        )


def _summary(y: NDArray[np.float64]) -> dict[str, float]:
    low, median, high = np.quantile(y, [0, 0.5, 1])
    return {"min": float(low), "median": float(median), "max": float(high), "mean": float(y.mean()), "std": float(y.std())}


def table_from_file(
    path: Path, target: str | None, *, name: str | None = None, groups: str | None = None, weights: str | None = None, task: str = ""
) -> Table:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    target : str or None
        Name of the answer column; None is an error that lists the columns.
    name : str, optional
        Name in the report; the file's name without its ending if not given.
    groups, weights : str, optional
        Columns that say which group a row belongs to, and how much it counts; they are no features.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the answers, see ``labels.py``.

    Returns
    -------
    Table
        Encoded rows.

    Raises
    ------
    UserError
        When the file is no table, has no such column, one is named for two things, or its answers are neither classes nor amounts.

    Examples
    --------
    >>> table_from_file(Path("none.csv"), "y")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: no file none.csv.
    """
    frame = read_frame(path)
    target = _check_target(frame, target, str(path))
    columns = columns_beside(frame, target, {"groups": groups or "", "weights": weights or ""}, str(path))
    features = frame.drop(columns=[target, *(column.name for column in columns.values())])
    table = table_from_frame(features, frame[target], name=name or path.stem, source=path.name, task=task, **columns)
    return replace(table, origin="file")


def columns_beside(frame: pd.DataFrame, target: str, named: dict[str, str], where: str) -> dict[str, pd.Series]:
    """Find the columns that are neither features nor the answer.

    Parameters
    ----------
    frame : DataFrame
        What should have them.
    target : str
        Name of the answer column.
    named : dict of str to str
        What each is, ``"groups"`` or ``"weights"``, and its name; ``""`` for none.
    where : str
        What the frame is called in the message.

    Returns
    -------
    dict of str to Series
        Those that are named.

    Raises
    ------
    UserError
        When there is no such column, or one is named twice.

    Examples
    --------
    >>> columns_beside(pd.DataFrame({"y": [1]}), "y", {"groups": "y", "weights": ""}, "t.csv")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: column 'y' of t.csv cannot be both the answer and the groups: name another as groups.
    """
    taken = {target: "the answer"}
    for kind, column in named.items():
        if column in taken:
            raise UserError(f"column {column!r} of {where} cannot be both {taken[column]} and the {kind}: name another as {kind}.")
        if column:
            taken[check_column(frame, column, where)] = f"the {kind}"
    return {kind: frame[column] for kind, column in named.items() if column}


def table_from_frame(
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    name: str,
    source: str = "memory",
    groups: pd.Series | None = None,
    weights: pd.Series | None = None,
    task: str = "",
) -> Table:
    """Encode a data frame of features and a series of answers.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Raw columns with unique names.
    labels : Series of shape (n_rows,)
        Raw answers of any label type; its name is the target's.
    name, source : str
        What the report calls the table and where it says it comes from.
    groups, weights : Series of shape (n_rows,), optional
        Which group a row belongs to, and how much it counts.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the answers.

    Returns
    -------
    Table
        Encoded rows; rows without an answer are dropped with a note.

    Raises
    ------
    UserError
        When there are no rows, no usable column, or the answers are neither classes nor amounts.

    Examples
    --------
    >>> features = pd.DataFrame({"size": [1.5, 2, 8, 9], "colour": ["red", "red", "blue", None]})
    >>> table = table_from_frame(features, pd.Series(["a", "a", "b", "b"], name="kind"), name="toy")
    >>> table.classes, [column.kind for column in table.columns]
    (('a', 'b'), ['numeric', 'categorical'])
    """
    target = str(labels.name)
    if not len(features):
        raise UserError(f"table {name!r} has no rows.")
    answers = encode_labels(labels, target, task)
    features = features.loc[answers.known]
    columns, values, notes = _encode_columns(features)
    if not columns:
        raise UserError(f"table {name!r} has no usable feature column. " + " ".join(notes))
    return Table(
        name=name,
        source=source,
        licence="unknown",
        target=target,
        columns=tuple(columns),
        X=np.column_stack(values),
        y=answers.values,
        classes=answers.classes,
        notes=answers.notes + tuple(notes) + _say_beside(groups, weights),
        groups=None if groups is None else encode_groups(groups.loc[answers.known]),
        weights=None if weights is None else encode_weights(weights.loc[answers.known]),
        groups_name="groups" if groups is None else str(groups.name),
        weights_name="weights" if weights is None else str(weights.name),
    )


def _say_beside(groups: pd.Series | None, weights: pd.Series | None) -> tuple[str, ...]:
    by_group = f"Rows with the same {str(groups.name)!r} are never divided between training and test." if groups is not None else ""
    by_weight = f"Rows count by their {str(weights.name)!r}, in fits and in metrics." if weights is not None else ""
    return tuple(note for note in (by_group, by_weight) if note)


def bundled_table(name: str) -> Table:
    """Return a table that needs no file.

    Parameters
    ----------
    name : str
        A name that ``ensemblekit datasets`` lists.

    Returns
    -------
    Table
        Encoded rows.

    Examples
    --------
    >>> bundled_table("iris").facts().class_counts
    {'setosa': 50, 'versicolor': 50, 'virginica': 50}
    """
    bundled = load_bundled(name)
    features = pd.DataFrame(bundled.X, columns=list(bundled.columns))
    labels = pd.Series(bundled.y, name=bundled.target)
    table = table_from_frame(features, labels, name=name, source=bundled.source, task=bundled.task)
    return replace(table, licence=bundled.licence, origin="bundled")


def _check_target(frame: pd.DataFrame, target: str | None, where: str) -> str:
    names = [str(name) for name in frame.columns]
    listed = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    if target is None:
        raise UserError(f"which column of {where} is the answer? Name it with --target. Columns: {listed}.")
    return check_column(frame, target, where)


def check_column(frame: pd.DataFrame, column: str, where: str) -> str:
    """Return a column's name, or say which one was meant.

    Parameters
    ----------
    frame : DataFrame
        What should have it.
    column : str
        Its name.
    where : str
        What the frame is called in the message.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UserError
        When there is no such column.

    Examples
    --------
    >>> check_column(pd.DataFrame({"age": [1]}), "Age", "t.csv")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: t.csv has no column named 'Age'; did you mean 'age'? Columns: age.
    """
    names = [str(name) for name in frame.columns]
    if column not in names:
        listed = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
        near = nearest(column, names)
        hint = f"; did you mean {near!r}?" if near else "."
        raise UserError(f"{where} has no column named {column!r}{hint} Columns: {listed}.")
    return column


def _encode_columns(features: pd.DataFrame) -> tuple[list[Column], list[NDArray[np.float64]], list[str]]:
    columns, values, notes = [], [], []
    for name in features.columns:
        encoded = encode(features[name], str(name))
        match encoded:
            case LeftOut(reason):
                notes.append(f"Column {str(name)!r} was left out: {reason}.")
            case Encoded():
                columns.append(Column(str(name), encoded.kind, encoded.levels))
                values.append(encoded.values)
                if encoded.note:
                    notes.append(f"Column {str(name)!r}: {encoded.note}")
    return columns, values, notes
