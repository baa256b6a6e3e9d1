"""The worker's end of a cluster: fit the models of one fold here, watched as everywhere, and give back the files."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ensemblekit_reports.environment import versions
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.fitters import Fitters
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.passing_folder import passing_folder
from ensemblekit_reports.running.store import Store
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.keys import content_key
from ensemblekit_reports.studies.portable import Portable, from_portable
from ensemblekit_reports.tables.table import Table

#: Name below the output folder -> content. Workers share no disk with the run: what they wrote travels back.
Files = dict[str, bytes]


class Order(NamedTuple):
    """What to fit, without the table, which travels by itself.

    Attributes
    ----------
    repeat, number, seed : int
        The fold and its seed.
    tested : ndarray of shape (n_rows,), bool
        Its test rows.
    share : float
        Part of the training rows to learn from.
    models : list of (Portable, str)
        Each with the name of its cell's file.
    budget : Budget
        Of each model.
    software : str
        Hash of the code and the libraries that the run has.
    versions : dict of str to str
        Of these libraries.
    """

    repeat: int
    number: int
    seed: int
    tested: NDArray[Any]
    share: float
    models: list[tuple[Portable, str]]
    budget: Budget
    software: str
    versions: dict[str, str]


def fit_order(table: Table, order: Order) -> Files:
    """Fit models on a fold in a process that is watched, and return the files of their cells.

    Parameters
    ----------
    table : Table
        As the run has it.
    order : Order
        What to fit.

    Returns
    -------
    dict of str to bytes
        Every file below ``cells``: records, predictions, insights.

    Raises
    ------
    UserError
        When this worker has other versions than the run: its results would be others.
    """
    _check_software(order)
    with passing_folder() as folder, Fitters(1, order.budget, Store(folder).scratch) as fitters:
        fitters.share([table])
        fold = Fold(table, order.repeat, order.number, order.tested, order.seed, order.share)
        fitters.fit(fold, [(from_portable(model), folder / "cells" / "accuracy" / file) for model, file in order.models])
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in (folder / "cells").glob("*/*")}


def _check_software(order: Order) -> None:
    if content_key() == order.software:
        return
    here, there = versions(), order.versions
    others = [f"{name} {here.get(name, 'none')} instead of {there.get(name, 'none')}" for name in sorted({*here, *there})]
    others = [each for each, name in zip(others, sorted({*here, *there}), strict=True) if here.get(name) != there.get(name)]
    found = ", ".join(others) or "other code of ensemblekit"
    raise UserError(f"the worker on {socket.gethostname()} has {found}: results would be others. Install the same there as here.")
