"""Every measured number as CSV, safe to open in a spreadsheet, and as Parquet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: A spreadsheet takes a text that begins so for a formula, and runs it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cells_to_csv(cells: pd.DataFrame) -> str:
    """Return the cells as CSV.

    Parameters
    ----------
    cells : DataFrame
        As in `Results`.

    Returns
    -------
    str
        Numbers with all their digits, missing ones empty; a text that a spreadsheet would take for a formula gets an
        apostrophe before it.

    Examples
    --------
    >>> import pandas as pd
    >>> print(cells_to_csv(pd.DataFrame({"dataset": ["=cmd()"], "accuracy": [-0.1]})))
    dataset,accuracy
    '=cmd(),-0.1
    <BLANKLINE>
    """
    text_columns = [column for column, dtype in cells.dtypes.items() if dtype.kind not in "biufc"]
    inert = cells.assign(**{str(column): cells[column].map(_inert) for column in text_columns})
    return str(inert.rename(columns=_inert).to_csv(index=False, lineterminator="\n"))


def cells_to_parquet(cells: pd.DataFrame) -> bytes:
    """Return the cells as Parquet: the content of the CSV, each column with its type, texts as they are.

    Parameters
    ----------
    cells : DataFrame
        As in `Results`.

    Returns
    -------
    bytes
        The same for the same cells. No apostrophes: a typed text is never a formula.

    Examples
    --------
    >>> import pandas as pd
    >>> pd.read_parquet(io.BytesIO(cells_to_parquet(pd.DataFrame({"dataset": ["=cmd()"], "accuracy": [-0.1]})))).to_dict("list")
    {'dataset': ['=cmd()'], 'accuracy': [-0.1]}
    """
    buffer = io.BytesIO()
    cells.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS) else value
