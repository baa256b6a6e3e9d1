"""A stored model and a new table become a file of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.render.cells import cells_to_csv, cells_to_parquet
from ensemblekit_reports.tables.reading import read_frame

if TYPE_CHECKING:
    from pathlib import Path

    from ensemblekit_reports.outputs.stored_model import StoredModel

#: What file names may end in.
ENDINGS = (".csv", ".parquet")


def predict_file(stored: StoredModel, table: Path, out: Path, *, with_probabilities: bool = False) -> tuple[str, ...]:
    """Predict every row of a table.

    Parameters
    ----------
    stored : StoredModel
        What predicts.
    table : Path
        CSV or Parquet, with the columns that the model knows.
    out : Path
        One line for each row of the table, in its order: ``prediction``, and ``probability of ...`` for each class if asked for.
        A name that ends in ``.parquet`` gives Parquet, another CSV, in which no cell is a spreadsheet's formula.
    with_probabilities : bool, default=False
        Write a column for each class.

    Returns
    -------
    tuple of str
        What was changed or left out, one sentence each.

    Raises
    ------
    UserError
        When the table is none, or not one for this model.
    """
    if out.suffix.lower() not in ENDINGS:
        raise UserError(f"--out {out}: the name must end in {' or '.join(ENDINGS)}.")
    X, notes = stored.encoding.encode(read_frame(table))
    predicted = pd.DataFrame({"prediction": stored.answer(X)})
    if with_probabilities:
        predicted = predicted.join(stored.probabilities(X).add_prefix("probability of "))
    text = out.suffix.lower() == ".csv"
    write_bytes(out, cells_to_csv(predicted).encode("utf-8", "backslashreplace") if text else cells_to_parquet(predicted))
    return notes
