"""Packed models on disk: one npz file of plain arrays, never pickle, checked when read."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from ensemblekit.packed.checking import check
from ensemblekit.trees.flat import freeze

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

FORMAT = 2
INNER = "gate_model."  # before the names of the arrays of a gate that is a model


def save(model: PackedModel, path: str | PathLike[str]) -> None:
    """Write beside, then rename, so that no half-written file is ever read.

    Parameters
    ----------
    model : PackedModel
        The model.
    path : path-like
        File to write.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(stump, Path(folder, "stump.npz"))
    ...     [file.name for file in Path(folder).iterdir()]
    ['stump.npz']
    """
    header, arrays = taken_apart(model)
    write({"format": FORMAT, **header}, arrays, path)


def write(header: dict[str, Any], arrays: dict[str, Any], path: str | PathLike[str]) -> None:
    """Write a header and arrays to one compressed file.

    Parameters
    ----------
    header : dict
        Plain values.
    arrays : dict of str to ndarray
        None of them called "header".
    path : path-like
        File to write.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write({"format": 1}, {"a": np.zeros(2)}, Path(folder, "a.npz"))
    ...     read(Path(folder, "a.npz"))
    ({'format': 1}, {'a': array([0., 0.])})
    """
    target = Path(path)
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **arrays, header=np.array(json.dumps(header)))
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def read(path: str | PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what `write` wrote; nothing in the file is run.

    Parameters
    ----------
    path : path-like
        File to read.

    Returns
    -------
    header : dict
        Plain values.
    arrays : dict of str to ndarray
        Not checked.

    Raises
    ------
    ValueError, KeyError, EOFError, BadZipFile
        When the file is no such file.

    Examples
    --------
    >>> read("pyproject.toml")
    Traceback (most recent call last):
    ValueError: ...
    """
    with np.load(path, allow_pickle=False) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    return json.loads(str(arrays.pop("header"))), arrays


def load(kind: type[PackedModel], path: str | PathLike[str]) -> PackedModel:
    """Read and check.

    Parameters
    ----------
    kind : type
        `PackedModel`.
    path : path-like
        File to read.

    Returns
    -------
    PackedModel
        The model.

    Raises
    ------
    ValueError
        When the file is not a packed model, or one that was damaged.

    Examples
    --------
    >>> from ensemblekit.packed import PackedModel
    >>> load(PackedModel, "pyproject.toml")
    Traceback (most recent call last):
    ValueError: pyproject.toml holds no packed model: ...
    """
    try:
        header, arrays = read(path)
        _check_format(header.pop("format", None))
        model = rebuilt(kind, header, arrays)
        check(model)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, BadZipFile) as error:
        raise ValueError(f"{os.fspath(path)} holds no packed model: {error}") from error
    return model


def taken_apart(model: PackedModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part a model into plain values and arrays.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    header : dict
        Plain values by name.
    arrays : dict of str to ndarray
        Arrays by name; those of a gate that is a model behind a prefix.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> header, arrays = taken_apart(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
    >>> header["kind"], arrays["classes"]
    ('DecisionTreeClassifier', array([0, 1]))
    """
    values = {field.name: getattr(model, field.name) for field in fields(model)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    header = {name: value for name, value in values.items() if name not in arrays}
    if model.gate_model is not None:
        header["gate_model"], inner = taken_apart(model.gate_model)
        arrays |= {INNER + name: value for name, value in inner.items()}
    return header, arrays


def rebuilt(kind: type[PackedModel], header: dict[str, Any], arrays: dict[str, Any]) -> PackedModel:
    """Put a model that was taken apart together again.

    Parameters
    ----------
    kind : type
        `PackedModel`.
    header : dict
        Plain values; emptied of the gate.
    arrays : dict of str to ndarray
        From `taken_apart`.

    Returns
    -------
    PackedModel
        Not checked.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import PackedModel, pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> rebuilt(PackedModel, *taken_apart(stump)).kind
    'DecisionTreeClassifier'
    """
    inner = {name.removeprefix(INNER): value for name, value in arrays.items() if name.startswith(INNER)}
    own = {name: value for name, value in arrays.items() if not name.startswith(INNER)}
    gate = header.pop("gate_model")
    gate_model = None if gate is None else rebuilt(kind, gate, inner)
    model = kind(**header | {"preprocessing": tuple(header["preprocessing"]), "gate_model": gate_model}, **own)
    freeze(vars(model))
    return model


def _check_format(found: Any) -> None:
    if found != FORMAT:
        raise ValueError(f"its format is not {FORMAT}; pack the model again with this version")
