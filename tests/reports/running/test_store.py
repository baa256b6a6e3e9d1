"""Files are whole or not there, and a folder that cannot be written to is said at once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ensemblekit_reports import atomic
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.store import Store, cell_file, read_json, to_json


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "cell.json"
    atomic.write_bytes(file, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write_bytes(file, b"new")
    assert file.read_bytes() == b"old"
    assert [part.name for part in tmp_path.iterdir()] == ["cell.json"]


def test_a_file_goes_to_another_file_system(tmp_path, monkeypatch):
    left, place, replace = tmp_path / "left", tmp_path / "cells" / "cell.json", Path.replace
    place.parent.mkdir()
    left.write_bytes(b"{}")

    def across(self, target):
        if self.parent != Path(target).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", across)
    atomic.put_in_place(left, place)
    assert place.read_bytes() == b"{}"
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["cell.json"]


def test_files_are_as_readable_as_others(tmp_path):
    atomic.write_bytes(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match=r"the output folder .*out cannot be written to"):
        Store(tmp_path / "out")


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("ensemblekit_reports.running.store.write_bytes", refuse)
    with pytest.raises(UserError, match="cannot be written to: Permission denied"):
        Store(tmp_path)


def test_rubbish_of_a_crash_is_removed(tmp_path):
    rubbish = tmp_path / "cells" / "accuracy" / f"cell{atomic.PARTIAL}"
    rubbish.parent.mkdir(parents=True)
    rubbish.write_text("{")
    Store(tmp_path)
    assert not rubbish.exists()


def test_a_name_from_a_file_cannot_leave_the_folder(tmp_path):
    store = Store(tmp_path)
    file = cell_file(store.directory, "accuracy", "../../<b>é/ x", "0" * 32)
    assert file.parent == tmp_path / "cells" / "accuracy"
    store.save(file, {"a": 1.5})
    assert store.load(file) == {"a": 1.5}


def test_a_damaged_cell_is_said(tmp_path):
    (tmp_path / "cell.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        read_json(tmp_path / "cell.json")


def test_json_is_strict():
    assert b"NaN" not in to_json({"a": float("nan"), "b": [float("inf")]})
