"""A raw column of a new table read as the kind that the column had when a model was fitted: nothing is guessed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.columns import LARGEST, MISSING, NONE_AMONG_NUMBERS, NUMERIC_SHARE, as_text

Floats = NDArray[np.float64]

#: Stands for a category that the model has never met: no level has it, and the study's encoder takes it for a rare one.
UNKNOWN = -1.0
_TRUTH = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}
_WANTED = {"numeric": "numbers", "boolean": "true and false"}


@dataclass(frozen=True)
class KnownColumn:
    """A feature column as a model knows it.

    Parameters
    ----------
    name : str
        As in the table that the model was fitted on.
    kind : str
        ``"numeric"``, ``"categorical"`` or ``"boolean"``.
    levels : tuple of str
        Categories, by the position that stands for them; empty for other kinds.
    fill : float or None
        What stands for a missing cell where none was missing in fitting: the median. None for a model that has its own way.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    fill: float | None = None

    def read(self, raw: pd.Series) -> tuple[Floats, tuple[str, ...]]:
        """Turn raw cells into what the model was fitted on.

        Parameters
        ----------
        raw : Series of shape (n_rows,)
            Cells from a file or a data frame.

        Returns
        -------
        values : ndarray of shape (n_rows,), float64
            NaN where a cell is missing and the model can deal with that.
        notes : tuple of str
            What was changed, one sentence each.

        Raises
        ------
        UserError
            When more than a tenth of the filled cells are of another kind.

        Examples
        --------
        >>> colour = KnownColumn("colour", "categorical", ("blue", "red"))
        >>> colour.read(pd.Series(["red", "green", ""]))
        (array([ 1., -1., nan]), ("Column 'colour': 1 cell holds a category that the model never met ('green'); ...",))
        >>> KnownColumn("size", "numeric", fill=2.0).read(pd.Series(["1", ""]))[0]
        array([1., 2.])
        """
        if self.kind == "categorical":
            return self._read_categories(_texts(raw))
        values, notes = self._read_values(raw)
        missing = np.isnan(values)
        if self.fill is None or not missing.any():
            return values, notes
        note = f"Column {self.name!r}: {_cells(missing.sum())} missing, and none was in fitting; the median, {self.fill:g}, stands for it."
        return np.where(missing, self.fill, values), (*notes, note)

    def _read_categories(self, texts: pd.Series) -> tuple[Floats, tuple[str, ...]]:
        codes = {level: float(position) for position, level in enumerate(self.levels)}
        found = _where_known(texts, codes)
        strange = np.isnan(found) & (texts != "").to_numpy()
        if not strange.any():
            return found, ()
        note = (
            f"Column {self.name!r}: {strange.sum()} cell{'s hold' if strange.sum() > 1 else ' holds'} a category that the model never met "
            f"({_some(texts[strange])}); it counts as a rare one."
        )
        return np.where(strange, UNKNOWN, found), (note,)

    def _read_values(self, raw: pd.Series) -> tuple[Floats, tuple[str, ...]]:
        if pd.api.types.is_numeric_dtype(raw.dtype) and self.kind == "numeric" and raw.dtype.kind not in "bc":
            return _within_reach(raw.to_numpy(dtype=np.float64, na_value=np.nan)), ()
        texts = _texts(raw)
        texts = texts.mask(texts.isin(NONE_AMONG_NUMBERS), "")
        if self.kind == "boolean":
            values = _where_known(texts.str.casefold(), _TRUTH)
        else:
            values = _within_reach(pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64))
        filled = (texts != "").to_numpy()
        odd = filled & np.isnan(values)
        if odd.sum() > (1 - NUMERIC_SHARE) * filled.sum():
            raise UserError(
                f"column {self.name!r} held {_WANTED[self.kind]} when the model was fitted; here {odd.sum()} of {filled.sum()} cells "
                f"do not ({_some(texts[odd])}). Is it another column under the same name?"
            )
        if not odd.any():
            return values, ()
        return values, (f"Column {self.name!r}: {_cells(odd.sum())} not {_WANTED[self.kind]} ({_some(texts[odd])}) and read as missing.",)


def _texts(raw: pd.Series) -> pd.Series:
    texts = raw.astype(object).where(raw.notna(), "").map(as_text).astype(object)
    return texts.mask(texts.isin(MISSING), "")


def _where_known(texts: pd.Series, values: Mapping[str, float]) -> Floats:
    return np.array([values.get(text, np.nan) for text in texts], dtype=np.float64)


def _within_reach(values: Floats) -> Floats:
    near: Floats = np.where(np.abs(values) <= LARGEST, values, np.nan)
    return near


def _cells(count: int) -> str:
    return f"{count} cells are" if count > 1 else "1 cell is"


def _some(texts: pd.Series) -> str:
    different = texts.unique()
    return ", ".join(repr(text[:20]) for text in different[:3]) + (", ..." if len(different) > 3 else "")
