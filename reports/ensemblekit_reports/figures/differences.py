"""Paired differences with their intervals against the region of practical equivalence: a forest plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import SMALL, empty_axes, label_axis, write
from ensemblekit_reports.figures.colours import stand_in
from ensemblekit_reports.figures.svg import Drawing, to_drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ensemblekit_reports.quantities import Quantity

_WIDTH, _ROW = 820.0, 27.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 196.0, 284.0, 30.0, 50.0


@dataclass(frozen=True)
class Row:
    """One line of the forest plot.

    Parameters
    ----------
    label : str
        What is written on the left.
    gain, low, high : float
        Difference and interval in units of the metric, positive is better; NaN where there is none.
    call : str
        What is written on the right beside the numbers.
    colour : str
        Name of a CSS variable.
    summary : bool
        Whether the row sums up those above it.
    """

    label: str
    gain: float
    low: float
    high: float
    call: str
    colour: str
    summary: bool = False


def draw_differences(rows: Sequence[Row], quantity: Quantity, rope: float, name: str, first: str, title: str) -> Drawing | None:
    """Draw how much better or worse one model is than others, or than one other on several tables.

    Parameters
    ----------
    rows : sequence of Row
        Top to bottom.
    quantity : Quantity
        Primary metric.
    rope : float
        Half-width of the region of practical equivalence, in units of the metric.
    name : str
        Name of the drawing.
    first : str
        Label of the model in question.
    title : str
        What a screen reader says first.

    Returns
    -------
    Drawing or None
        None without a row that has a difference.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> row = Row("Averaging", 0.02, 0.01, 0.03, "better", "model-1")
    >>> draw_differences([row], QUANTITIES["accuracy"], 0.01, "d", "Mixture", "Mixture against others").description
    'Averaging: 2.0 points (1.0 to 3.0 points), better.'
    """
    drawn = [row for row in rows if not np.isnan(row.gain)]
    if not drawn:
        return None
    figure, axes = empty_axes(_WIDTH, _TOP + _BOTTOM + _ROW * len(drawn), (_LEFT, _BOTTOM, _RIGHT, _TOP))
    factor = wording.scale(quantity)
    limit = _limit(drawn, rope) * factor
    axes.set(xlim=(-limit, limit), ylim=(len(drawn) - 0.5, -0.5), yticks=[])
    axes.axvspan(-rope * factor, rope * factor, color=stand_in("band"), linewidth=0, zorder=0.5)
    axes.axvline(0, color=stand_in("faint"), linewidth=1, zorder=1)
    for y, row in enumerate(drawn):
        _draw_row(axes, y, row, limit, factor)
        _write_row(axes, y, row, quantity)
    unit = f"{wording.unit(quantity)} of {quantity.label.lower()}"
    label_axis(axes, f"Difference in {unit}; band: within {wording.rope(rope, quantity)}")
    short = wording.name(first, 24)
    write(axes, 0.0, 1 + 12 / axes.get_window_extent().height, f"← {short} worse", "muted", transform=axes.transAxes)
    write(axes, 1.0, 1 + 12 / axes.get_window_extent().height, "better →", "muted", transform=axes.transAxes, ha="right")
    return to_drawing(figure, name, title, _description(drawn, quantity))


def _limit(rows: list[Row], rope: float) -> float:
    """Return how far the axis reaches: one extreme row must not squeeze the others; it is drawn as an arrow."""
    extents = [np.nanmax(np.abs([row.gain, row.low, row.high])) for row in rows]
    return 1.08 * float(max(min(max(extents), 3 * float(np.median(extents))), 2.5 * rope, 1e-9))


def _draw_row(axes: Axes, y: int, row: Row, limit: float, factor: float) -> None:
    colour = stand_in(row.colour)
    gain = row.gain * factor
    if not np.isnan(row.low):
        low, high = (np.clip(end * factor, -limit, limit) for end in (row.low, row.high))
        axes.plot([low, high], [y, y], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=2)
    outside = abs(gain) > limit
    marker = (">" if gain > 0 else "<") if outside else "D" if row.summary else "o"
    axes.plot(
        [np.clip(gain, -0.985 * limit, 0.985 * limit)],
        [y],
        marker=marker,
        markersize=9,
        color=colour,
        markeredgecolor=stand_in("ground"),
        markeredgewidth=1.2,
        linestyle="none",
        zorder=3,
    )


def _write_row(axes: Axes, y: int, row: Row, quantity: Quantity) -> None:
    weight = "bold" if row.summary else "normal"
    transform = axes.get_yaxis_transform()
    common = {"va": "center_baseline", "transform": transform, "fontweight": weight}
    write(axes, -0.02, y, wording.name(row.label, 25), "ink", ha="right", **common)
    write(axes, 1.03, y, _numbers(row, quantity), "ink", **common)
    offset = 146.0 / axes.get_window_extent().width
    write(axes, 1.03 + offset, y, row.call, "muted", **(common | {"fontsize": SMALL}))


def _numbers(row: Row, quantity: Quantity) -> str:
    places, factor = wording.places_of(row.low, row.high, quantity), wording.scale(quantity)
    sign = "+" if round(row.gain * factor, places) > 0 else ""
    ends = "" if np.isnan(row.low) else f" ({wording.number(row.low * factor, places)} to {wording.number(row.high * factor, places)})"
    return f"{sign}{wording.number(row.gain * factor, places)}{ends}"


def _description(rows: list[Row], quantity: Quantity) -> str:
    parts = []
    for row in rows:
        places, factor = wording.places_of(row.low, row.high, quantity), wording.scale(quantity)
        amount = wording.number(row.gain * factor, places)
        span = "" if np.isnan(row.low) else f" ({wording.interval(row.low, row.high, quantity, places)})"
        call = f", {row.call}" if row.call else ""
        parts.append(f"{wording.name(row.label)}: {amount} {wording.unit(quantity, amount)}{span}{call}")
    return "; ".join(parts) + "."
