"""A fitted model in a file, with all it takes to read a new table: a skops file, since a pickle could run code.

Beside what skops writes, the file (a ZIP archive) holds ``ensemblekit.json``: columns, levels, classes, where the model comes from. To
skops it is an ordinary file of one pipeline, and ``unzip -p model.skops ensemblekit.json`` shows what is in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ensemblekit._extras import require
from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.loaded_trees import check_trees
from ensemblekit_reports.outputs.table_encoding import TableEncoding, encoding_from
from ensemblekit_reports.outputs.trusted_types import TRUSTED

#: Change when the layout of ``ensemblekit.json`` changes.
FORMAT = 1
ABOUT = "ensemblekit.json"
#: A sum over the same numbers in another order of memory differs by so much at most.
ROUNDING = 1e-9


@dataclass(frozen=True)
class StoredModel:
    """A fitted model and what it needs to read a new table.

    Parameters
    ----------
    pipeline : Pipeline
        Preprocessing and model, fitted on encoded rows; a classifier on class codes.
    encoding : TableEncoding
        From raw columns to those rows.
    classes : tuple of str
        Labels by class code; empty for a regression.
    name : str
        Of the model in its study.
    facts : dict
        Where it comes from: definition, table, checksum, seed, versions.
    notes : tuple of str
        What a reader should know after loading it, such as other versions of libraries.
    """

    pipeline: Any
    encoding: TableEncoding
    classes: tuple[str, ...]
    name: str
    facts: dict[str, Any]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Predict the rows of a new table.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Raw columns, named as in the table that the model was fitted on.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels as text, or numbers of a regression.
        """
        return self.answer(self.encoding.encode(frame)[0])

    def predict_proba(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give the probability of each class for the rows of a new table, a column for each label."""
        return self.probabilities(self.encoding.encode(frame)[0])

    def answer(self, X: NDArray[np.float64]) -> NDArray[Any]:
        """Predict encoded rows."""
        if not self.classes:
            return np.asarray(self.pipeline.predict(X), dtype=np.float64)
        labels = np.array(self.classes, dtype=object)
        if self.gives_probabilities:  # as in the study, where the most probable class is what a model predicts
            return np.asarray(labels[self.probabilities(X).to_numpy().argmax(axis=1)])
        return np.asarray(labels[np.asarray(self.pipeline.predict(X), dtype=np.int64)])

    def probabilities(self, X: NDArray[np.float64]) -> pd.DataFrame:
        """Give the probability of each class for encoded rows.

        Raises
        ------
        UserError
            When the model has none: a regression, or votes that are counted.
        """
        if not self.gives_probabilities:
            raise UserError(f"{self.name} gives no probabilities; leave them out.")
        return pd.DataFrame(self.pipeline.predict_proba(X), columns=list(self.classes))

    @property
    def gives_probabilities(self) -> bool:
        """Whether there is a probability for each class."""
        return bool(self.classes) and hasattr(self.pipeline, "predict_proba")


def save_model(stored: StoredModel, path: Path, rows: NDArray[np.float64]) -> None:
    """Write a model, having seen that what comes back predicts the same.

    Parameters
    ----------
    stored : StoredModel
        What to keep.
    path : Path
        Replaced where it is there; written whole or not at all.
    rows : ndarray of shape (n_rows, n_features), float64
        Encoded rows on which the model that was read back is compared with the one that was fitted.

    Raises
    ------
    UserError
        When the model cannot be stored in this format.
    ImportError
        Without the extra ``card``.
    """
    skops = require("skops.io", extra="card", purpose="Storing a model")
    try:
        content = _with_about(skops.dumps(stored.pipeline, compression=zipfile.ZIP_DEFLATED), stored)
        back = skops.loads(content, trusted=skops.get_untrusted_types(data=content))  # what this process has made a moment ago
    except Exception as error:  # whatever a stranger's estimator does when it is taken apart
        raise UserError(
            f"{stored.name} cannot be stored: skops, which writes no pickle, does not take it ({_first_line(error)})."
        ) from error
    if not _alike(stored.pipeline, back, rows):
        raise UserError(f"{stored.name} cannot be stored: read back by skops, it predicts something else.")
    write_bytes(path, content)


def _with_about(content: bytes, stored: StoredModel) -> bytes:
    about = {
        "format": FORMAT,
        "name": stored.name,
        "encoding": stored.encoding.plain(),
        "classes": stored.classes,
        "facts": stored.facts,
    }
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, json.dumps(about, indent=1))
    return buffer.getvalue()


def _alike(fitted: Any, back: Any, rows: NDArray[np.float64]) -> bool:
    ask = "predict_proba" if hasattr(fitted, "predict_proba") else "predict"
    return np.allclose(getattr(fitted, ask)(rows), getattr(back, ask)(rows), rtol=ROUNDING, atol=ROUNDING, equal_nan=True)


def load_model(path: Path | str, *, trust: Sequence[str] = ()) -> StoredModel:
    """Read a model that ``ensemblekit compare --save-model`` wrote.

    Only types listed in ``trusted_types.py`` are built, and those that you name. scikit-learn's trees are checked before they are
    used. Boosters of XGBoost and LightGBM are read by these libraries, which do not promise to withstand a hostile file.

    Parameters
    ----------
    path : path
        A skops file of this project.
    trust : sequence of str
        Full names of further types that it may hold, for an estimator of your own.

    Returns
    -------
    StoredModel

    Raises
    ------
    UserError
        When it is no such file, is damaged, or holds a type that is not trusted.
    ImportError
        Without the extra ``card``.

    Examples
    --------
    >>> load_model("nowhere.skops")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: no file nowhere.skops.
    """
    skops = require("skops.io", extra="card", purpose="Reading a stored model")
    content = _read(Path(path))
    about = _read_about(content, Path(path))
    _refuse_strangers(skops, content, Path(path), trust)
    try:
        pipeline = skops.loads(content, trusted=[*TRUSTED, *trust])
        check_trees(pipeline)
    except Exception as error:  # libraries raise anything for content that is not theirs
        say = _say_versions(about["facts"])
        raise UserError(f"{path} cannot be read: {_first_line(error)}. {say or 'It may be damaged.'}") from error
    return StoredModel(
        pipeline,
        encoding_from(about["encoding"]),
        tuple(map(str, about["classes"])),
        str(about["name"]),
        about["facts"],
        tuple(filter(None, [_say_versions(about["facts"])])),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"no file {path}.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None


def _read_about(content: bytes, path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            about: dict[str, Any] = json.loads(archive.read(ABOUT))
        about_format = about["format"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise UserError(f"{path} is no stored model of ensemblekit; ensemblekit compare --save-model writes one.") from None
    if about_format != FORMAT:
        raise UserError(f"{path} was written by another version of ensemblekit; store the model again.")
    return about


def _refuse_strangers(skops: Any, content: bytes, path: Path, trust: Sequence[str]) -> None:
    try:
        strange = sorted(set(skops.get_untrusted_types(data=content)) - set(TRUSTED) - set(trust))
    except Exception as error:  # a schema that is none
        raise UserError(f"{path} is damaged: {_first_line(error)}.") from error
    if strange:
        options = " ".join(f"--trust {name}" for name in strange)
        raise UserError(
            f"{path} holds types that are not loaded unasked, because a file could misuse them: {', '.join(strange)}. "
            f"If you know where the file comes from, name them: {options}"
        )


def _say_versions(facts: dict[str, Any]) -> str:
    from ensemblekit_reports.environment import versions  # noqa: PLC0415 - asks every package for its version

    here, then = versions(), facts.get("versions", {})
    other = [f"{name} {then[name]} (here {here[name]})" for name in then if name in here and here[name] != then[name]]
    return f"The model was fitted with {', '.join(other)}." if other else ""


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")[:300]
