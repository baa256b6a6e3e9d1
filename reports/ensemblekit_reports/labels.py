"""From raw answers to classes, or the sentence that says why they are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit_reports.columns import MISSING, as_text
from ensemblekit_reports.errors import UserError

#: More different numbers than this, and the answer is taken for an amount.
MOST_NUMERIC_CLASSES = 20


@dataclass(frozen=True)
class Labels:
    """Answers as classes.

    Parameters
    ----------
    known : ndarray of shape (n_raw_rows,), bool
        Rows that have an answer.
    codes : ndarray of shape (n_rows,), int64
        Positions in ``classes``, for the known rows only.
    classes : tuple of str
        Labels as text: numbers by size, words by alphabet.
    notes : tuple of str
        What was dropped.
    """

    known: NDArray[np.bool_]
    codes: NDArray[np.int64]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def encode_labels(raw: pd.Series, target: str) -> Labels:
    """Turn raw answers of any type into class codes.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Answers: text, numbers, booleans or categories.
    target : str
        Name of the column, for messages.

    Returns
    -------
    Labels
        Codes and class names.

    Raises
    ------
    UserError
        When no row has an answer, the answers are amounts or all alike, or a class has a single row.

    Examples
    --------
    >>> encode_labels(pd.Series(["10", "9", "10", "9", ""]), "grade").classes
    ('9', '10')
    """
    texts = raw.where(raw.notna(), "").map(as_text)
    known = ~texts.isin(MISSING).to_numpy()
    texts = texts[known]
    if texts.empty:
        raise UserError(f"the target column {target!r} is empty: every answer is missing.")
    found = list(texts.unique())
    numbers = pd.to_numeric(pd.Series(found), errors="coerce").to_numpy(dtype=np.float64)
    numeric = bool(np.isfinite(numbers).all())
    if numeric:
        _refuse_amounts(pd.to_numeric(texts).to_numpy(dtype=np.float64), target)
    classes = [text for _, text in sorted(zip(numbers, found, strict=True))] if numeric else sorted(found)
    codes = texts.map({label: code for code, label in enumerate(classes)}).to_numpy(dtype=np.int64)
    _check_counts(np.bincount(codes), classes, target)
    return Labels(known, codes, tuple(classes), _say_dropped(known, target))


def _refuse_amounts(answers: NDArray[np.float64], target: str) -> None:
    different = np.unique(answers)
    fractions = bool((different != np.round(different)).any())
    if len(different) > MOST_NUMERIC_CLASSES or (fractions and len(different) > len(answers) / 2):
        raise UserError(
            f"the target column {target!r} is continuous: it holds {len(different)} different numbers, and classes are "
            f"compared here. Cut it into classes first (for example below and above {np.median(answers):g}), or, if "
            "the numbers are names of classes, write them as text such as 'class 7'."
        )


def _check_counts(counts: NDArray[np.int64], classes: list[str], target: str) -> None:
    if len(classes) == 1:
        raise UserError(f"the target column {target!r} holds one class only ({classes[0]!r}): nothing to tell apart.")
    single = [label for label, count in zip(classes, counts, strict=True) if count == 1]
    if single:
        listed = ", ".join(repr(label) for label in single[:5]) + (", ..." if len(single) > 5 else "")
        raise UserError(
            f"{len(single)} of the {len(classes)} classes of {target!r} have a single row ({listed}), which cannot be "
            "both learned from and tested on. Merge rare classes, leave those rows out, or choose another target."
        )


def _say_dropped(known: NDArray[np.bool_], target: str) -> tuple[str, ...]:
    dropped = int((~known).sum())
    return (f"{dropped} rows without an answer in {target!r} were dropped.",) if dropped else ()
