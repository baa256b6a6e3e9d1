"""A study out of a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.model_choice import ModelChoice
from ensemblekit_reports.studies.study import Study, study_of
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.studies.values import checked

#: The study that runs when none is named.
DEFAULT_STUDY = Path(__file__).with_name("default.toml")


def study_from_toml(file: Path) -> Study:
    """Read a study file.

    Parameters
    ----------
    file : Path
        TOML: the fields of ``Study`` as keys, for each table a ``[[tables]]`` section with those of ``TableChoice``, and either a list of
        names as ``models`` or for each model a ``[[models]]`` section with those of ``ModelChoice``.

    Returns
    -------
    Study

    Raises
    ------
    UserError
        When the file is missing, is no TOML, has an unknown key or a value of the wrong kind.

    Examples
    --------
    >>> [table.name for table in study_from_toml(DEFAULT_STUDY).tables]
    ['iris', 'wine', 'breast_cancer', 'election', 'travel', 'regimes']
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no study file {file}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"the study file {file} cannot be read: {error}") from None
    sections = content.get("tables", [])
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        raise UserError(f"{file}: write one [[tables]] section, with two brackets, for each table.")
    tables = tuple(TableChoice(**checked(section, TableChoice, f"{file}, [[tables]]")) for section in sections)
    models = content.get("models")
    if isinstance(models, list):
        content["models"] = [_read_choice(section, str(file)) for section in models]
    if isinstance(content.get("tune"), dict):
        content["tune"] = Tuning(**checked(content["tune"], Tuning, f"{file}, tune", leave_out=("metric",)))
    return study_of(content | {"tables": tables}, str(file))


def _read_choice(section: Any, where: str) -> Any:
    return ModelChoice(**checked(section, ModelChoice, f"{where}, [[models]]")) if isinstance(section, dict) else section
