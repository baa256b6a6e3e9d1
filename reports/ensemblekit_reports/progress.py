"""How a run tells the terminal where it is: a bar with the time left, or plain lines where there is no terminal.

A stage is opened with its name, its number of cells and its work in any unit; what it yields is called with the cells
and the work that were just finished. Time left goes by work: a fold of a large table takes longer than one of a small.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

Advance = Callable[[int, float], None]
Stage = Callable[[str, int, float], AbstractContextManager[Advance]]

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
    yield lambda cells, work: None  # noqa: ARG005 - the signature of an advance


@contextmanager
def plain(name: str, cells: int, work: float) -> Iterator[Advance]:
    """Open a stage that writes a line to stderr now and then.

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
    >>> with plain("accuracy", 2, 2.0) as advance:
    ...     advance(2, 2.0)
    """
    started, done_cells, done_work, told = time.monotonic(), 0, 0.0, 0.0

    def advance(more_cells: int, more_work: float) -> None:
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
    name : str
        Name of the stage.
    cells : int
        Cells that it will finish.
    work : float
        Their work, in any unit.

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
        with Progress(*columns, console=Console(file=terminal), redirect_stdout=False, redirect_stderr=False) as progress:
            task = progress.add_task(f"{name:<8}", total=work, done=0, cells=cells)
            yield lambda more_cells, more_work: progress.update(
                task, advance=more_work, done=progress.tasks[task].fields["done"] + more_cells
            )


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
