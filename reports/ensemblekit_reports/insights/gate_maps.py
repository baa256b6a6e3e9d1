"""The gate over two columns, as the reader knows them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ensemblekit_reports.insights.plain import Driver, GateMap
from ensemblekit_reports.insights.subject import Floats, Subject

#: Grid points along each side, rows that are drawn, columns whose pairs are mapped.
_SIDE, _ROWS, _COLUMNS = 28, 60, 3
#: Part of a column's range by which the map goes beyond its rows.
_MARGIN = 0.04
#: With more classes their borders are a tangle.
_MOST_CLASSES = 6


def gate_maps(subject: Subject, driving: tuple[tuple[Driver, ...], ...]) -> tuple[GateMap, ...]:
    """Ask the gate on grids over pairs of the numeric columns that drive it most.

    Parameters
    ----------
    subject : Subject
        A fitted mixture.
    driving : tuple of tuple of Driver
        For each expert.

    Returns
    -------
    tuple of GateMap
        The strongest pair first; empty with fewer than two numeric columns that drive the gate.
    """
    totals: dict[str, float] = {}
    for driver in (driver for found in driving for driver in found):
        totals[driver.column] = totals.get(driver.column, 0.0) + driver.effect
    names = [column.name for column in subject.table.columns]
    strongest = [names.index(name) for name in sorted(totals, key=lambda name: -totals[name])]
    mapped = [j for j in strongest if j in subject.numeric and subject.table.columns[j].kind == "numeric"][:_COLUMNS]
    return tuple(_gate_map(subject, i, j) for i, j in combinations(mapped, 2))


def _gate_map(subject: Subject, i: int, j: int) -> GateMap:
    first, second = (_grid(subject.table.X[:, column]) for column in (i, j))
    raw = np.tile(subject.typical, (_SIDE * _SIDE, 1))
    raw[:, i], raw[:, j] = np.tile(first, _SIDE), np.repeat(second, _SIDE)
    rows = subject.table.X[:, [i, j]]
    rows = rows[~np.isnan(rows).any(axis=1)]
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:_ROWS])
    columns = subject.table.columns
    return GateMap(
        (columns[i].name, columns[j].name),
        _numbers(first),
        _numbers(second),
        _lines(subject.gate(raw)),
        tuple((_number(a), _number(b)) for a, b in rows[chosen]),
        _lines(subject.fitted.predict_proba(subject.ready(raw))) if 2 <= len(subject.table.classes) <= _MOST_CLASSES else (),
    )


def _lines(proba: Floats) -> tuple[tuple[tuple[float, ...], ...], ...]:
    grid = np.asarray(proba, dtype=np.float64).round(2).reshape(_SIDE, _SIDE, -1)
    return tuple(tuple(tuple(float(p) for p in cell) for cell in line) for line in grid)


def _grid(column: Floats) -> Floats:
    # a single far value must not squeeze all others into a corner
    low, high = np.nanpercentile(column, [1, 99])
    margin = _MARGIN * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, _SIDE)


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(_number(value) for value in values)


def _number(value: float) -> float:
    return float(f"{value:.6g}")
