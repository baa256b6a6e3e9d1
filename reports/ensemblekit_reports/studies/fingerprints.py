"""What an estimator is by content: its parameters' values and the bodies of a reader's own code, however they are reached.

A cell that is made twice costs time, a stale one is wrong: where it is not clear whether something counts, it does.
"""

from __future__ import annotations

import dis
import hashlib
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import metadata, util
from typing import Any

import numpy as np

from ensemblekit_reports.studies.own_code import OURS, is_own, is_own_file

#: Their versions are part of every cell's key (`environment.py`).
_VERSIONED = ("sklearn", "numpy", "scipy", "xgboost", "lightgbm", "joblib", "pandas", "pyarrow")
#: Values whose text says all.
_PLAIN = (int, float, complex, str, bytes, type(None), type(...), type(NotImplemented))
#: What Python notes of a class beside what was written: places, hints, and names in no fixed order.
_NOTED = {"__module__", "__doc__", "__dict__", "__weakref__", "__slotnames__", "_abc_impl", "__static_attributes__", "__firstlineno__"} | {
    "__annotations__",
    "__annotate_func__",
    "__annotations_cache__",
}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def fingerprint_of(estimator: Any) -> str:
    """Hash what an estimator's definition does not show: whole values of parameters, own classes and functions, foreign packages' versions.

    Code is followed into the functions, classes, modules and values of a reader's own that it names, and compared as compiled: a changed
    comment is no change.

    Parameters
    ----------
    estimator : estimator
        Not fitted, its seeds set: they count too.

    Returns
    -------
    str
        Hexadecimal; the same in every process.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> fingerprint_of(Ridge(1.0)) == fingerprint_of(Ridge(1.0)), fingerprint_of(Ridge(1.0)) == fingerprint_of(Ridge(2.0))
    (True, False)
    """
    walk = _Walk()
    whole = [walk.digest(estimator)]
    whole += [_hash(*walk.parts(definition)) for definition in walk.met]  # which grows meanwhile
    return _hash(*whole).hex()


def without_addresses(text: str) -> str:
    """Leave out of a text where things are in memory.

    Parameters
    ----------
    text : str
        As ``repr`` gives it.

    Examples
    --------
    >>> without_addresses("<function f at 0x7f01>")
    '<function f>'
    """
    return _ADDRESS.sub("", text)


