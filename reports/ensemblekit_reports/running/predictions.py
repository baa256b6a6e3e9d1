"""What a model said about the test rows of a fold, kept so that another metric needs no other fit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError

FOLDER = "predictions"


class Predictions(NamedTuple):
    """Answers about the rows of a test fold.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,), int32
        Positions in the table.
    y : ndarray of shape (n_rows,), int64 or float64
        True class codes, or true amounts.
    predicted : ndarray of shape (n_rows,), int64 or float64
        Predicted class codes or amounts.
    probabilities : ndarray of shape (n_rows, n_classes), float64, or None
        One column for each class of the table; None for amounts, and for a model that gives none.
    weights : ndarray of shape (n_rows,), float64, or None
        How much each row counts; alike when None.
    """

    rows: NDArray[np.int32]
    y: NDArray[Any]
    predicted: NDArray[Any]
    probabilities: NDArray[np.float64] | None
    weights: NDArray[np.float64] | None = None

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``, by the type of the answers."""
        return "regression" if np.issubdtype(self.y.dtype, np.floating) else "classification"


def contradictions(predictions: Predictions) -> int:
    """Count the rows whose predicted class is not the most probable one, as it need not be where a model has a threshold of its own.

    Parameters
    ----------
    predictions : Predictions
        Of one fold.

    Returns
    -------
    int
        Zero for amounts, and for a model that gives no probabilities.

    Examples
    --------
    >>> contradictions(Predictions(np.arange(2), np.array([1, 0]), np.array([1, 1]), np.array([[0.5, 0.5], [0.75, 0.25]])))
    1
    """
    if predictions.probabilities is None:
        return 0
    given = predictions.probabilities[np.arange(len(predictions.y)), predictions.predicted]
    return int((given < predictions.probabilities.max(axis=1)).sum())


def predictions_file(cell: Path) -> Path:
    """Return where the predictions of a cell are kept.

    Parameters
    ----------
    cell : Path
        File of its metrics.

    Returns
    -------
    Path

    Examples
    --------
    >>> predictions_file(Path("out/cells/accuracy/iris-moe-r0-f0-01.json")).as_posix()
    'out/cells/predictions/iris-moe-r0-f0-01.parquet'
    """
    return cell.parent.with_name(FOLDER) / f"{cell.stem}.parquet"


def to_parquet(predictions: Predictions) -> bytes:
    """Write predictions as Parquet: ``row``, ``true``, ``predicted``, ``weight`` if any, and ``p0``, ``p1``, ... for the classes.

    Parameters
    ----------
    predictions : Predictions
        Of one fold.

    Returns
    -------
    bytes
        With every bit of the probabilities.

    Examples
    --------
    >>> one = Predictions(np.array([7]), np.array([1]), np.array([0]), np.array([[0.75, 0.25]]))
    >>> pq.read_table(pa.BufferReader(to_parquet(one))).to_pydict()
    {'row': [7], 'true': [1], 'predicted': [0], 'p0': [0.75], 'p1': [0.25]}
    """
    kind = pa.float64() if predictions.task == "regression" else pa.int32()
    columns = {
        "row": pa.array(predictions.rows, pa.int32()),
        "true": pa.array(predictions.y, kind),
        "predicted": pa.array(predictions.predicted, kind),
    }
    if predictions.weights is not None:
        columns["weight"] = pa.array(predictions.weights)
    if predictions.probabilities is not None:
        columns |= {f"p{code}": pa.array(column) for code, column in enumerate(predictions.probabilities.T)}
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, compression="zstd")
    return content.getvalue()


def read_predictions(file: Path) -> Predictions:
    """Read what ``to_parquet`` wrote.

    Parameters
    ----------
    file : Path
        Of one cell.

    Returns
    -------
    Predictions

    Raises
    ------
    UserError
        When the file is not there, or somebody changed it.

    Examples
    --------
    >>> read_predictions(Path("nowhere.parquet"))
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: the predictions nowhere.parquet cannot be read: ...
    """
    try:
        with pq.ParquetFile(file) as stored:
            table = stored.read(use_threads=False)  # files are small and many
        columns = {name: table[name].to_numpy() for name in table.column_names}
        rows, y, predicted = columns.pop("row"), _answers(columns.pop("true")), _answers(columns.pop("predicted"))
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
        raise UserError(f"the predictions {file} cannot be read: {str(error).splitlines()[0]}") from None
    weights = columns.pop("weight", None)
    return Predictions(rows, y, predicted, np.column_stack(list(columns.values())) if columns else None, weights)


def _answers(column: NDArray[Any]) -> NDArray[Any]:
    return column.astype(np.int64) if np.issubdtype(column.dtype, np.integer) else column
