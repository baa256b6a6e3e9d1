"""Insights as JSON beside the cells, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ensemblekit_reports.insights.plain import EnsembleInsight, Insight, MixtureInsight

#: Change when a field changes its meaning: insights of another format are as good as not there.
FORMAT = 1
FOLDER = "insights"
_KINDS: dict[str, type[Insight]] = {"mixture": MixtureInsight, "ensemble": EnsembleInsight}


def insight_file(cell: Path) -> Path:
    """Return where the insight of a cell is kept.

    Parameters
    ----------
    cell : Path
        File of its metrics.

    Returns
    -------
    Path

    Examples
    --------
    >>> insight_file(Path("out/cells/accuracy/iris-moe-r0-f0-01.json")).as_posix()
    'out/cells/insights/iris-moe-r0-f0-01.json'
    """
    return cell.parent.with_name(FOLDER) / cell.name


def to_bytes(insight: Insight) -> bytes:
    """Write an insight as JSON.

    Parameters
    ----------
    insight : MixtureInsight or EnsembleInsight

    Returns
    -------
    bytes
        UTF-8.

    Raises
    ------
    ValueError
        When a number is NaN or infinite.

    Examples
    --------
    >>> insight = EnsembleInsight("iris", "averaging", 30, "accuracy", 0.9, "equal", (), ())
    >>> from_bytes(to_bytes(insight)) == insight
    True
    """
    kind = next(name for name, known in _KINDS.items() if isinstance(insight, known))
    record = {"format": FORMAT, "kind": kind, "insight": asdict(insight)}
    return (json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")


def from_bytes(content: bytes) -> Insight | None:
    """Read what ``to_bytes`` wrote.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    MixtureInsight, EnsembleInsight or None
        None for what another version wrote or somebody changed: an insight is worth no error.

    Examples
    --------
    >>> from_bytes(b"{}") is None
    True
    """
    try:
        record = json.loads(content)
        if record["format"] != FORMAT:
            return None
        made: Insight = _rebuilt(_KINDS[record["kind"]], record["insight"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return made


def read_insight(cell: Path) -> Insight | None:
    """Read the insight of a cell, if there is one.

    Parameters
    ----------
    cell : Path
        File of its metrics.

    Returns
    -------
    MixtureInsight, EnsembleInsight or None

    Examples
    --------
    >>> read_insight(Path("nowhere/accuracy/cell.json")) is None
    True
    """
    try:
        return from_bytes(insight_file(cell).read_bytes())
    except OSError:
        return None


def _rebuilt(kind: Any, value: Any) -> Any:
    """Make a value of a declared kind out of what JSON made of it."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{field.name: _rebuilt(hints[field.name], value[field.name]) for field in fields(kind)})
    if get_origin(kind) is UnionType:
        (present,) = (part for part in get_args(kind) if part is not NoneType)
        return None if value is None else _rebuilt(present, value)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else inner
        return tuple(_rebuilt(part, item) for part, item in zip(kinds, value, strict=True))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind}, got {value!r}")
    return value
