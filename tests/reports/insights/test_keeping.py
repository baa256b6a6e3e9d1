"""Insights are kept beside the cells, on the first fold alone, and are never fatal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit_reports.insights.plain import MixtureInsight
from ensemblekit_reports.insights.storing import insight_file, read_insight
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.store import Store, cell_file, read_json
from ensemblekit_reports.studies.registry import REGISTRY
from ensemblekit_reports.tables.table import bundled_table


def first_fold() -> Fold:
    return Fold(bundled_table("iris"), 0, 0, np.arange(150) % 5 == 0, seed=0)


def test_kept_with_the_cell_on_the_first_fold_alone(tmp_path: Path) -> None:
    Store(tmp_path)
    for fold in (first_fold(), replace(first_fold(), repeat=1)):
        cell = cell_file(tmp_path, "accuracy", f"r{fold.repeat}", "0")
        run_fold(fold, [(REGISTRY["moe"], cell), (REGISTRY["logistic"], cell_file(tmp_path, "accuracy", "logistic", "0"))])
        kept = read_insight(cell)
        assert isinstance(kept, MixtureInsight) == (fold.repeat == 0)
    assert [file.name for file in (tmp_path / "cells" / "insights").iterdir()] == ["r0-0.json"]


@pytest.mark.parametrize("trouble", [RuntimeError, OSError])
def test_trouble_costs_the_insight_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]) -> None:
    def fails(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(MixtureOfExpertsClassifier, "gate_proba", fails)
    Store(tmp_path)
    cell = cell_file(tmp_path, "accuracy", "iris", "0")
    run_fold(first_fold(), [(REGISTRY["moe"], cell)])
    assert read_json(cell)["status"] == "ok"
    assert read_insight(cell) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1, "kind": "mixture", "insight": {}}', b'{"format": 99}'])
def test_what_another_version_wrote_is_not_there(tmp_path: Path, content: bytes) -> None:
    Store(tmp_path)
    cell = cell_file(tmp_path, "accuracy", "iris", "0")
    insight_file(cell).write_bytes(content)
    assert read_insight(cell) is None
