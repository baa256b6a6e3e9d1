"""The report's plain data as JSON, for programs."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report

#: Raised when a key changes its meaning or goes.
FORMAT = 1


def to_json(report: Report) -> str:
    """Return everything the report says as JSON; the single cells are in ``results.csv``.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Standard JSON: what is undefined is ``null``, never ``NaN``.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> json.loads(to_json(build(example_results())))["answer"]["focus"]
    'moe'
    """
    content = {"format": FORMAT, "verdict": report.verdict} | {
        field.name: _plain(getattr(report, field.name)) for field in fields(report) if field.name != "cells"
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.metadata.get("json", True)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
