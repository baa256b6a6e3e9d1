"""What the values of a study may be, whether they come from a file, from flags or from Python."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from ensemblekit_reports.errors import UserError, nearest


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Parameters
    ----------
    words : str
        What the message says is valid.
    fits : callable
        Whether a value is of it.
    plain : callable, optional
        From such a value to Python's own: what NumPy has of it is neither written as JSON nor in a line of Python.
    """

    words: str
    fits: Callable[[Any], bool]
    plain: Callable[[Any], Any] = lambda value: value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    """In Python true is a number; in a study it is not, and neither is one without end."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number or a fraction larger than any float
        return False


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def fits_all(value: Any) -> bool:
        listed = value.ndim == 1 if isinstance(value, np.ndarray) else isinstance(value, (list, tuple, set, frozenset))
        return listed and all(map(fits, value))

    return fits_all


def _float_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(map(str, values))


#: Annotation of a dataclass's field -> what its values may be.
KINDS: dict[str, Kind] = {
    "str": Kind("text in quotes", _is_text, str),
    "int": Kind("a whole number", _is_whole, int),
    "int | str": Kind("a whole number or text in quotes", lambda value: _is_whole(value) or _is_text(value)),
    "float": Kind("a number", _is_number, float),
    "float | None": Kind("a number", lambda value: value is None or _is_number(value), _float_or_none),
    "bool": Kind("true or false", lambda value: isinstance(value, (bool, np.bool_)), bool),
    "tuple[str, ...]": Kind("a list of names", _is_list_of(_is_text), _texts),
    "tuple[float, ...]": Kind("a list of numbers", _is_list_of(_is_number), lambda values: tuple(map(float, values))),
    "Mapping[str, Any]": Kind("a table of parameters", lambda value: isinstance(value, Mapping) and all(map(_is_text, value))),
}
#: Field -> what the message says of it instead, where its kind alone does not say enough.
_WORDS = {
    "task": '"classification" or "regression"',
    "metric": 'the name of a metric in quotes, such as "accuracy"',
    "engine": '"local", "dask" or "ray"',
    "folds": 'text such as "3x5", for three repeats of five folds',
    "time_limit_s": "a number of seconds",
    "memory_limit_mb": "a number of megabytes",
    "price_per_hour": "a number, 0 for no prices",
    "energy": 'a country as three capital letters in quotes, such as "FRA"',
    "silence": 'a list of codes of checks, such as ["quick-scheme"]',
    "learning_curve": "a list of numbers, above 0 and up to 1, such as [0.1, 0.5]",
    "class": 'text such as "sklearn.svm:SVC"',
}


def value_of(name: str, value: Any, kind: Kind, where: str = "") -> Any:
    """Return a value as Python's own, or say what it should be.

    Parameters
    ----------
    name : str
        What it is called.
    value : object
        As it was given.
    kind : Kind
        What it should be.
    where : str, default=""
        Where it was given, such as a study file.

    Returns
    -------
    object

    Raises
    ------
    UserError
        When it is of another kind.

    Examples
    --------
    >>> value_of("seed", np.int64(3), KINDS["int"]), value_of("rope", None, KINDS["float | None"])
    (3, None)
    >>> value_of("time_limit_s", float("nan"), KINDS["float"])
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: time_limit_s must be a number of seconds; got nan.
    """
    if not kind.fits(value):
        raise UserError(f"{where}{': ' if where else ''}{name} must be {_WORDS.get(name, kind.words)}; got {reprlib.repr(value)}.")
    return kind.plain(value)


def checked(
    content: Mapping[str, Any], record: type[Any], where: str = "", *, kinds: Mapping[str, Kind] = KINDS, leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check the values of a dataclass's fields by their annotations.

    Parameters
    ----------
    content : mapping of str to object
        Names and values as they were given. ``class`` stands for the field ``class_``: it is a word of Python's own.
    record : type
        The dataclass.
    where : str, default=""
        Where they were given, such as a study file.
    kinds : mapping of str to Kind, default=KINDS
        By annotation; others may be anything.
    leave_out : tuple of str
        Fields that nobody may give.

    Returns
    -------
    dict
        Arguments of the dataclass.

    Raises
    ------
    UserError
        When a name is unknown, a value of the wrong kind, or one that must be given is not.

    Examples
    --------
    >>> from ensemblekit_reports.studies.tuning import Tuning
    >>> checked({"trials": 30}, Tuning)
    {'trials': 30}
    >>> checked({"trials": 30, "time_limit": 60}, Tuning, "study.toml")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: study.toml: unknown key 'time_limit': did you mean 'time_limit_s'? Valid: trials, ...
    """
    valid = {field.name.rstrip("_"): field for field in fields(record) if field.name not in leave_out}
    values = {}
    for key, value in content.items():
        if key not in valid:
            near = nearest(str(key), valid)
            hint = f" did you mean {near!r}?" if near else ""
            raise UserError(f"{where}{': ' if where else ''}unknown key {key!r}:{hint} Valid: {', '.join(valid)}.")
        kind = kinds.get(str(valid[key].type))
        values[valid[key].name] = value_of(key, value, kind, where) if kind else value
    needed = [field.name for field in fields(record) if field.default is MISSING and field.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise UserError(f"{where}{': ' if where else ''}{', '.join(missing)} must be given.")
    return values