class _Walk:
    """A walk over values, each of which is hashed once.

    Functions, classes and modules stand in what names them by the number in which they were met: one after the other is looked into, so
    that no chain of calls is too long.
    """

    def __init__(self) -> None:
        self.met: list[Any] = []
        self._done: dict[int, bytes] = {}
        self._kept: list[Any] = []  # an address is a name only while its value lives

    def digest(self, value: Any) -> bytes:
        if isinstance(value, _PLAIN) and type(value).__module__ == "builtins":
            return _hash(type(value).__name__.encode(), repr(value).encode())
        if id(value) not in self._done:
            self._kept.append(value)
            if isinstance(value, (type, types.FunctionType, types.ModuleType)):
                self._done[id(value)] = b"definition %d" % len(self.met)
                self.met.append(value)
            else:
                self._done[id(value)] = b"on the way to itself"
                self._done[id(value)] = _hash(type(value).__qualname__.encode(), *self.parts(value))
        return self._done[id(value)]

    def _all(self, values: Iterable[Any]) -> list[bytes]:
        return [self.digest(value) for value in values]

    def parts(self, value: Any) -> list[bytes]:  # noqa: C901, PLR0911 - a table: one line for each kind of value
        match value:
            case list() | tuple() if type(value) in {list, tuple}:
                return self._all(value)
            case set() | frozenset() if type(value) in {set, frozenset}:
                return sorted(self._all(sorted(value, key=lambda each: without_addresses(repr(each)))))
            case types.MappingProxyType() | dict() if type(value) in {dict, types.MappingProxyType}:
                return self._all(item for pair in value.items() for item in pair)
            case np.ndarray() if type(value) is np.ndarray and not value.dtype.hasobject:
                return [repr((value.dtype, value.shape)).encode(), np.ascontiguousarray(value).tobytes()]
            case types.ModuleType():
                return self._module(value)
            case type():
                return self._class(value)
            case types.FunctionType():
                return self._function(value)
            case types.CodeType():
                return self._code(value)
            case types.MethodType():
                return self._all([value.__func__, value.__self__])
            case property():
                return self._all([value.fget, value.fset, value.fdel])
            case staticmethod() | classmethod():
                return self._all([value.__func__])
        return self._instance(value)

    def _module(self, module: types.ModuleType) -> list[bytes]:
        if not is_own(module.__name__):
            return _foreign(module.__name__, "")
        return self._all(part for name, value in sorted(vars(module).items()) if not name.startswith("__") for part in (name, value))

    def _class(self, kind: type) -> list[bytes]:
        if not is_own(kind.__module__):
            return _foreign(kind.__module__, kind.__qualname__)
        members = [part for name, value in sorted(vars(kind).items()) if name not in _NOTED for part in (name, value)]
        return [kind.__qualname__.encode(), *self._all(kind.__mro__[1:]), *self._all(members)]

    def _function(self, function: types.FunctionType) -> list[bytes]:
        closure = self._all(_content(cell) for cell in function.__closure__ or ())
        module = str(function.__globals__.get("__name__"))
        if not is_own(module):  # what it was given may be somebody's own even so: the function that it decorates
            return [*_foreign(module, function.__qualname__), *closure]
        names = dict.fromkeys(_names(function.__code__))
        named = [function.__globals__[name] for name in names if name in function.__globals__]
        state = [function.__defaults__, function.__kwdefaults__, vars(function), named, list(_imported(function))]
        return [*self._code(function.__code__, function.__doc__), *closure, *self._all(state)]

    def _code(self, code: types.CodeType, documentation: str | None = None) -> list[bytes]:
        documented = documentation is not None and code.co_consts[:1] == (documentation,)
        names = (code.co_names, code.co_varnames, code.co_freevars)
        return [code.co_code, code.co_exceptiontable, repr(names).encode(), *self._all(code.co_consts[documented:])]

    def _instance(self, value: Any) -> list[bytes]:
        """Hash what pickle would write, or what is wrapped, as by a cache; what cannot be written is known by its kind and its text."""
        if (wrapped := inspect.getattr_static(value, "__wrapped__", None)) is not None:
            return self._all([type(value), wrapped])
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - a lock, a generator, a handle
            return [self.digest(type(value)), without_addresses(repr(value)).encode()]
        if isinstance(reduced, str):
            return self._all([type(value), reduced])
        return self._all([type(value), *(list(part) if isinstance(part, Iterator) else part for part in reduced)])


def _hash(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def _foreign(module: str, name: str) -> list[bytes]:
    """Know what somebody installed by its name and the version of its package."""
    package = module.partition(".")[0]
    known = package in sys.stdlib_module_names or package in (*OURS, *_VERSIONED)
    return [f"{module}.{name}".encode(), b"" if known else _version(package).encode()]


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # still empty
        return None


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _names(code: types.CodeType) -> Iterator[str]:
    for inner in _codes(code):
        yield from inner.co_names


def _imported(function: types.FunctionType) -> Iterator[Any]:
    """Give the own modules that a function imports when it is called, and the names of others."""
    package = function.__globals__.get("__package__") or ""
    for code in _codes(function.__code__):
        steps = list(dis.get_instructions(code))
        for level, wanted, step in zip(steps, steps[1:], steps[2:], strict=False):
            if step.opname == "IMPORT_NAME":
                below = [f".{name}" for name in wanted.argval or ()]
                for name in ("", *below):
                    with suppress(Exception):  # most names that are taken out of a module are no modules
                        yield _module_named("." * level.argval + (step.argval + name).removeprefix("." * bool(level.argval)), package)


def _module_named(name: str, package: str) -> Any:
    full = util.resolve_name(name, package)
    top = full.partition(".")[0]
    if full not in sys.modules:
        found = util.find_spec(top)
        folders = [found.origin, *(found.submodule_search_locations or ())] if found else []
        if not any(is_own_file(folder) for folder in folders if folder):
            return _foreign(top, "")
    return importlib.import_module(full)


@cache
def _version(package: str) -> str:
    names = metadata.packages_distributions().get(package, [package])
    try:
        return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(names)))
    except metadata.PackageNotFoundError:
        return package
