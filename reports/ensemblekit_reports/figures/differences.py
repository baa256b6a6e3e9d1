"""Paired differences against the region of practical equivalence, as a drawing of the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ensemblekit.displays.paired_difference import PairedDifference, PairedDifferenceDisplay
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    position : int or None
        Place of its colour in the palette; None for ink.
    summary : bool
        Whether the row sums up those above it.
    """

    label: str
    gain: float
    low: float
    high: float
    call: str
    position: int | None
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
    >>> row = Row("Averaging", 0.02, 0.01, 0.03, "better", 1)
    >>> draw_differences([row], QUANTITIES["accuracy"], 0.01, "d", "Mixture", "Mixture against others").description
    'Averaging: 2.0 points (1.0 to 3.0 points), better.'
    """
    drawn = [row for row in rows if not math.isnan(row.gain)]
    if not drawn:
        return None
    unit = f"{wording.unit(quantity)} of {wording.metric(quantity)}".removeprefix(" of ")
    display = PairedDifferenceDisplay(
        [_line(row, quantity) for row in drawn],
        first=wording.name(first, 24),
        unit=f"Difference in {unit}; band: within {wording.rope(rope, quantity)}",
        rope=rope * wording.scale(quantity),
    )
    axes = empty_axes(_WIDTH, _TOP + _BOTTOM + _ROW * len(drawn), (_LEFT, _BOTTOM, _RIGHT, _TOP))
    display.plot(axes, palette=stand_ins())
    return to_drawing(display.figure_, name, title, _description(drawn, quantity))


def _line(row: Row, quantity: Quantity) -> PairedDifference:
    factor = wording.scale(quantity)
    return PairedDifference(
        wording.name(row.label, 25),
        row.gain * factor,
        row.low * factor,
        row.high * factor,
        _numbers(row, quantity),
        row.call,
        row.position,
        row.summary,
    )


def _numbers(row: Row, quantity: Quantity) -> str:
    places, factor = wording.places_of(row.low, row.high, quantity), wording.scale(quantity)
    sign = "+" if round(row.gain * factor, places) > 0 else ""
    ends = "" if math.isnan(row.low) else f" ({wording.number(row.low * factor, places)} to {wording.number(row.high * factor, places)})"
    return f"{sign}{wording.number(row.gain * factor, places)}{ends}"


def _description(rows: list[Row], quantity: Quantity) -> str:
    parts = []
    for row in rows:
        places, factor = wording.places_of(row.low, row.high, quantity), wording.scale(quantity)
        amount = wording.number(row.gain * factor, places)
        span = "" if math.isnan(row.low) else f" ({wording.interval(row.low, row.high, quantity, places)})"
        call = f", {row.call}" if row.call else ""
        parts.append(f"{wording.name(row.label)}: {wording.amount(amount, quantity)}{span}{call}")
    return "; ".join(parts) + "."
