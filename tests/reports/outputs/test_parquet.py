"""results.parquet holds what results.csv holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ensemblekit_reports.example import example_results
from ensemblekit_reports.render import write
from ensemblekit_reports.reporting.report import build


def test_parquet_and_csv_hold_the_same(tmp_path):
    results = example_results()
    cells = results.cells.astype({"predict_single_calls": "Int64", "contended": "boolean"})
    cells.loc[3, ["accuracy", "predict_single_calls", "contended"]] = [np.nan, pd.NA, pd.NA]
    cells.loc[3, ["status", "reason"]] = ["failed", "ValueError: 1, 'two'\nthree"]
    write(build(replace(results, cells=cells)), tmp_path)
    exact = pd.read_parquet(tmp_path / "results.parquet")
    text = pd.read_csv(tmp_path / "results.csv", keep_default_na=False, na_values={name: [""] for name in exact if name != "reason"})
    assert list(exact) == list(text) == list(cells)
    pd.testing.assert_frame_equal(exact, cells, check_dtype=False)
    pd.testing.assert_frame_equal(text.astype(exact.dtypes), exact, check_exact=True)


def test_equal_cells_are_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write(build(example_results()), tmp_path / name)
    assert (tmp_path / "a" / "results.parquet").read_bytes() == (tmp_path / "b" / "results.parquet").read_bytes()
