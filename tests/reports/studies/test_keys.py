"""What changes a number changes the key of its cell."""

from __future__ import annotations

import ast
from pathlib import Path

import ensemblekit_reports
from ensemblekit_reports.studies.keys import _OWN

ROOT = Path(ensemblekit_reports.__file__).parent
#: No number of a cell depends on these: what is read has a checksum of its own, what a budget ends says so in its cell, and what is
#: written or said comes after it.
OF_NO_WEIGHT = (
    "atomic", "errors", "quiet", "results", "insights.keeping", "insights.subject", "reporting.rebuilding",
    "running.processes", "running.store", "studies.budget", "studies.fingerprints", "studies.own_code", "studies.values",
    "tables.table",
)  # fmt: skip


def test_whatever_hashed_files_import_is_hashed_or_of_no_weight():
    imported = {
        node.module.removeprefix("ensemblekit_reports.")
        for name in _OWN
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ensemblekit_reports.")
    }
    hashed = {name.removesuffix(".py").replace("/", ".") for name in _OWN}
    assert imported - hashed - set(OF_NO_WEIGHT) == set()
    assert imported & hashed >= {"quantities", "running.metrics"}
