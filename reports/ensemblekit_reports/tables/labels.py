"""From raw answers to classes or amounts, or the sentence that says why they are neither.

The rule, where the study does not say: words, booleans and categories are classes. Numbers are amounts when more than 20 of them
differ, or when they have decimals and more than half of the rows differ; otherwise classes. Where a reader may well mean
the other, a note names what was taken and how to say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.columns import MISSING, as_text, one_spelling

#: More different numbers than this are amounts.
MOST_NUMERIC_CLASSES = 20
#: Up to so many different whole numbers nobody would call amounts.
SURELY_CLASSES = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Labels:
    """Answers as classes or as amounts.

    Parameters
    ----------
    known : ndarray of shape (n_raw_rows,), bool
        Rows that have an answer.
    values : ndarray of shape (n_rows,), int64 or float64
        For the known rows only: positions in ``classes``, or amounts.
    classes : tuple of str
        Labels as text: numbers by size, words by alphabet. Empty for amounts.
    notes : tuple of str
        What was dropped, and what was taken for what.
    """

    known: NDArray[np.bool_]
    values: NDArray[Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def encode_labels(raw: pd.Series, target: str, task: str = "") -> Labels:
    """Turn raw answers of any type into class codes or amounts.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Answers: text, numbers, booleans or categories.
    target : str
        Name of the column, for messages.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the content.

    Returns
    -------
    Labels

    Raises
    ------
    UserError
        When no row has an answer, some are infinite, the answers are all alike, a class has a single row, or amounts are asked for and some
        answers are no numbers.

    Examples
    --------
    >>> encode_labels(pd.Series(["10", "9", "10", "9", ""]), "grade").classes
    ('9', '10')
    >>> encode_labels(pd.Series(np.arange(30) / 7), "price").values.dtype
    dtype('float64')
    """
    texts = raw.astype(object).where(raw.notna(), "").map(as_text)
    known = ~texts.isin(MISSING).to_numpy()
    texts = texts[known]
    if texts.empty:
        raise UserError(f"the target column {target!r} is empty: every answer is missing.")
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    numeric = bool(np.isfinite(numbers).all())
    endless = int(np.isinf(numbers).sum())
    if endless and not np.isnan(numbers).any():
        raise UserError(f"{endless} of the {len(numbers)} answers in {target!r} are infinite: leave these rows out, or correct them.")
    named = isinstance(raw.dtype, (pd.CategoricalDtype, pd.BooleanDtype)) or raw.dtype == np.bool_
    found = task or ("regression" if numeric and not named and _are_amounts(numbers) else "classification")
    notes = _say_dropped(known, target)
    if found == "regression":
        _check_amounts(texts, numbers, target)
        return Labels(known, numbers, (), notes + (() if task else _say_amounts(numbers, target)))
    texts = one_spelling(texts) if numeric else texts
    classes = _classes(texts, numbers if numeric else None)
    codes = texts.map({label: code for code, label in enumerate(classes)}).to_numpy(dtype=np.int64)
    _check_counts(np.bincount(codes), classes, target)
    return Labels(known, codes, classes, notes + (_say_classes(numbers, target) if numeric and not task and not named else ()))


def _classes(texts: pd.Series, numbers: Floats | None) -> tuple[str, ...]:
    if numbers is None:
        return tuple(sorted(texts.unique()))
    return tuple(text for _, text in sorted(set(zip(numbers, texts, strict=True))))


def _are_amounts(numbers: Floats) -> bool:
    different = len(np.unique(numbers))
    return different > MOST_NUMERIC_CLASSES or (_has_decimals(numbers) and different > len(numbers) / 2)


def _has_decimals(numbers: Floats) -> bool:
    return bool((numbers != np.round(numbers)).any())


def _say_amounts(numbers: Floats, target: str) -> tuple[str, ...]:
    if _has_decimals(numbers):
        return ()
    found = f"The answers in {target!r} are {len(np.unique(numbers))} different whole numbers and were taken for amounts"
    return (f"{found}; if they are names of classes, say that the task is classification (--task).",)


def _say_classes(numbers: Floats, target: str) -> tuple[str, ...]:
    different, decimals = len(np.unique(numbers)), _has_decimals(numbers)
    if different <= SURELY_CLASSES and not decimals:
        return ()
    found = f"The answers in {target!r} are {different} different {'' if decimals else 'whole '}numbers and were taken for classes"
    return (f"{found}; if they are amounts, say that the task is regression (--task).",)


def _check_amounts(texts: pd.Series, numbers: Floats, target: str) -> None:
    odd = texts[~np.isfinite(numbers)]
    if len(odd):
        examples = ", ".join(repr(text[:20]) for text in odd.unique()[:3])
        raise UserError(f"amounts are to be predicted, and {len(odd)} answers in {target!r} are no numbers: {examples}.")
    if (numbers == numbers[0]).all():
        raise UserError(f"the target column {target!r} holds one number only ({texts.iloc[0]}): nothing to predict.")


def _check_counts(counts: NDArray[np.int64], classes: tuple[str, ...], target: str) -> None:
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
