"""A column that gives the answer away is found, and a good column is not called one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ensemblekit_reports.running.leaks import find_leaks
from ensemblekit_reports.tables.table import Column, Table, bundled_table


def folds(n_rows: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(n_rows).astype(np.int16) % 5


def with_column(table: Table, values: np.ndarray, kind: str = "numeric") -> Table:
    levels = tuple(f"l{i}" for i in range(int(values.max()) + 1)) if kind == "categorical" else ()
    return replace(table, X=np.column_stack([table.X, values]), columns=(*table.columns, Column("extra", kind, levels)))


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "regimes"])
def test_good_columns_are_no_giveaway(name: str) -> None:
    table = bundled_table(name)
    assert find_leaks(table, folds(len(table.y))) == ()


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_the_answer_in_other_words(kind: str) -> None:
    table = bundled_table("wine")
    found = find_leaks(with_column(table, (table.y + 1) % 3, kind), folds(len(table.y)))
    assert [(leak.table, leak.column, leak.skill) for leak in found] == [("wine", "extra", 1.0)]


def test_the_number_of_a_row_in_a_sorted_table() -> None:
    table = bundled_table("iris")
    assert [leak.column for leak in find_leaks(with_column(table, np.arange(150.0)), folds(150))] == ["extra"]


def test_a_rare_class_makes_no_giveaway_of_a_constant() -> None:
    random = np.random.default_rng(0)
    y = (np.arange(400) % 100 == 0).astype(np.int64)
    table = replace(bundled_table("iris"), X=random.normal(size=(400, 4)), y=y, classes=("no", "yes"))
    assert find_leaks(with_column(table, np.zeros(400)), folds(400)) == ()
    assert [leak.column for leak in find_leaks(with_column(table, y + 0.0), folds(400))] == ["extra"]


def test_missing_cells_can_give_the_answer_away() -> None:
    table = bundled_table("wine")
    values = np.where(table.y == 1, np.nan, np.where(table.y == 0, 0.0, 1.0))
    assert [leak.column for leak in find_leaks(with_column(table, values), folds(len(table.y)))] == ["extra"]


def test_amounts() -> None:
    random = np.random.default_rng(0)
    amounts = random.gamma(2.0, size=500)
    base = replace(bundled_table("iris"), X=random.normal(size=(500, 4)), y=amounts, classes=())
    noisy = with_column(base, amounts + 0.3 * random.normal(size=500))
    assert find_leaks(noisy, folds(500)) == ()
    assert [leak.column for leak in find_leaks(with_column(base, -3 * amounts), folds(500))] == ["extra"]
