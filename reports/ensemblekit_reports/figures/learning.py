"""Score against the number of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ensemblekit.displays.canvas import name_axes, quiet_axes, write
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.learning import LearningCurve

#: Height of a label in points.
_LINE = 16.0


def draw_learning(
    curves: Sequence[LearningCurve], labels: dict[str, str], positions: dict[str, int], quantity: Quantity, name: str, where: str
) -> Drawing | None:
    """Draw one line for each model.

    Parameters
    ----------
    curves : sequence of LearningCurve
        Of one table.
    labels : dict of str to str
        What the reader calls the models.
    positions : dict of str to int
        Their places in the palette.
    quantity : Quantity
        Primary metric.
    name : str
        Name of the drawing.
    where : str
        The table.

    Returns
    -------
    Drawing or None
        None with fewer than two points on every line.
    """
    drawn = [curve for curve in curves if len(curve.points) > 1]
    if not drawn:
        return None
    ink, factor = stand_ins(), wording.scale(quantity)
    axes: Any = empty_axes(820, 360, (74, 52, 210, 16))
    for curve in drawn:
        rows, scores = [point.n_train for point in curve.points], [factor * point.score.value for point in curve.points]
        axes.plot(rows, scores, "o-", color=ink.mark(positions[curve.model]), linewidth=2, markersize=5)
    quiet_axes(axes, ink, size=(4, 3))
    ticks = sorted({point.n_train for curve in drawn for point in curve.points})
    axes.set(xscale="log", xticks=ticks, xticklabels=[f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    name_axes(axes, ink, x="training rows", y=f"{quantity.label}{', %' if wording.is_share(quantity) else ''}")
    _write_ends(axes, drawn, labels, positions, factor)
    return to_drawing(axes.figure, name, f"Learning curves, {where}", _description(drawn, labels, quantity))


def _write_ends(axes: Any, curves: Sequence[LearningCurve], labels: dict[str, str], positions: dict[str, int], factor: float) -> None:
    """Write each label beside the end of its line, moved up where another one is in its place, joined by a thin line."""
    ink = stand_ins()
    low, high = axes.get_ylim()
    height = _LINE * (high - low) / axes.get_window_extent().height
    ends = sorted(curves, key=lambda curve: curve.points[-1].score.value)
    values = [factor * curve.points[-1].score.value for curve in ends]
    places = np.array(values)
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + height)
    # too far up: the whole pile comes down until it fits
    places -= max(0.0, places[-1] - (high - height / 2))
    for curve, value, place in zip(ends, values, places, strict=True):
        ends_at = curve.points[-1].n_train
        text = {"xytext": (1.05, place), "textcoords": axes.get_yaxis_transform(), "va": "center", "annotation_clip": False}
        arrow = {"arrowstyle": "-", "color": ink.faint, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
        axes.annotate("", (ends_at, value), arrowprops=arrow, **text)
        label, colour = wording.name(labels[curve.model], 24), ink.mark(positions[curve.model])
        write(axes, 1.06, float(place), label, colour, va="center", transform=axes.get_yaxis_transform(), clip_on=False)


def _description(curves: Sequence[LearningCurve], labels: dict[str, str], quantity: Quantity) -> str:
    parts = [
        f"{wording.name(labels[curve.model])}: "
        + ", ".join(f"{point.n_train:,} rows {wording.score(point.score, quantity)}" for point in curve.points)
        for curve in curves
    ]
    return f"{'; '.join(parts)}."
