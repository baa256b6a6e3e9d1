"""What one raw column means: numbers, categories, booleans, or something to leave out and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Cells that mean "not known" in a feature column. "None" is missing among numbers but may be a category among words.
MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"})
NONE_AMONG_NUMBERS = frozenset({"None", "none", "-"})
#: Models compute in single precision; what it cannot hold is no number to them.
LARGEST = float(np.finfo(np.float32).max)
#: A text column is numeric when at least this share of its filled cells are numbers; the others count as missing.
NUMERIC_SHARE = 0.9
#: More different texts than this share of the filled rows: names, free text or identifiers, nothing to learn from.
FREE_TEXT_SHARE = 0.5
#: Below this many different texts a column is never called free text.
FEW_LEVELS = 20
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}:\d{2}(?::\d{2})?"
    r"|\d{1,2}\.? (?:[A-Z][a-z]{2,8})\.?,? \d{4}|(?:[A-Z][a-z]{2,8})\.? \d{1,2},? \d{4})(?:[T ].*)?"
)
_IDENTIFIER = re.compile(r"(?:^|[\W_])(?:id|ids|uuid|index|rownames?|row)(?:$|[\W_])|[a-z]I[Dd]$|^unnamed: 0$|^column 1$")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Encoded:
    """A column as numbers.

    Parameters
    ----------
    kind : str
        ``"numeric"``, ``"categorical"`` or ``"boolean"``.
    values : ndarray of shape (n_rows,), float64
        Numbers; for categories the position in ``levels``; for booleans 0 and 1. NaN is missing.
    levels : tuple of str
        Names of the categories, sorted; empty for other kinds.
    note : str
        What was changed on reading, or ``""``.
    """

    kind: str
    values: Floats
    levels: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A column that no model sees.

    Parameters
    ----------
    reason : str
        Why, as the end of the sentence "column 'x' was left out: ...".
    """

    reason: str


def encode(raw: pd.Series, name: str) -> Encoded | LeftOut:
    """Decide what a raw column means and turn it into numbers.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Cells as read from a file or taken from a data frame.
    name : str
        The column's name; identifiers are known by name and by content together.

    Returns
    -------
    Encoded or LeftOut
        Numbers, or the reason why the column is of no use.

    Examples
    --------
    >>> encode(pd.Series(["red", "blue", "red", ""]), "colour").levels
    ('blue', 'red')
    >>> encode(pd.Series(["2020-01-31", "2020-02-01"]), "day")
    LeftOut(reason='it holds dates or times, which are not supported yet')
    """
    encoded = _encode_by_type(raw)
    if isinstance(encoded, LeftOut):
        return encoded
    known = encoded.values[~np.isnan(encoded.values)]
    if not len(known):
        return LeftOut("every cell is missing")
    if len(known) == len(encoded.values) and (known == known[0]).all():
        return LeftOut("every cell holds the same value")
    if encoded.kind == "numeric" and _is_row_number(encoded.values, name):
        return LeftOut("it numbers the rows")
    return encoded


def _encode_by_type(raw: pd.Series) -> Encoded | LeftOut:
    if pd.api.types.is_bool_dtype(raw.dtype):
        return Encoded("boolean", _as_floats(raw))
    if isinstance(raw.dtype, pd.CategoricalDtype):
        return _categories(raw.astype(object).where(raw.notna(), "").map(as_text))
    if pd.api.types.is_complex_dtype(raw.dtype):
        return LeftOut("it holds complex numbers")
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return _numbers(_as_floats(raw))
    if raw.dtype.kind in "mM" or isinstance(raw.dtype, (pd.PeriodDtype, pd.IntervalDtype, pd.DatetimeTZDtype)):
        return LeftOut("it holds dates or times, which are not supported yet")
    return _encode_texts(raw)


def _as_floats(raw: pd.Series) -> Floats:
    return raw.to_numpy(dtype=np.float64, na_value=np.nan)


