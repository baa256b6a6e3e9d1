"""A reader's own code inside an estimator: what it says, so that a changed body is another model, and a way into other processes.

Code is somebody's own when no package manager has installed it: then no version number tells that it changed, and no other
process is sure to find it.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
import sysconfig
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from joblib import wrap_non_picklable_objects
from joblib.externals.loky import cloudpickle_wrapper

#: Hashed whole with every cell (`keys.py`).
_OURS = ("ensemblekit", "ensemblekit_reports", "ensemblekit_gpu")
#: Their versions are part of every cell's key (`environment.py`).
_VERSIONED = ("sklearn", "numpy", "scipy", "xgboost", "lightgbm", "joblib", "pandas", "pyarrow")
#: Folders of package managers, wherever they are.
_INSTALLED = {"site-packages", "dist-packages"}
#: Values whose text says all.
_PLAIN = (int, float, complex, str, bytes, tuple, frozenset, type(None))
_lock = threading.Lock()


def is_own(module: str) -> bool:
    """Tell whether a module is a reader's own: neither installed nor ours.

    Parameters
    ----------
    module : str
        Its full name; ``"__main__"`` is a script or a notebook.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_own("sklearn.svm"), is_own("ensemblekit.mixture"), is_own("__main__")
    (False, False, True)
    """
    if module == "__main__":
        return True
    if module.partition(".")[0] in _OURS:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or _INSTALLED & set(Path(file).parts):
        return False
    return not any(Path(file).is_relative_to(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib"))


def fingerprint_of(estimator: Any) -> str:
    """Hash what an estimator's definition does not show: the bodies of its own classes and functions, and versions of foreign packages.

    Bodies are followed into the functions and classes of a reader's own that they name, with the numbers and texts that they read, and
    compared as compiled: a changed comment is no change.

    Parameters
    ----------
    estimator : estimator
        Not fitted; its parameters are looked through too.

    Returns
    -------
    str
        Hexadecimal; the same in every process.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> fingerprint_of(Ridge(1.0)) == fingerprint_of(Ridge(2.0))
    True
    """
    found: dict[str, bytes] = {}
    for part in _parts(estimator):
        _follow(part if isinstance(part, types.FunctionType) else type(part), found)
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name] + b"\0")
    return digest.hexdigest()


def _parts(estimator: Any) -> list[Any]:
    parameters = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return [estimator, *parameters]


def _follow(thing: Any, found: dict[str, bytes]) -> None:
    """Collect the code of a class or function, and of what it names, by qualified name."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or name is None or f"{module}.{name}" in found:
        return
    if not is_own(module):
        package = module.partition(".")[0]
        if package not in sys.stdlib_module_names and package not in (*_OURS, *_VERSIONED):
            found[package] = _version(package).encode()
        return
    found[f"{module}.{name}"] = b""
    if isinstance(thing, type):
        found[f"{module}.{name}"] = _body_of_class(thing, found)
    elif isinstance(thing, types.FunctionType):
        found[f"{module}.{name}"] = _body(thing, found)


def _body_of_class(kind: type, found: dict[str, bytes]) -> bytes:
    for base in kind.__mro__[1:]:
        _follow(base, found)
    parts = []
    for name, member in sorted(vars(kind).items()):
        plain = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", None) or member))
        if isinstance(plain, types.FunctionType):
            parts.append(name.encode() + _body(plain, found))
        elif isinstance(plain, _PLAIN) and name not in {"__module__", "__doc__"}:
            parts.append(f"{name}={plain!r}".encode())
    return b"\n".join(parts)


def _body(function: types.FunctionType, found: dict[str, bytes]) -> bytes:
    used = [*_used(function), *(_content(cell) for cell in function.__closure__ or ())]
    for thing in used:
        if isinstance(thing, (type, types.FunctionType)):
            _follow(thing, found)
    state = function.__defaults__, function.__kwdefaults__, [thing for thing in used if isinstance(thing, _PLAIN)]
    return _compiled(function.__code__) + repr(state).encode()


def _used(function: types.FunctionType) -> list[Any]:
    """Return what a function's names stand for, also those that it takes out of a module of the reader's own."""
    names = list(_names(function.__code__))
    named = [function.__globals__[name] for name in names if name in function.__globals__]
    modules = [thing for thing in named if isinstance(thing, types.ModuleType) and is_own(thing.__name__)]
    return named + [vars(module)[name] for module in modules for name in names if name in vars(module)]


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # still empty
        return None


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _compiled(code: types.CodeType) -> bytes:
    constants = [_compiled(c) if isinstance(c, types.CodeType) else repr(c).encode() for c in _constants(code)]
    return code.co_code + repr((code.co_names, code.co_varnames, code.co_freevars)).encode() + b"\0".join(constants)


def _constants(code: types.CodeType) -> tuple[Any, ...]:
    documented = bool(code.co_consts) and isinstance(code.co_consts[0], str)
    return code.co_consts[1:] if documented else code.co_consts


@cache
def _version(package: str) -> str:
    names = metadata.packages_distributions().get(package, [package])
    try:
        return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(names)))
    except metadata.PackageNotFoundError:
        return package


def by_value(factory: Callable[[int], Any]) -> bytes:
    """Pickle a factory so that a process can make the estimator that cannot import its class.

    Parameters
    ----------
    factory : callable
        Of a model that is not registered; own classes travel with it.

    Returns
    -------
    bytes

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> pickle.loads(by_value(lambda seed: Ridge(2.0, random_state=seed)))(7)
    Ridge(alpha=2.0, random_state=7)
    """
    with _lock, _own_modules_by_value():
        return pickle.dumps(wrap_non_picklable_objects(factory, keep_wrapper=False))


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Let classes of a reader's own modules travel whole: the process at the far end may not have the folder they are in."""
    pickler = sys.modules[cloudpickle_wrapper.dumps.__module__]
    own = [module for name, module in list(sys.modules.items()) if name != "__main__" and is_own(name) and module.__name__ == name]
    registered = [module for module in own if module.__name__ not in pickler.list_registry_pickle_by_value()]
    for module in registered:
        pickler.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in registered:
            pickler.unregister_pickle_by_value(module)
