"""How a run tells the terminal where it is: a bar with the time left, or plain lines where there is no terminal.

A stage is opened with its name, its number of cells and its work in any unit; what it yields is called with the cells
and the work that were just finished, and a function that gives the leaderboard so far: only a terminal that shows one calls it.
Time left goes by work: a fold of a large table takes longer than one of a small.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ensemblekit_reports import wording
from ensemblekit_reports.running.live_board import BoardRow

Board = Callable[[], Sequence[BoardRow]]


class Advance(Protocol):
    """What a stage yields."""

    def __call__(self, cells: int, work: float, board: Board | None = None, /) -> None:
        """Note cells and work that were just finished, and how to get the leaderboard."""


Stage = Callable[[str, int, float], AbstractContextManager[Advance]]

#: Rows of the leaderboard on a terminal.
SHOWN_ROWS = 12
#: Plain lines come when this share of a stage's work is done since the last.
PLAIN_STEP = 0.1


@contextmanager
def silent(name: str, cells: int, work: float) -> Iterator[Advance]:  # noqa: ARG001 - the signature of a stage
    """Open a stage of which nobody hears.

    Parameters
    ----------
    name : str
        Name of the stage.
    cells : int
        Cells that it will finish.
    work : float
        Their work, in any unit.

    Examples
    --------
    >>> with silent("accuracy", 2, 2.0) as advance:
    ...     advance(1, 1.0)
    """
    yield lambda cells, work, board=None: None  # noqa: ARG005 - the signature of an advance


@contextmanager
def plain(name: str, cells: int, work: float) -> Iterator[Advance]:
    """Open a stage that writes a line to stderr now and then.

    Parameters
    ----------
    name, cells, work
        As in `silent`.

    Examples
    --------
    >>> with plain("accuracy", 2, 2.0) as advance:
    ...     advance(2, 2.0)
    """
    started, done_cells, done_work, told = time.monotonic(), 0, 0.0, 0.0

    def advance(more_cells: int, more_work: float, board: Board | None = None, /) -> None:  # noqa: ARG001 - a board needs a terminal
        nonlocal done_cells, done_work, told
        done_cells, done_work = done_cells + more_cells, done_work + more_work
        share = done_work / work if work else 1.0
        if share - told >= PLAIN_STEP or done_cells == cells:
            told = share
            left = (time.monotonic() - started) * (1 / share - 1) if share else 0.0
            sys.stderr.write(f"{name}: {done_cells} of {cells} cells, about {_duration(left)} left\n")
            sys.stderr.flush()

    yield advance


@contextmanager
def bar(name: str, cells: int, work: float) -> Iterator[Advance]:
    """Open a stage with a bar on the terminal.

    Parameters
    ----------
    name, cells, work
        As in `silent`.

    Examples
    --------
    >>> with bar("accuracy", 2, 2.0) as advance:  # doctest: +SKIP
    ...     advance(2, 2.0)
    """
    # With one job models run in this very process with its descriptors turned away (`quiet.py`); the bar has its own.
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]} of {task.fields[cells]} cells"),
            TimeElapsedColumn(),
            _TimeLeft(),
        )
        with _WithBoard(*columns, console=Console(file=terminal), redirect_stdout=False, redirect_stderr=False) as progress:
            task = progress.add_task(f"{name:<8}", total=work, done=0, cells=cells)

            def advance(more_cells: int, more_work: float, board: Board | None = None, /) -> None:
                if board is not None:
                    progress.rows = board()
                progress.update(task, advance=more_work, done=progress.tasks[task].fields["done"] + more_cells)

            try:
                yield advance
            finally:
                progress.rows = ()  # what comes next is the report itself


class _WithBoard(Progress):
    """A bar with the leaderboard so far beneath it."""

    rows: Sequence[BoardRow] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.rows:
            yield _draw(self.rows)


def _draw(rows: Sequence[BoardRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("so far")
    for heading in ("mean", "cells"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows[:SHOWN_ROWS]:
        failed = f"{row.n_failed} failed" if row.n_failed else ""
        # As `Text`, in which nothing that a stranger calls a model is markup.
        table.add_row(Text(wording.name(row.label, 40)), row.mean, str(row.n_finished), Text(failed))
    if len(rows) > SHOWN_ROWS:
        table.add_row(Text(f"and {len(rows) - SHOWN_ROWS} more"), "", "", "")
    return table


class _TimeLeft(ProgressColumn):
    """Time left by the mean speed so far: rich's own looks at the last moments, and workers finish in bursts."""

    def render(self, task: Task) -> Text:
        if not task.total or not task.completed or task.elapsed is None:
            return Text("")
        return Text(f"about {_duration(task.elapsed * (task.total / task.completed - 1))} left")


def for_terminal() -> Stage:
    """Return the stage that suits stderr: a bar on a terminal, lines elsewhere.

    Returns
    -------
    callable
        ``bar`` or ``plain``.

    Examples
    --------
    >>> for_terminal() in (bar, plain)
    True
    """
    return bar if sys.stderr.isatty() else plain


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