def as_text(cell: object) -> str:
    """Return a cell as text, so that 3 and 3.0 are one category.

    Parameters
    ----------
    cell : object
        Any value that is not missing.

    Returns
    -------
    str
        Its text without surrounding blanks. An integer column turns into floats as soon as one cell is missing, hence
        whole numbers have no decimals.

    Examples
    --------
    >>> as_text(3.0), as_text(" red ")
    ('3', 'red')
    """
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def one_spelling(texts: pd.Series) -> pd.Series:
    """Spell every number in one way, so that 7, 7.0 and 07 are one thing.

    Parameters
    ----------
    texts : Series of shape (n_rows,)
        Cells as text.

    Returns
    -------
    Series of shape (n_rows,)
        Of the spellings of a number, the shortest that occurs; words as they are.

    Examples
    --------
    >>> one_spelling(pd.Series(["7.0", "7", "seven"])).tolist()
    ['7', '7', 'seven']
    """
    spellings: dict[Decimal | str, str] = {}
    found = sorted(texts.unique(), key=lambda text: (len(text), text))
    return texts.map({text: spellings.setdefault(_value(text), text) for text in found})


def _value(text: str) -> Decimal | str:
    # exact: long identifiers differ where floats do not
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _numbers(values: Floats, note: str = "") -> Encoded:
    beyond = ~np.isnan(values) & ~(np.abs(values) <= LARGEST)
    if beyond.any():
        values = np.where(beyond, np.nan, values)
        note = f"{note} {beyond.sum()} infinite or huge cells were read as missing.".strip()
    return Encoded("numeric", values, note=note)


def _encode_texts(raw: pd.Series) -> Encoded | LeftOut:
    filled = raw[raw.notna()]
    if filled.map(lambda cell: isinstance(cell, (list, dict, set, tuple, np.ndarray, bytes))).any():
        return LeftOut("its cells hold lists, records or binary data")
    if len(filled) and filled.map(lambda cell: hasattr(cell, "isoformat")).all():
        return LeftOut("it holds dates or times, which are not supported yet")
    texts = raw.where(raw.notna(), "").map(as_text)
    texts = texts.mask(texts.isin(MISSING), "")
    known = texts[texts != ""]
    if known.str.casefold().isin({"true", "false"}).all() and len(known):
        return Encoded("boolean", _where_known(texts, texts.str.casefold() == "true"))
    numbers = pd.to_numeric(texts.mask(texts.isin(NONE_AMONG_NUMBERS), ""), errors="coerce").to_numpy(dtype=np.float64)
    if np.isfinite(numbers).sum() >= max(1, NUMERIC_SHARE * (~known.isin(NONE_AMONG_NUMBERS)).sum()):
        return _numbers(numbers, _say_not_numbers(texts, numbers))
    if known.str.fullmatch(_DATE).mean() > NUMERIC_SHARE:
        return LeftOut("it holds dates or times, which are not supported yet")
    return _categories(texts)


def _where_known(texts: pd.Series, values: pd.Series) -> Floats:
    return np.where(texts == "", np.nan, values.to_numpy(dtype=np.float64))


def _say_not_numbers(texts: pd.Series, numbers: Floats) -> str:
    odd = texts[np.isnan(numbers) & ~texts.isin(NONE_AMONG_NUMBERS | {""}).to_numpy()]
    if odd.empty:
        return ""
    examples = ", ".join(repr(text[:20]) for text in odd.unique()[:3])
    return f"{len(odd)} cells that are not numbers ({examples}) were read as missing."


def _categories(texts: pd.Series) -> Encoded | LeftOut:
    known = texts[texts != ""]
    levels = sorted(known.unique())
    if len(levels) > max(FEW_LEVELS, FREE_TEXT_SHARE * len(known)):
        return LeftOut(f"it holds {len(levels)} different texts in {len(known)} rows: free text or identifiers")
    positions = {level: float(position) for position, level in enumerate(levels)}
    return Encoded("categorical", texts.map(positions).to_numpy(dtype=np.float64), tuple(levels))


def _is_row_number(values: Floats, name: str) -> bool:
    if np.isnan(values).any() or len(np.unique(values)) < len(values):
        return False
    steps = np.diff(values)
    counted = bool((steps == 1).all())
    whole = bool((values == np.round(values)).all())
    return len(values) > FEW_LEVELS and (counted or (whole and _IDENTIFIER.search(name.lower()) is not None))
