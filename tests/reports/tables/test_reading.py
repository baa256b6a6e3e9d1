"""Files as people have them: delimiters, encodings, headers, and things that are no tables."""

from __future__ import annotations

import gzip
import pickle

import pandas as pd
import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.reading import read_frame

ROWS = {"size": ["1.5", "2", ""], "kind": ["a", "b, c", "d"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path, delimiter):
    file = tmp_path / "t.csv"
    pd.DataFrame(ROWS).to_csv(file, sep=delimiter, index=False)
    assert read_frame(file).to_dict("list") == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(tmp_path, encoding):
    file = tmp_path / "t.csv"
    file.write_text("größe,art\n1,é\n", encoding=encoding)
    assert read_frame(file).to_dict("list") == {"größe": ["1"], "art": ["é"]}


def test_another_encoding_is_named_with_the_line(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes("a,b\n1,x\n2,é\n".encode("latin1"))
    with pytest.raises(UserError, match=r"not UTF-8 text: byte 0xe9 in line 3.*iconv"):
        read_frame(file)


def test_decimal_commas_where_semicolons_separate(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a;b;c\n3,14;1;x,1\n2;2;y\n")
    assert read_frame(file).to_dict("list") == {"a": ["3.14", "2"], "b": ["1", "2"], "c": ["x,1", "y"]}


def test_quoted_names_and_line_feeds_in_cells(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('"a, or\nb",c\n"1\n2",3\n')
    assert read_frame(file).to_dict("list") == {"a, or\nb": ["1\n2"], "c": ["3"]}


def test_a_column_without_a_name_gets_one(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(",a\n0,x\n1,y\n")
    assert list(read_frame(file).columns) == ["column 1", "a"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04rest", "ZIP archive or an Excel workbook"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "compressed with gzip"),
        (pickle.dumps([1, 2]), "never opened because it could run code"),
        (bytes(range(256)) * 8, "not a table: it holds binary data"),
        (b"a,b\n1,\x00\n", "not a table: it holds binary data"),
        (b"PAR1 and then rubbish", "damaged Parquet"),
        (b"a,b,a\n1,2,3\n", "more than one column named 'a'"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        (b'a,b\n1,"2\n', "not a regular table"),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(tmp_path, content, complaint):
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=complaint) as caught:
        read_frame(file)
    assert "\n" not in str(caught.value)


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "customers.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"did you mean .*customers\.csv"):
        read_frame(tmp_path / "custmers.csv")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        read_frame(tmp_path)


def test_parquet_keeps_types_and_loses_the_index(tmp_path):
    file = tmp_path / "t.parquet"
    frame = pd.DataFrame({"n": [1, 2], "flag": [True, False], "word": ["a", None]}, index=[7, 9])
    frame.to_parquet(file)
    read = read_frame(file)
    assert list(read.columns) == ["n", "flag", "word"]
    assert read["n"].tolist() == [1, 2]
    assert read["flag"].dtype == bool
