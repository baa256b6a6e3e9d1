"""A table as a study names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ensemblekit.datasets import BUNDLED
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.studies.values import checked
from ensemblekit_reports.tables.table import Table, bundled_table, table_from_file


@dataclass(frozen=True)
class TableChoice:
    """A table that a study names: a file with its answer column, a table of OpenML, or a bundled one.

    Parameters
    ----------
    path : str
        A CSV or Parquet file, relative to the study file; ``""`` for others.
    target : str
        The answer column; ``""`` for a bundled table, and for the one that OpenML names.
    name : str
        Name of a bundled table, or what the report calls another one (a file's name without ending, or OpenML's, if ``""``).
    groups : str
        Column that says which rows belong together; ``""`` for none.
    weights : str
        Column that says how much a row counts; ``""`` for none.
    openml : int or str
        OpenML's number of the table, or its name; ``""`` for others.
    version : int
        Of a table that OpenML knows by name; 0 is the oldest active one.
    checksum : str
        SHA-256 of the parsed content, as reports show it; a table with another one is refused. ``""`` takes what there is.

    Examples
    --------
    >>> TableChoice(name="iris").name
    'iris'
    """

    path: str = ""
    target: str = ""
    name: str = ""
    groups: str = ""
    weights: str = ""
    openml: int | str = ""
    version: int = 0
    checksum: str = ""

    def read(self, folder: Path, task: str = "") -> Table:
        """Read the table.

        Parameters
        ----------
        folder : Path
            Where a relative path starts.
        task : str, default=""
            Of the study; ``""`` goes by the answers.

        Raises
        ------
        UserError
            When it is not there, makes no sense, or is another one than the checksum says.
        """
        checked(vars(self), TableChoice)
        table = self._content(folder, task)
        expected = self.checksum.removeprefix("sha256:").lower()
        if expected and expected != table.checksum:
            raise UserError(
                f"table {table.name!r} is not the one that the study means: its checksum is {table.checksum}, the study says {expected}."
            )
        return table

    def _content(self, folder: Path, task: str) -> Table:
        if self.path and self.openml != "":
            raise UserError(f"a table is a file or one of OpenML, not both: {self.path!r} and {self.openml!r}.")
        if self.openml != "":
            from ensemblekit_reports.tables.openml import openml_table  # noqa: PLC0415 - most studies need none

            columns = {"target": self.target, "groups": self.groups, "weights": self.weights}
            return openml_table(self.openml, version=self.version, name=self.name, task=task, **columns)
        if self.path:
            beside = {"groups": self.groups or None, "weights": self.weights or None}
            return table_from_file(folder / self.path, self.target or None, name=self.name or None, task=task, **beside)
        if not self.name:
            raise UserError("a table needs a path with its target, the name of a bundled table, or an OpenML number.")
        if self.name not in BUNDLED:
            raise unknown_name("bundled table", self.name, BUNDLED)
        table = bundled_table(self.name)
        if task and table.task != task:
            raise UserError(f"the bundled table {self.name!r} is one of {table.task}, not of {task}.")
        return table
