"""Score against the cost of a prediction, as a drawing of the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ensemblekit.displays.pareto import NOWHERE, ParetoDisplay, ParetoPoint
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import MODEL_MARKERS, stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.reporting.standings import MAIN_COST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.standings import Standing
    from ensemblekit_reports.statistics.summaries import Summary

_WIDTH, _HEIGHT = 820.0, 430.0
_MARGINS = (74.0, 56.0, 20.0, 30.0)
_LINE = 17.0


def draw_pareto(standings: Sequence[Standing], quantity: Quantity, positions: dict[str, int], name: str, where: str) -> Drawing | None:
    """Draw the models of one table, or of all.

    Parameters
    ----------
    standings : sequence of Standing
    quantity : Quantity
        Primary metric, the better end is up.
    positions : dict of str to int
        Place in the palette by model name; only models on the front wear their colour.
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
    >>> from ensemblekit_reports.figures.colours import model_positions
    >>> from ensemblekit_reports.reporting.standings import on_table
    >>> results = example_results()
    >>> models, positions = on_table(results, "moons"), model_positions(results.models)
    >>> drawing = draw_pareto(models, QUANTITIES["accuracy"], positions, "pareto", "moons")
    >>> drawing.title
    'Accuracy against the time to predict one row, moons'
    """
    shown = [s for s in standings if s.scores[quantity.name].n and MAIN_COST in s.costs and s.costs[MAIN_COST].n]
    if len(shown) < 2:
        return None
    missing = [s for s in standings if s not in shown]
    unit = ", %" if wording.is_share(quantity) else ""
    display = ParetoDisplay(
        [_point(standing, quantity, positions[standing.model.name]) for standing in shown],
        score_name=f"{quantity.label}{unit}",
        cost_name="Median time to predict a single row",
        higher_is_better=quantity.higher_is_better,
        cost_text=lambda tick: wording.cost(tick, QUANTITIES[MAIN_COST]),
        missing=[_why_missing(standing) for standing in missing],
    )
    beneath = _LINE * len(missing)
    left, bottom, right, top = _MARGINS
    axes = empty_axes(_WIDTH, _HEIGHT + beneath, (left, bottom + beneath, right, top))
    display.plot(axes, palette=stand_ins())
    _join_to_parents(axes, shown, quantity)
    title = f"{quantity.label} against the time to predict one row, {where}"
    return to_drawing(display.figure_, name, title, _description(shown, missing, quantity))


def _point(standing: Standing, quantity: Quantity, position: int) -> ParetoPoint:
    score, cost = standing.scores[quantity.name], standing.costs[MAIN_COST]
    factor = wording.scale(quantity)
    return ParetoPoint(
        _label(standing),
        score.value * factor,
        cost.value,
        (score.low * factor, score.high * factor),
        _range(cost),
        MODEL_MARKERS.get(standing.model.family, "o"),
        position,
        standing.complete,
    )


def _join_to_parents(axes: Axes, shown: list[Standing], quantity: Quantity) -> None:
    """Draw a dotted line from each compressed model to the one that it was made of."""
    factor = wording.scale(quantity)
    places = {s.model.name: (s.costs[MAIN_COST].value, s.scores[quantity.name].value * factor) for s in shown}
    for standing in shown:
        if standing.model.parent in places:
            ends = zip(places[standing.model.parent], places[standing.model.name], strict=True)
            axes.plot(*map(list, ends), ":", color=stand_ins().muted, linewidth=1.2, zorder=1.4)


def _range(cost: Summary) -> tuple[float, float]:
    return NOWHERE if math.isnan(cost.low) or cost.low == cost.high else (cost.low, cost.high)


def _label(standing: Standing) -> str:
    text = wording.name(standing.model.label, 32)
    return text if standing.complete else f"{text} ({standing.n_finished} of {standing.n_folds} folds)"


def _why_missing(standing: Standing) -> str:
    return f"{wording.name(standing.model.label, 40)}: {'no cost measured' if standing.n_finished else 'failed'}"


def _description(shown: list[Standing], missing: list[Standing], quantity: Quantity) -> str:
    unit = " %" if wording.is_share(quantity) else ""
    parts = [
        f"{wording.name(s.model.label)}: {wording.score(s.scores[quantity.name], quantity)}{unit} at "
        f"{wording.cost(s.costs[MAIN_COST].value, QUANTITIES[MAIN_COST])}{' (on the front)' if s.on_front else ''}"
        for s in sorted(shown, key=lambda s: s.costs[MAIN_COST].value)
    ]
    parts += [f"{wording.name(s.model.label)}: not drawn" for s in missing]
    return "; ".join(parts) + "."
