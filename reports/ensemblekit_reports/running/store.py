"""The folder of a run: one immutable file for every finished cell, and what the run was about."""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.atomic import PARTIAL, write_bytes
from ensemblekit_reports.errors import UserError

CELLS = ("cells/accuracy", "cells/predictions", "cells/insights", "cells/cost")
SCRATCH = ".scratch"


class Store:
    """Finished cells in a folder.

    Parameters
    ----------
    directory : Path
        The output folder; made if it is not there.

    Raises
    ------
    UserError
        When the folder cannot be made or written to.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     file = cell_file(store.directory, "accuracy", "iris, moe", "0123")
    ...     store.save(file, {"accuracy": float("nan")})
    ...     print(file.name, store.load(file))
    iris-moe-0123.json {'accuracy': None}
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        make_folder(directory)
        for kind in (*CELLS, "folds"):
            make_folder(directory / kind)
        self._remove_rubbish()

    @property
    def scratch(self) -> Path:
        """Folder for what a run needs while it lasts; made when first asked for."""
        folder = self.directory / SCRATCH
        folder.mkdir(exist_ok=True)
        return folder

    def clear_scratch(self) -> None:
        """Remove what was needed while a run lasted."""
        shutil.rmtree(self.directory / SCRATCH, ignore_errors=True)

    def _remove_rubbish(self) -> None:
        """Remove what a run leaves behind that is killed."""
        self.clear_scratch()
        for folder in (self.directory, *map(self.directory.joinpath, ("folds", "figures", *CELLS))):
            for partial in folder.glob(f"*{PARTIAL}"):
                partial.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove every stored cell (``--fresh``)."""
        for kind in CELLS:
            shutil.rmtree(self.directory / kind)
            (self.directory / kind).mkdir()

    def save_folds(self, table: str, assignment: NDArray[np.int16]) -> None:
        """Write the fold in which each row of a table is tested, of shape (n_repeats, n_rows), for whoever wants to check."""
        key = hashlib.sha256(assignment.tobytes()).hexdigest()
        content = io.BytesIO()
        np.save(content, assignment, allow_pickle=False)
        write_bytes(self.directory / "folds" / f"{_words(table)}-{key[:12]}.npy", content.getvalue())

    def save(self, file: Path, record: dict[str, Any]) -> None:
        """Write a finished cell; a number that is none becomes null."""
        write_bytes(file, to_json(record))

    def load(self, file: Path) -> dict[str, Any]:
        """Read a finished cell."""
        return read_json(file)


def cell_file(directory: Path, kind: str, label: str, key: str) -> Path:
    """Return where a cell is kept: readable words for people, the key for us.

    Parameters
    ----------
    directory : Path
        Output folder.
    kind : str
        ``"accuracy"`` or ``"cost"``.
    label, key : str
        What it is about, and what its content depends on.

    Returns
    -------
    Path

    Examples
    --------
    >>> cell_file(Path("out"), "cost", "my table, moe", "0123").as_posix()
    'out/cells/cost/my-table-moe-0123.json'
    """
    return directory / "cells" / kind / f"{_words(label)}-{key}.json"


def fold_files(directory: Path, table: str) -> list[Path]:
    """Return the files in which the folds of a table were kept, those of the last run last.

    Parameters
    ----------
    directory : Path
        Output folder; runs of other schemes may have left theirs there.
    table : str
        Name of the table.

    Examples
    --------
    >>> fold_files(Path("nowhere"), "iris")
    []
    """
    found = [file for file in (directory / "folds").glob("*.npy") if file.stem.rpartition("-")[0] == _words(table)]
    return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name))


def make_folder(directory: Path) -> None:
    """Make a folder if it is not there, and see that it can be written to.

    Parameters
    ----------
    directory : Path
        The folder; those above it are made too.

    Raises
    ------
    UserError
        When it cannot be made or written to.

    Examples
    --------
    >>> make_folder(Path(__file__))
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: the output folder ... cannot be written to: File exists.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Asking for permissions is not enough: root may do anything, a full disk allows nothing.
        write_bytes(directory / ".writable", b"")
        (directory / ".writable").unlink(missing_ok=True)  # another run may be asking the same
    except OSError as error:
        raise UserError(f"the output folder {directory} cannot be written to: {error.strerror}.") from None


def _words(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", label).strip("-.")[:60]


def to_json(record: dict[str, Any]) -> bytes:
    """Write plain data as strict JSON, NaN as null.

    Parameters
    ----------
    record : dict
        Numbers, text, lists and dicts.

    Returns
    -------
    bytes
        UTF-8, indented, with a last line feed.

    Examples
    --------
    >>> print(to_json({"a": float("nan")}).decode().strip())
    {
     "a": null
    }
    """
    return (json.dumps(_nan_to_none(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def read_json(file: Path) -> dict[str, Any]:
    """Read a file that ``to_json`` wrote.

    Parameters
    ----------
    file : Path
        One of ours.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        When somebody changed it so that it is no JSON object any more.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_bytes(to_json({"a": 1}))
    ...     read_json(file)
    {'a': 1}
    """
    try:
        record = json.loads(file.read_bytes())
    except (ValueError, OSError) as error:
        raise UserError(f"{file} is damaged ({error}); delete it and run again.") from None
    if not isinstance(record, dict):
        raise UserError(f"{file} is damaged (not a JSON object); delete it and run again.")
    return record


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_to_none(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nan_to_none(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
