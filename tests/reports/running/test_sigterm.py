"""While a command runs, SIGTERM is Ctrl-C, unless whoever started it has said otherwise; afterwards it is what it was."""

from __future__ import annotations

import signal
import threading

import pytest

from ensemblekit_reports import cli


@pytest.fixture(autouse=True)
def default_before():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def end_by_sigterm(monkeypatch):
    """A command that is sent SIGTERM; its answer is the exit code."""
    monkeypatch.setattr(cli, "_models", lambda options, given: signal.raise_signal(signal.SIGTERM))
    return lambda: cli.main(["models"])


def test_sigterm_interrupts_and_is_what_it_was_afterwards(end_by_sigterm):
    assert end_by_sigterm() == cli.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_sigterm_that_is_ignored_stays_ignored(end_by_sigterm):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert end_by_sigterm() == 0
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_a_handler_from_outside_python_is_left_alone(monkeypatch):
    # Python knows only those that were there before it as such, in a program that embeds it
    install, installed = signal.signal, []

    def install_over_unknown(number, handler):
        install(number, handler)
        installed.append(handler)

    monkeypatch.setattr(cli.signal, "signal", install_over_unknown)
    monkeypatch.setattr(cli.signal, "getsignal", lambda number: None)
    assert cli.main(["models"]) == 0
    monkeypatch.undo()
    assert installed == []


def test_another_thread_runs_a_command_and_sets_no_handler(monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "_models", lambda options, given: seen.append(signal.getsignal(signal.SIGTERM)))
    thread = threading.Thread(target=lambda: seen.append(cli.main(["models"])))
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL, 0]
