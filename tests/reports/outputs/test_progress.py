"""What a terminal shows while a run is on its way, and what is said where there is none."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import time

from ensemblekit_reports.running import run as running
from ensemblekit_reports.running.live_board import BoardRow, LiveBoard
from ensemblekit_reports.running.progress import bar, plain, silent
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.tables.table import bundled_table


def in_terminal(work):
    """Do some work with a terminal in the place of stderr; return what was written to it."""
    ours, theirs = pty.openpty()
    kept = os.dup(2)
    os.dup2(theirs, 2)
    os.close(theirs)
    try:
        work()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    said = b""
    with contextlib.suppress(OSError):  # how Linux says that all was read
        while more := os.read(ours, 65536):
            said += more
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())


ROWS = (BoardRow("[bold]Forest[/bold]", "90.0 %", 3, 0), BoardRow("Bad", "–", 0, 2))


def test_a_terminal_shows_cells_time_and_leaders(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    def work():
        with bar("Accuracy", 4, 4.0) as advance:
            advance(1, 1.0, lambda: ROWS)
            advance(2, 2.0, lambda: ROWS * 10)
            time.sleep(0.2)  # the bar draws ten times a second

    said = in_terminal(work)
    assert "3 of 4 cells" in said
    assert "left" in said
    assert "[bold]Forest[/bold]" in said, "a name is no markup"
    assert "2 failed" in said
    assert "and 8 more" in said
    assert "Forest" not in said.splitlines()[-1], "the board goes when the stage ends"


def test_elsewhere_nobody_asks_for_the_board(capfd):
    def never():
        raise AssertionError("asked")

    for stage in (silent, plain):
        with stage("Accuracy", 2, 2.0) as advance:
            advance(0, 0.0, never)
            advance(2, 2.0, never)
    assert capfd.readouterr().err == "Accuracy: 2 of 2 cells, about 0 s left\n"


def test_means_are_over_folds_then_tables_and_the_best_is_first():
    board = LiveBoard("log_loss")
    for label, table, score in [("a", "t", 0.5), ("a", "t", 0.7), ("a", "u", 0.2), ("b", "t", 0.3), ("c", "t", None)]:
        board.note(label, table, score)
    assert [(row.label, row.mean, row.n_finished, row.n_failed) for row in board.rows()] == [
        ("b", "0.300", 1, 0), ("a", "0.400", 3, 0), ("c", "–", 0, 1),
    ]  # fmt: skip


def test_a_run_shows_what_it_stores(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "time_missing", lambda *everything: None)
    plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 2), 0, quick=True)
    boards = []

    @contextlib.contextmanager
    def stage(name, cells, work):
        yield lambda cells, work, board=None: boards.append(board())

    results = running.run(plan, tmp_path, jobs=1, command="c", stage=stage)
    (row,) = boards[-1]
    assert (row.label, row.n_finished) == ("Logistic regression", 2)
    assert row.mean == f"{100 * results.cells['accuracy'].mean():.1f} %"
    next((tmp_path / "cells" / "accuracy").glob("*.json")).unlink()
    running.run(plan, tmp_path, jobs=1, command="c", stage=stage)
    assert [boards[-2][0].n_finished, boards[-1][0].n_finished] == [1, 2], "what was there before counts"
    gone, undefined = (tmp_path / "cells" / "accuracy").glob("*.json")
    gone.unlink()
    undefined.write_bytes(undefined.read_bytes().replace(b'"accuracy": ', b'"accuracy": null, "was": '))
    running.run(plan, tmp_path, jobs=1, command="c", stage=stage)
    assert (boards[-1][0].n_finished, boards[-1][0].n_failed) == (1, 0), "a score that is not defined is no failure"
