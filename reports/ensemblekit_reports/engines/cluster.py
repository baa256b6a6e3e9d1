"""The coordinator's end of a cluster: folds go out, files come back, and this process alone writes them.

Not by joblib's backends: its Dask backend never tells of a task whose worker is gone for good, and its Ray backend loses all
tasks with one worker. Both schedulers themselves give a task to another worker when one dies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Protocol, Self

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.engines.order import Files, Order
from ensemblekit_reports.environment import versions
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.keys import content_key
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import Cell
from ensemblekit_reports.studies.portable import to_portable
from ensemblekit_reports.tables.table import Table

#: A fold is given out so many times when nothing comes back.
TRIES = 3
#: So many folds for each worker are out at a time: one that it fits and one that waits there.
AHEAD = 2


class LostError(Exception):
    """Nothing will come back: the worker, or the table that it was to use, is gone."""


class Cluster(Protocol):
    """Workers of one kind. Tables and tickets are whatever it likes; a ticket can be a key of a dict."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Call back what is out, and let the workers go."""

    def slots(self) -> int:
        """Return how many folds can be fitted at a time now; at least one."""

    def place(self, table: Table) -> Any:
        """Put a table where each worker that wants it gets it once."""

    def submit(self, placed: Any, order: Order) -> Any:
        """Have a fold of a placed table fitted; return a ticket."""

    def wait(self, tickets: Collection[Any]) -> Any:
        """Return the ticket of one that is done."""

    def answer(self, ticket: Any) -> Files:
        """Return what came back, raise what was raised there, or `LostError`."""


@dataclass(eq=False)
class _Placed:
    """A table on the cluster, for as long as folds of it are to be fitted."""

    table: Table
    folds_left: int = 0
    handle: Any = field(default=None, repr=False)


def fit_elsewhere(cluster: Cluster, plan: Plan, groups: list[list[Cell]]) -> Iterator[list[Cell]]:
    """Have the models of folds fitted by a cluster, and write their cells here.

    Parameters
    ----------
    cluster : Cluster
        Connected.
    plan : Plan
        To which they belong.
    groups : list of list of Cell
        Each the cells of one fold. All folds of a table should follow each other: it stays on the cluster that long.

    Yields
    ------
    list of Cell
        A group whose cells are now there.

    Raises
    ------
    UserError
        When a fold was lost time and again, or a worker cannot do what is asked.
    """
    placed = _placed(groups)
    waiting = iter(groups)
    out: dict[Any, tuple[list[Cell], int]] = {}
    while True:
        for group in _up_to(AHEAD * cluster.slots() - len(out), waiting):
            out[_submit(cluster, plan, group, placed)] = group, 1
        if not out:
            return
        ticket = cluster.wait(out.keys())
        group, tries = out.pop(ticket)
        try:
            files = cluster.answer(ticket)
        except LostError as error:
            if tries == TRIES:
                raise UserError(f"{_say(group)} was lost {TRIES} times with its worker ({error}). Finished cells are kept.") from None
            placed[group[0].table.name].handle = None
            out[_submit(cluster, plan, group, placed)] = group, tries + 1
            continue
        _write(files, group)
        _release(placed[group[0].table.name])
        yield group


def _placed(groups: list[list[Cell]]) -> dict[str, _Placed]:
    tables = {group[0].table.name: _Placed(group[0].table) for group in groups}
    for group in groups:
        tables[group[0].table.name].folds_left += 1
    return tables


def _release(placed: _Placed) -> None:
    placed.folds_left -= 1
    if not placed.folds_left:
        placed.handle = None


def _up_to(count: int, groups: Iterator[list[Cell]]) -> list[list[Cell]]:
    return [group for _, group in zip(range(count), groups, strict=False)]


def _submit(cluster: Cluster, plan: Plan, group: list[Cell], placed: dict[str, _Placed]) -> Any:
    first = group[0]
    place = placed[first.table.name]
    if place.handle is None:
        place.handle = cluster.place(place.table)
    fold = plan.fold(first.table, first.repeat, first.fold, first.share)
    models = [(to_portable(cell.model), cell.accuracy.name) for cell in group]
    order = Order(fold.repeat, fold.number, fold.seed, fold.tested, fold.share, models, plan.budget, content_key(), versions())
    return cluster.submit(place.handle, order)


def _write(files: Files, group: list[Cell]) -> None:
    """Write what came back, records last: where one is, the cell is finished."""
    cells = group[0].accuracy.parent.parent
    expected = {cell.accuracy.stem for cell in group}
    for name in sorted(files, key=lambda name: PurePosixPath(name).parent.name == "accuracy"):
        kind, file = PurePosixPath(name).parts[-2:]
        if Path(file).stem in expected:
            write_bytes(cells / kind / file, files[name])


def _say(group: list[Cell]) -> str:
    return f"fold {group[0].fold} of repeat {group[0].repeat} of {group[0].table.name}"
