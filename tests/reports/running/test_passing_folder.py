"""Folders that are needed for a while, and what becomes of those that killed processes left."""

import pytest

from ensemblekit_reports.comparison import compare
from ensemblekit_reports.running import passing_folder as folders


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folders_of_killed_processes_are_removed_and_others_are_not(temporary):
    abandoned = temporary / f"{folders.PREFIX}1"
    abandoned.mkdir()
    (abandoned / ".lock").write_text("process 1, long ago")
    with folders.passing_folder() as first, folders.passing_folder() as second:
        assert sorted(temporary.iterdir()) == sorted([first.parent, second.parent])
    assert not list(temporary.iterdir())


def test_a_comparison_that_keeps_nothing_has_such_a_folder(temporary, monkeypatch):
    seen = []
    monkeypatch.setattr("ensemblekit_reports.comparison.run", lambda plan, directory, **_: seen.append(directory) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compare(["logistic"], [[0.0], [1.0]] * 20, [0, 1] * 20, quick=True)
    assert seen[0].parent.parent == temporary
    assert not list(temporary.iterdir())
