"""Every measured number as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

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


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS) else value
