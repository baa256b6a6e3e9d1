"""From a file to raw columns: delimiters, encodings, headers, and what is no table at all.

Everything is read as text: what a column means is decided in ``tables.py``, once, for files and data frames alike.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pyarrow import ArrowException

from ensemblekit_reports.errors import UserError, nearest

DELIMITERS = (",", ";", "\t", "|")
#: First bytes of files that people hand over by mistake, and what to do about each.
_NOT_TEXT = {
    b"PK\x03\x04": "is a ZIP archive or an Excel workbook; save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save the sheet as CSV",
    b"\x1f\x8b": "is compressed with gzip; unpack it first (gunzip)",
    b"\x80": "looks like a Python pickle, which is never opened because it could run code; save it as CSV or Parquet",
    b"%PDF": "is a PDF document, not a table",
}
_DECIMAL_COMMA = r"[+-]?\d+(?:,\d+)?"


def read_frame(path: Path) -> pd.DataFrame:
    r"""Read a CSV or Parquet file; CSV cells stay text.

    Parameters
    ----------
    path : Path
        The file. Parquet is known by its first bytes, whatever the name; text may be separated by comma, semicolon, tab
        or bar, in UTF-8 or UTF-16 with a byte order mark.

    Returns
    -------
    DataFrame
        One row per record, columns named as in the file, in its order.

    Raises
    ------
    UserError
        When the file is missing, is no table, or names two columns alike.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "t.csv"
    ...     _ = file.write_text("age;churned\n31;no\n", encoding="utf-8")
    ...     print(read_frame(file).to_dict("list"))
    {'age': ['31'], 'churned': ['no']}
    """
    content = _read_bytes(path)
    if not content.strip():
        raise UserError(f"{path} is empty: a table has a line of column names and at least a few rows.")
    if content[:4] == b"PAR1":
        return _read_parquet(path)
    for magic, complaint in _NOT_TEXT.items():
        if content.startswith(magic):
            raise UserError(f"{path} {complaint}.")
    return _read_csv(_decode(content, path), path)


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a CSV or Parquet file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        near = _nearest_file(path)
        raise UserError(f"no file {path}" + (f"; did you mean {near}?" if near else ".")) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None


def _nearest_file(path: Path) -> Path | None:
    beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    name = nearest(path.name, beside)
    return path.parent / name if name else None


def _decode(content: bytes, path: Path) -> str:
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if _is_binary(content):
            raise UserError(f"{path} is not a table: it holds binary data, not text. Give CSV or Parquet.") from None
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path} is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}. "
            f"Convert it, for example: iconv -f latin1 -t utf-8 {path.name} > converted.csv"
        ) from None
    if "\x00" in text:
        raise UserError(f"{path} is not a table: it holds binary data, not text. Give CSV or Parquet.")
    return text


def _is_binary(content: bytes) -> bool:
    # Control characters other than tab, line feed, carriage return and form feed do not occur in text.
    head = content[:4096]
    return sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head) > len(head) // 100


def _read_csv(text: str, path: Path) -> pd.DataFrame:
    delimiter = _find_delimiter(text)
    try:
        header = _read_header(text, delimiter)
        _check_names(header, path)
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=0,
            names=header,
            index_col=False,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except (pd.errors.ParserError, csv.Error) as error:
        raise UserError(f"{path} is not a regular table: {_say_parser_error(error, len(header))}") from None
    # A blank cell and a cell that its line never reached are both missing; `tables.py` knows one spelling of each.
    frame = frame.fillna("")
    return _with_decimal_points(frame) if delimiter != "," else frame


def _read_header(text: str, delimiter: str) -> list[str]:
    # pandas renames the second of two equal columns in silence; here it is to be an error.
    names = next(csv.reader(io.StringIO(text.lstrip("\r\n")), delimiter=delimiter, skipinitialspace=True))
    return [name.strip() or f"column {position}" for position, name in enumerate(names, start=1)]


def _find_delimiter(text: str) -> str:
    header = next(line for line in text.splitlines() if line.strip())
    outside_quotes = re.sub(r'"[^"]*"', "", header)
    counts = Counter({delimiter: outside_quotes.count(delimiter) for delimiter in DELIMITERS})
    return counts.most_common(1)[0][0]


def _check_names(names: list[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        listed = ", ".join(repr(name) for name in twice[:10])
        raise UserError(f"{path} has more than one column named {listed}; rename them, so that each is one thing.")


def _say_parser_error(error: Exception, n_columns: int) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found:
        return f"line {found[2]} has {found[3]} cells, the header has {n_columns}. Is a cell with a comma unquoted?"
    return str(error).splitlines()[0].removeprefix("Error tokenizing data. C error: ")


def _with_decimal_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn "3,14" into "3.14" in columns that hold nothing else: where a semicolon separates, a comma is decimal."""
    for name in frame.columns:
        cells = frame[name].str.strip()
        filled = cells[cells != ""]
        if filled.str.contains(",", regex=False).any() and filled.str.fullmatch(_DECIMAL_COMMA).all():
            frame[name] = cells.str.replace(",", ".", regex=False)
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except (ArrowException, OSError) as error:
        raise UserError(f"{path} is a damaged Parquet file: {str(error).splitlines()[0]}") from None
    _check_names(table.column_names, path)
    table = table.drop_columns([name for name in table.column_names if re.fullmatch(r"__index_level_\d+__", name)])
    # Without the pandas metadata no stored index comes back as an index, and no foreign type is imported.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame
