"""What a column means."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from ensemblekit_reports.tables.columns import Encoded, LeftOut, encode


def kind(cells, name="c"):
    encoded = encode(pd.Series(cells), name)
    return encoded.kind if isinstance(encoded, Encoded) else encoded.reason


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", "-3e2"], "numeric"),
        (["1", "", "?", "NA", "3"], "numeric"),
        (["red", "blue", ""], "categorical"),
        (["True", "false", ""], "boolean"),
        ([True, False, True], "boolean"),
        ([1, 2, 2], "numeric"),
        ([1.0, np.nan, 3.0], "numeric"),
        ([decimal.Decimal("1.5"), decimal.Decimal("2.5")], "numeric"),
        (pd.Categorical(["u", "v", None]), "categorical"),
        (pd.array([1, None, 3], dtype="Int64"), "numeric"),
        (pd.array([True, None, False], dtype="boolean"), "boolean"),
        (["", "NA", "?"], "every cell is missing"),
        (["x", "x"], "every cell holds the same value"),
        ([5, 5], "every cell holds the same value"),
        (["2020-01-31", "2021-12-01"], "it holds dates or times, which are not supported yet"),
        (["31.12.2020 14:00", "1.1.2021"], "it holds dates or times, which are not supported yet"),
        (["Jan 5, 2020", "5 March 2021"], "it holds dates or times, which are not supported yet"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "it holds dates or times, which are not supported yet"),
        ([dt.date(2020, 1, 1), None], "it holds dates or times, which are not supported yet"),
        (pd.to_timedelta([1, 2], unit="h"), "it holds dates or times, which are not supported yet"),
        ([[1], [2, 3]], "its cells hold lists, records or binary data"),
        ([f"customer {n}" for n in range(60)], "it holds 60 different texts in 60 rows: free text or identifiers"),
        (range(1, 60), "it numbers the rows"),
    ],
)
def test_kinds(cells, expected):
    assert kind(cells) == expected


def test_a_unique_whole_number_is_an_identifier_only_with_such_a_name():
    numbers = np.random.default_rng(0).permutation(1000)[:60]
    assert kind(numbers, "customer_id") == "it numbers the rows"
    assert kind(numbers, "price") == "numeric"
    assert kind(numbers, "humid") == "numeric"


def test_missing_cells_are_nan_in_every_kind():
    for cells in (["1", "", "3"], ["a", "", "b"], ["true", "", "false"]):
        encoded = encode(pd.Series(cells), "c")
        assert np.isnan(encoded.values).tolist() == [False, True, False]


def test_one_category_among_integers_with_missing_cells():
    encoded = encode(pd.Series(pd.Categorical([3.0, None, 4.0])), "c")
    assert encoded.levels == ("3", "4")


def test_stray_words_among_numbers_are_missing_with_a_note():
    encoded = encode(pd.Series([*map(str, range(5, 200, 2)), "unknown"]), "c")
    assert encoded.kind == "numeric"
    assert "1 cells that are not numbers ('unknown')" in encoded.note


def test_infinite_and_huge_numbers_are_missing_with_a_note():
    encoded = encode(pd.Series([1.0, 2.0, np.inf, 1e300]), "c")
    assert np.isnan(encoded.values).sum() == 2
    assert "2 infinite or huge cells" in encoded.note


def test_levels_are_positions_in_sorted_order():
    encoded = encode(pd.Series(["b", "a", "b"]), "c")
    assert [encoded.levels[int(code)] for code in encoded.values] == ["b", "a", "b"]


def test_left_out_columns_say_why():
    assert isinstance(encode(pd.Series([1 + 2j, 3j]), "c"), LeftOut)
