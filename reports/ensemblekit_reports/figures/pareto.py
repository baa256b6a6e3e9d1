"""Score against the cost of a prediction, with the front of models that nothing beats on both."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import SMALL, empty_axes, label_axis, write
from ensemblekit_reports.figures.colours import MODEL_MARKERS, stand_in
from ensemblekit_reports.figures.labels import Box, place_labels, text_width
from ensemblekit_reports.figures.svg import Drawing, to_drawing
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.standings import MAIN_COST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.standings import Standing

_WIDTH, _HEIGHT = 820.0, 430.0
_MARGINS = (74.0, 56.0, 20.0, 30.0)
_LINE = 17.0


def draw_pareto(standings: Sequence[Standing], quantity: Quantity, colours: dict[str, str], name: str, where: str) -> Drawing | None:
    """Draw the models of one table, or of all.

    Parameters
    ----------
    standings : sequence of Standing
    quantity : Quantity
        Primary metric, up is better.
    colours : dict of str to str
        CSS variable by model name; only models on the front wear theirs.
    name : str
        Name of the drawing.
    where : str
        What the figure is about, such as ``"iris"`` or ``"5 tables"``.

    Returns
    -------
    Drawing or None
        None when fewer than two models have both a score and a cost: there is nothing to weigh.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.figures.colours import model_variables
    >>> from ensemblekit_reports.standings import on_table
    >>> results = example_results()
    >>> models, colours = on_table(results, "moons"), model_variables(results.models)
    >>> drawing = draw_pareto(models, QUANTITIES["accuracy"], colours, "pareto", "moons")
    >>> drawing.title
    'Accuracy against the time to predict one row, moons'
    """
    shown = [s for s in standings if s.scores[quantity.name].n and MAIN_COST in s.costs and s.costs[MAIN_COST].n]
    if len(shown) < 2:
        return None
    # The front first: its labels get the best places.
    shown.sort(key=lambda standing: not standing.on_front)
    missing = [s for s in standings if s not in shown]
    bottom = _MARGINS[1] + _LINE * len(missing)
    figure, axes = empty_axes(_WIDTH, _HEIGHT + _LINE * len(missing), (_MARGINS[0], bottom, *_MARGINS[2:]))
    _scales(axes, shown, quantity)
    _front_line(axes, shown, quantity)
    for standing in shown:
        _mark(axes, standing, quantity, colours)
    _labels(axes, shown, quantity, colours)
    _missing(axes, missing, bottom)
    title = f"{quantity.label} against the time to predict one row, {where}"
    return to_drawing(figure, name, title, _description(shown, missing, quantity))


def _point(standing: Standing, quantity: Quantity) -> tuple[float, float]:
    return standing.costs[MAIN_COST].value, standing.scores[quantity.name].value * wording.scale(quantity)


def _scales(axes: Axes, shown: list[Standing], quantity: Quantity) -> None:
    costs = np.array([_point(s, quantity)[0] for s in shown])
    axes.set_xscale("log")
    axes.set_xlim(costs.min() / 1.8, costs.max() * 2.6)
    _cost_ticks(axes)
    low, high = _score_limits(shown, quantity)
    axes.set_ylim((low, high) if quantity.higher_is_better else (high, low))
    unit = ", %" if wording.is_share(quantity) else ""
    label_axis(axes, "Median time to predict a single row (log scale)", f"{quantity.label}{unit}")
    write(axes, 0.0, 1.025, "↖ better and cheaper", "muted", transform=axes.transAxes)


def _cost_ticks(axes: Axes) -> None:
    low, high = np.log10(axes.get_xlim())
    decades = np.arange(np.floor(low), np.ceil(high) + 1)
    steps = (1,) if high - low > 3.5 else (1, 3) if high - low > 1 else (1, 2, 5)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= np.log10(tick) <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: wording.cost(tick, QUANTITIES[MAIN_COST])))


def _score_limits(shown: list[Standing], quantity: Quantity) -> tuple[float, float]:
    """Return limits that hold every mean, and intervals as far as they do not squeeze the means together."""
    factor = wording.scale(quantity)
    means = np.array([s.scores[quantity.name].value for s in shown]) * factor
    ends = np.array([(s.scores[quantity.name].low, s.scores[quantity.name].high) for s in shown]) * factor
    reach = max(float(np.ptp(means)), 1e-3 * factor)
    low = max(float(np.nanmin([*ends.ravel(), *means])), means.min() - reach)
    high = min(float(np.nanmax([*ends.ravel(), *means])), means.max() + reach)
    pad = 0.08 * (high - low)
    return low - pad, high + pad


def _steps(shown: list[Standing], quantity: Quantity, right: float) -> list[tuple[float, float]]:
    """Return the corners of the front: the best score that can be had up to each cost."""
    front = sorted(_point(s, quantity) for s in shown if s.on_front)
    corners = front[:1]
    for (_, y), (next_x, next_y) in pairwise(front):
        corners += [(next_x, y), (next_x, next_y)]
    return [*corners, *((right, y) for _, y in front[-1:])]


def _front_line(axes: Axes, shown: list[Standing], quantity: Quantity) -> None:
    if corners := _steps(shown, quantity, axes.get_xlim()[1]):
        xs, ys = zip(*corners, strict=True)
        axes.plot(xs, ys, color=stand_in("faint"), linewidth=1.4, zorder=1.5)


def _mark(axes: Axes, standing: Standing, quantity: Quantity, colours: dict[str, str]) -> None:
    x, y = _point(standing, quantity)
    summary, factor = standing.scores[quantity.name], wording.scale(quantity)
    colour = stand_in(colours[standing.model.name] if standing.on_front else "faint")
    if not np.isnan(summary.low):
        axes.plot(
            [x, x],
            [summary.low * factor, summary.high * factor],
            color=colour,
            linewidth=2.2 if standing.on_front else 1.2,
            alpha=0.45,
            solid_capstyle="butt",
        )
    axes.plot(
        [x],
        [y],
        marker=MODEL_MARKERS.get(standing.model.family, "o"),
        markersize=11 if standing.on_front else 8,
        markerfacecolor=colour if standing.complete else stand_in("ground"),
        markeredgecolor=stand_in("ground") if standing.complete else colour,
        markeredgewidth=1.4,
        linestyle="none",
        zorder=4 if standing.on_front else 3,
    )


def _label(standing: Standing) -> str:
    text = wording.name(standing.model.label, 32)
    return text if standing.complete else f"{text} ({standing.n_finished} of {standing.n_folds} folds)"


def _labels(axes: Axes, shown: list[Standing], quantity: Quantity, colours: dict[str, str]) -> None:
    marks = [tuple(axes.transData.transform(_point(s, quantity))) for s in shown]
    texts = [_label(standing) for standing in shown]
    frame = axes.get_window_extent()
    places = place_labels(
        marks,
        [(text_width(text, SMALL), SMALL * 1.25) for text in texts],
        Box(frame.x0, frame.y0, frame.x1, frame.y1),
        obstacles=_lines(axes, shown, quantity),
    )
    for standing, mark, text, place in zip(shown, marks, texts, places, strict=True):
        x, y = (place.box.left + place.box.right) / 2, (place.box.bottom + place.box.top) / 2
        start, end = axes.transData.inverted().transform([mark, place.nearest(*mark)])
        if place.needs_line:
            axes.plot([start[0], end[0]], [start[1], end[1]], color=stand_in("faint"), linewidth=0.8, zorder=2)
        colour = colours[standing.model.name] if standing.on_front else "muted"
        # The side that faces the mark is the one that a narrower font must not move.
        side = "left" if x > mark[0] + 1 else "right" if x < mark[0] - 1 else "center"
        edge = {"left": place.box.left, "right": place.box.right, "center": x}[side]
        anchor = axes.transData.inverted().transform((edge, y))
        write(
            axes,
            anchor[0],
            anchor[1],
            text,
            colour,
            ha=side,
            va="center_baseline",
            fontweight="bold" if standing.on_front else "normal",
            zorder=5,
        )


def _lines(axes: Axes, shown: list[Standing], quantity: Quantity) -> list[Box]:
    """Return thin boxes over the interval bars and the steps of the front, which names should not cross."""
    factor = wording.scale(quantity)
    boxes = []
    for standing in shown:
        summary, (x, _) = standing.scores[quantity.name], _point(standing, quantity)
        if not np.isnan(summary.low):
            boxes.append(_thin(axes, (x, summary.low * factor), (x, summary.high * factor)))
    front = _steps(shown, quantity, axes.get_xlim()[1])
    return boxes + [_thin(axes, start, end) for start, end in pairwise(front)]


def _thin(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> Box:
    (x0, y0), (x1, y1) = axes.transData.transform([start, end])
    return Box(min(x0, x1) - 2, min(y0, y1) - 2, max(x0, x1) + 2, max(y0, y1) + 2)


def _missing(axes: Axes, missing: list[Standing], bottom: float) -> None:
    height = axes.get_window_extent().height
    for row, standing in enumerate(missing):
        why = "failed" if not standing.n_finished else "no cost measured"
        y = -(bottom - 8 - _LINE * (len(missing) - 1 - row) - 6) / height
        write(axes, 0.0, y, f"✕ {wording.name(standing.model.label, 40)}: {why}", "muted", transform=axes.transAxes)


def _description(shown: list[Standing], missing: list[Standing], quantity: Quantity) -> str:
    unit = " %" if wording.is_share(quantity) else ""
    parts = [
        f"{wording.name(s.model.label)}: {wording.score(s.scores[quantity.name], quantity)}{unit} at "
        f"{wording.cost(s.costs[MAIN_COST].value, QUANTITIES[MAIN_COST])}{' (on the front)' if s.on_front else ''}"
        for s in sorted(shown, key=lambda s: s.costs[MAIN_COST].value)
    ]
    parts += [f"{wording.name(s.model.label)}: not drawn" for s in missing]
    return "; ".join(parts) + "."
