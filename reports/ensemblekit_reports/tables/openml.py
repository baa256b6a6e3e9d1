"""Tables of OpenML, fetched by scikit-learn and kept in its cache."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sklearn.datasets import fetch_openml, get_data_home

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.table import Table, check_column, columns_beside, table_from_frame

#: Seconds without an answer after which the network counts as closed.
PATIENCE_S = 30.0


def openml_table(
    which: int | str, *, version: int = 0, target: str = "", name: str = "", groups: str = "", weights: str = "", task: str = ""
) -> Table:
    """Read a table of OpenML, from the cache if it is there.

    The cache is scikit-learn's data folder: ``~/scikit_learn_data``, or where the environment variable ``SCIKIT_LEARN_DATA`` says.

    Parameters
    ----------
    which : int or str
        OpenML's number of the table, or its name.
    version : int, default=0
        Of a named table; 0 is the oldest active one.
    target : str, default=""
        The answer column; ``""`` for the one that OpenML names.
    name : str, default=""
        Name in the report; ``""`` for OpenML's.
    groups, weights : str, default=""
        Columns that say which group a row belongs to, and how much it counts.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the answers.

    Returns
    -------
    Table
        Its source holds number, name and version.

    Raises
    ------
    UserError
        When the table is neither in the cache nor can be fetched, there is no such table, or it has no such column.

    Examples
    --------
    >>> openml_table("credit-g", version=1).source  # doctest: +SKIP
    'OpenML 31 (credit-g, version 1)'
    """
    bunch, said = _fetch(which, version)
    details, frame = bunch.details, bunch.frame
    where = f"OpenML {details['id']} ({details['name']}, version {details['version']})"
    default = getattr(bunch.target, "name", None)
    if not target and default is None:
        raise UserError(
            f"{where} names no answer column, or several; name one as target. Columns: {', '.join(map(str, frame.columns[:30]))}."
        )
    answer = check_column(frame, target or str(default), where)
    beside = columns_beside(frame, answer, {"groups": groups, "weights": weights}, where)
    features = frame.drop(columns=[answer, *(series.name for series in beside.values())])
    table = table_from_frame(features, frame[answer], name=name or details["name"], source=where, task=task, **beside)
    return replace(table, licence=str(details.get("licence") or "unknown"), notes=table.notes + said, origin="openml")


def _fetch(which: int | str, version: int) -> tuple[Any, tuple[str, ...]]:
    by: dict[str, Any] = {"data_id": which} if isinstance(which, int) else {"name": which, "version": version or "active"}
    if isinstance(which, int) and version:
        raise UserError(f"OpenML's number {which} stands for one version already: leave version out.")
    try:
        with _impatient(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            # The pandas parser is faster, and stumbles over classes that are numbers (scikit-learn 1.9 with pandas 3).
            bunch = fetch_openml(**by, as_frame=True, parser="liac-arff", n_retries=1)
    except OSError as error:  # no network, no name server, a time-out, an answer like 404
        raise UserError(
            f"the OpenML table {which} is not in the cache ({get_data_home()}), and cannot be fetched from openml.org: "
            f"{getattr(error, 'reason', error)}. Fetch it where there is a network, or name the folder that has it in SCIKIT_LEARN_DATA."
        ) from None
    except ValueError as error:  # OpenML's own complaints are among them
        raise UserError(f"the OpenML table {which}: {str(error).splitlines()[0]}") from None
    return bunch, tuple(str(warning.message).split("\n")[0] for warning in caught if issubclass(warning.category, UserWarning))


@contextmanager
def _impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
