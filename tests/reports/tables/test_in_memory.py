"""Tables out of memory: what goes together by place is not put together by accident."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.in_memory import table_in_memory

X = pd.DataFrame({"a": np.arange(8) / 2, "b": [3.0, 1.0] * 4})
Y = pd.Series(["no", "yes"] * 4, name="answer")


@pytest.mark.parametrize(
    ("X", "y", "complaint"),
    [
        (X, "answer", "y must hold one entry for each row; got 'answer'"),
        (X, None, "y must hold one entry for each row; got None"),
        (X, np.c_[Y, Y], r"y must be one column; it has shape \(8, 2\)"),
        (X, pd.Series([["no"], ["yes"]] * 4), r"no lists; got \['no'\] among them"),
        (X, Y[:3], "X has 8 rows, y has 3; they must be as many"),
        (X, Y[::-1], "the rows of X and y have the same labels in another order"),
        (None, Y, "X must be a DataFrame or an array of rows and columns; got None"),
        ({"a": [1]}, Y, "X must be a DataFrame or an array of rows and columns; got {'a'"),
        (X["a"], Y, r"X must have two dimensions, rows and columns; it has shape \(8,\)"),
        ([[1.0, 2.0], [3.0]] * 4, Y, "its rows are not as long as one another"),
    ],
)
def test_what_is_no_table(X, y, complaint):
    with pytest.raises(UserError, match=complaint):
        table_in_memory(X, y)


@pytest.mark.parametrize("what", ["groups", "weights"])
def test_what_comes_along_is_in_the_order_of_the_rows(what):
    values = pd.Series(np.arange(1.0, 9.0))
    table_in_memory(X, Y, **{what: values.set_axis(range(100, 108))})  # labels that have nothing to do with one another
    with pytest.raises(UserError, match="in another order"):
        table_in_memory(X, Y, **{what: values[::-1]})
    with pytest.raises(UserError, match="must hold one entry for each row; got 'site'"):
        table_in_memory(X, Y, **{what: "site"})


def test_an_order_is_seen_between_any_two_and_with_repeated_labels():
    twice, reverse = X.set_axis([0, 0, *range(2, 8)]), slice(None, None, -1)
    table_in_memory(twice, Y.set_axis(twice.index))
    with pytest.raises(UserError, match=r"rows of X and y have the same labels in another order.* bring them into one order\.$"):
        table_in_memory(twice, Y.set_axis(twice.index)[reverse])
    with pytest.raises(UserError, match=r"rows of y and groups have the same labels .* as with groups.loc\[y.index\]"):
        table_in_memory(X.to_numpy(), Y, pd.Series(np.arange(8))[reverse])


def test_a_frame_of_one_column_brings_its_name():
    assert table_in_memory(X, pd.DataFrame({"name": list(Y)})).target == "name"
    table = table_in_memory(X, Y.to_frame("churn"))
    assert (table.target, table.classes) == ("churn", ("no", "yes"))


def test_a_masked_cell_is_missing():
    masked = np.ma.masked_greater(X.to_numpy(), 3)
    assert np.isnan(table_in_memory(masked, Y).X[-1, 0])
    assert np.isnan(table_in_memory(list(masked), Y).X[-1, 0])
    assert len(table_in_memory(X, np.ma.array(Y.to_numpy(), mask=[True] * 2 + [False] * 6)).y) == 6


def test_other_forms_of_the_same_table():
    plain = table_in_memory(X.to_numpy(), Y)
    for features, answers in [(sparse.csr_matrix(X.to_numpy()), Y.to_frame()), (X.to_numpy().tolist(), tuple(Y))]:
        np.testing.assert_array_equal(table_in_memory(features, answers).X, plain.X)
        np.testing.assert_array_equal(table_in_memory(features, answers).y, plain.y)


def test_categories_of_numbers_are_classes():
    many = pd.Categorical(np.arange(60) // 2)
    assert table_in_memory(np.random.default_rng(0).normal(size=(60, 2)), many).task == "classification"
