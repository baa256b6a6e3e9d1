"""Whole tables: answers, notes, checksums, and every refusal of the section on bad input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.table import table_from_file, table_from_frame


def table_of(text, tmp_path, target="y"):
    file = tmp_path / "t.csv"
    file.write_text(text)
    return table_from_file(file, target)


def labelled(labels):
    features = pd.DataFrame({"x": np.arange(len(labels)) % 3})
    return table_from_frame(features, pd.Series(labels, name="y"), name="t")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a", "b", "a"], ("a", "b")),
        ([10, 9, 10, 9], ("9", "10")),
        ([1.0, 0.0, 1.0, 0.0], ("0", "1")),
        ([True, False, True, False], ("False", "True")),
        (pd.Categorical(["lo", "hi", "lo", "hi"], categories=["lo", "hi", "never"]), ("hi", "lo")),
        (["None", "Mild", "None", "Mild"], ("Mild", "None")),
        ([0.5, 1.5, 0.5, 1.5], ("0.5", "1.5")),
        (["1", "1.0", "2", "2.0"], ("1", "2")),
        (pd.Categorical([1, 2, 1, 2, None]), ("1", "2")),
        (pd.array([1, 2, 1, 2, None], dtype="Int64"), ("1", "2")),
    ],
)
def test_labels_of_any_type(labels, classes):
    table = labelled(labels)
    assert table.classes == classes
    assert np.bincount(table.y).tolist() == [2, 2]


def test_rows_without_an_answer_are_dropped_with_a_note(tmp_path):
    table = table_of("x,y\n1,a\n2,\n3,b\n1,a\n2,b\n5,NA\n", tmp_path)
    assert table.X[:, 0].tolist() == [1, 3, 1, 2]
    assert table.notes == ("2 rows without an answer in 'y' were dropped.",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x,y\n", "has no rows"),
        ("x,y\n1,a\n2,a\n", r"one class only \('a'\)"),
        ("x,y\n1,a\n2,a\n3,b\n", r"1 of the 2 classes of 'y' have a single row \('b'\)"),
        ("x,y\n1,\n2,\n", "every answer is missing"),
        ("x,y\n7,a\n7,a\n7,b\n7,b\n", r"no usable feature column.*'x' was left out: every cell holds the same value"),
        ("y\na\nb\na\nb\n", "no usable feature column"),
        ("x,Y\n1,a\n", r"no column named 'y'; did you mean 'Y'\? Columns: x, Y"),
    ],
)
def test_refusals(tmp_path, text, complaint):
    with pytest.raises(UserError, match=complaint):
        table_of(text, tmp_path)


def test_without_a_target_the_columns_are_listed(tmp_path):
    with pytest.raises(UserError, match=r"Name it with --target. Columns: x, y\."):
        table_of("x,y\n1,a\n", tmp_path, target=None)


def test_hostile_names_stay_data(tmp_path):
    name = "<script>alert('x')</script>"
    table = table_of(f'"{name}",y\n1,a\n2,b\n3,a\n1,b\n', tmp_path)
    assert table.columns[0].name == name


def test_the_checksum_is_of_the_content_not_of_the_file(tmp_path):
    one = table_of("x,c,y\n1,u,a\n2,v,b\n3,u,a\n1,,b\n", tmp_path)
    same = table_of('x;c;y\n1.0;u;a\n2.0;v;b\n"3";u;a\n1;?;b\n', tmp_path)
    assert one.checksum == same.checksum
    for changed in (
        dataclasses.replace(one, X=one.X + 1),
        dataclasses.replace(one, y=1 - one.y),
        dataclasses.replace(one, classes=("a", "z")),
        dataclasses.replace(one, target="z"),
        dataclasses.replace(one, columns=one.columns[::-1]),
    ):
        assert changed.checksum != one.checksum


def test_the_checksum_does_not_tell_zeros_apart():
    one = labelled(["a", "b", "a", "b"])
    assert dataclasses.replace(one, X=-0.0 * one.X).checksum == dataclasses.replace(one, X=0.0 * one.X).checksum


def test_facts_of_amounts():
    facts = labelled([2.0, 0.5, 1.25, 8.25]).facts()
    assert (facts.task, facts.class_counts) == ("regression", {})
    assert facts.answers == pytest.approx({"min": 0.5, "median": 1.625, "max": 8.25, "mean": 3.0, "std": np.std([2, 0.5, 1.25, 8.25])})


def test_facts_count_rows_and_kinds(tmp_path):
    facts = table_of("x,c,f,y\n1,u,true,a\n2,v,false,b\n3,u,true,a\n1,,false,b\n", tmp_path).facts()
    assert facts.column_kinds == {"numeric": 1, "categorical": 1, "boolean": 1}
    assert facts.class_counts == {"a": 2, "b": 2}
    assert (facts.n_rows, facts.n_columns, facts.source) == (4, 3, "t.csv")
