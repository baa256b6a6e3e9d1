"""Estimators that a study names by import path: ``"sklearn.svm:SVC"`` with its parameters."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ensemblekit_reports.errors import UserError, nearest, unknown_name


def estimator_from(path: str, params: Mapping[str, Any]) -> Any:
    """Make an estimator of a class that is named by its import path.

    Parameters
    ----------
    path : str
        ``"package.module:Class"``. Importing a module runs its code.
    params : mapping of str to object
        Parameters; a mapping with a key ``class`` stands for an estimator itself, also in a list.

    Returns
    -------
    estimator
        Not fitted.

    Raises
    ------
    UserError
        When the module, the class or a parameter is unknown (the nearest valid name is in the message), or is a seed.

    Examples
    --------
    >>> estimator_from("sklearn.svm:SVC", {"C": 10})
    SVC(C=10)
    >>> estimator_from("sklearn.ensemble:BaggingClassifier", {"estimator": {"class": "sklearn.naive_bayes:GaussianNB"}})
    BaggingClassifier(estimator=GaussianNB())
    >>> estimator_from("sklearn.svm:SVCC", {})
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: sklearn.svm has no class 'SVCC': did you mean 'SVC'? ...
    """
    kind = _class(path)
    valid = _parameters(kind)
    own = {name: value for name, value in params.items() if "__" not in name}
    for name in own:
        _refuse_seed(name, path)
        if valid is not None and name not in valid:
            raise unknown_name(f"parameter of {path}", name, valid)
    try:
        estimator = kind(**{name: part(value) for name, value in own.items()})
    except UserError:
        raise  # of a part, and clear by itself
    except Exception as error:  # noqa: BLE001 - a class may raise anything
        raise UserError(f"{path} cannot be made: {type(error).__name__}: {error}") from None
    return with_params(estimator, {name: value for name, value in params.items() if "__" in name}, path)


def with_params(estimator: Any, params: Mapping[str, Any], what: str) -> Any:
    """Set parameters of an estimator, also those of its parts (``estimator__max_depth``).

    Parameters
    ----------
    estimator : estimator
        Not fitted; changed in place.
    params : mapping of str to object
        Parameters; a mapping with a key ``class`` stands for an estimator itself.
    what : str
        What the estimator is called in the message.

    Returns
    -------
    estimator
        The same.

    Raises
    ------
    UserError
        When a parameter is unknown, or is a seed: seeds are set anew on each fold.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> with_params(Ridge(), {"alhpa": 2.0}, "ridge")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown parameter of ridge 'alhpa': did you mean 'alpha'? Valid: alpha, copy_X, ...
    """
    for name, value in params.items():
        valid = list(estimator.get_params(deep=True))
        _refuse_seed(name, what)
        if name not in valid:
            raise unknown_name(f"parameter of {what}", name, valid)
        estimator.set_params(**{name: part(value)})
    return estimator


def _refuse_seed(name: str, what: str) -> None:
    if name.rsplit("__", maxsplit=1)[-1] == "random_state":
        raise UserError(f"{name} of {what} is set anew on each fold, from the seed of the study: leave it out.")


def part(value: Any) -> Any:
    """Return a parameter's value; a mapping with a key ``class`` becomes an estimator, in lists too.

    A list within a list that holds an estimator becomes a tuple: scikit-learn's pairs of a name and an estimator.

    Parameters
    ----------
    value : object
        As read from a study file.

    Examples
    --------
    >>> part({"class": "sklearn.linear_model:Ridge", "params": {"alpha": 3}}), part({"a": 1})
    (Ridge(alpha=3), {'a': 1})
    >>> part([["ridge", {"class": "sklearn.linear_model:Ridge"}]])
    [('ridge', Ridge())]
    """
    if isinstance(value, list):
        return [tuple(part(each)) if isinstance(each, list) and any(map(_is_class, each)) else part(each) for each in value]
    if not _is_class(value):
        return value
    wrong = [key for key in value if key not in {"class", "params"}]
    if wrong:
        raise unknown_name("key beside class", wrong[0], ["class", "params"])
    return estimator_from(value["class"], value.get("params", {}))


def _is_class(value: Any) -> bool:
    return isinstance(value, Mapping) and "class" in value


def _class(path: str) -> Any:
    name, _, qualified = path.partition(":")
    module = _module(name, path)
    kind: Any = module
    for step in qualified.split("."):
        if not hasattr(kind, step):
            classes = [known for known, thing in inspect.getmembers(kind, inspect.isclass) if not known.startswith("_")]
            near = nearest(step, classes)
            hint = f" did you mean {near!r}?" if near else ""
            raise UserError(f"{name} has no class {step!r}:{hint} It has: {', '.join(classes[:30]) or 'none'}.")
        kind = getattr(kind, step)
    if not callable(getattr(kind, "fit", None)) or not inspect.isclass(kind):
        raise UserError(f"{path} is no estimator: it must be a class with the methods fit and predict.")
    return kind


def _module(name: str, path: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise UserError(f"{path}: the module {name} cannot be imported, because it needs {error.name}.") from None
        raise _unknown_module(name, error.name) from None
    except Exception as error:  # noqa: BLE001 - a module may raise anything
        raise UserError(f"{path}: the module {name} cannot be imported: {type(error).__name__}: {error}") from None


def _unknown_module(name: str, missing: str) -> UserError:
    above, _, last = missing.rpartition(".")
    known = _modules_in(above)
    near = nearest(last, known)
    hint = f"; did you mean {f'{above}.{near}'.strip('.')!r}?" if near else ""
    if not above and Path(f"{last}.py").exists():
        hint = f"; {last}.py in this folder is not on Python's path: say PYTHONPATH=. before the command"
    wanted = "" if missing == name else f" for {name!r}"
    return UserError(f"no module {missing!r}{wanted}{hint}" + ("" if hint else "."))


def _modules_in(package: str) -> Iterable[str]:
    if not package:
        return sorted({*(found.name for found in pkgutil.iter_modules() if not found.name.startswith("_")), *sys.stdlib_module_names})
    return [found.name for found in pkgutil.iter_modules(getattr(sys.modules.get(package), "__path__", []))]


def _parameters(kind: Any) -> list[str] | None:
    """Return the names of a class's parameters; None where it takes any."""
    parameters = inspect.signature(kind).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters]
