"""What a mixture does, in pictures: its experts' load, what drives its gate, a map of the gate, the trace of its fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from sklearn.inspection import DecisionBoundaryDisplay

from ensemblekit.displays import EMTraceDisplay, ExpertLoadDisplay, GateDisplay
from ensemblekit.displays.canvas import name_axes, quiet_axes, write
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing
from ensemblekit_reports.insights.sentences import driving_columns, how_it_was_fitted, percent, what_it_looks_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ensemblekit_reports.insights.plain import Driver, GateMap, MixtureInsight

#: More experts or columns than these are told in the table alone.
_EXPERTS, _COLUMNS = 6, 8
_INK = stand_ins()
#: Inches of axes that are there already.
_SIZE = (4.0, 3.0)


def expert_colour(expert: int) -> str:
    """Return the stand-in colour of an expert: those of the models, begun with the second, since a mixture has the first.

    Examples
    --------
    >>> expert_colour(0) == stand_ins().mark(1)
    True
    """
    return _INK.mark(expert + 1)


def draw_load(insight: MixtureInsight, name: str, where: str) -> Drawing:
    """Draw the share of the rows that each expert is given.

    Parameters
    ----------
    insight : MixtureInsight
    name : str
        Name of the drawing.
    where : str
        Whose it is, such as ``"Mixture of experts on iris"``.

    Returns
    -------
    Drawing
    """
    load = np.array([expert.given for expert in insight.experts])
    axes = empty_axes(400, 250, (50, 48, 14, 20))
    display = ExpertLoadDisplay(load=load, effective_experts_per_row=insight.effective_per_row).plot(axes)
    quiet_axes(axes, _INK, size=_SIZE)
    axes.set(title="", ylim=(0, max(100 * load.max() * 1.15, 10)))
    name_axes(axes, _INK, x="expert", y="share of the rows, %")
    axes.grid(visible=False, axis="x")
    for k, bar in enumerate(display.bars_):
        bar.set_color(expert_colour(k))
        text = percent(load[k]) if len(load) <= 10 else ""
        write(axes, k, 100 * load[k] + 1, text, _INK.ink, ha="center", va="bottom")
    shares = "; ".join(f"expert {k} {percent(share)}" for k, share in enumerate(load))
    return to_drawing(display.figure_, name, f"Share of the rows that each expert is given, {where}", f"{shares}.")


def draw_trace(insight: MixtureInsight, name: str, where: str) -> Drawing:
    """Draw the penalised log-likelihood after every step of the fit.

    Parameters
    ----------
    insight : MixtureInsight
    name, where : str
        As in `draw_load`.

    Returns
    -------
    Drawing
    """
    axes = empty_axes(400, 250, (74, 48, 14, 20))
    display = EMTraceDisplay(lower_bounds=np.array(insight.bounds), converged=insight.converged, steps=np.array(insight.steps)).plot(axes)
    display.gap_.axes.set_visible(False)
    quiet_axes(axes, _INK, size=_SIZE)
    axes.set(title="")
    name_axes(axes, _INK, x="round of boosting" if insight.bank == "BoostedExperts" else "step of the fit", y="penalised log-likelihood")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    display.line_.set(color=_INK.mark(0), linewidth=2)
    (end,) = axes.plot(insight.steps[-1:], insight.bounds[-1:], "o", color=_INK.mark(0), markersize=6)
    end.set_clip_on(False)
    said = f"{how_it_was_fitted(insight)} It ended at {wording.number(insight.bounds[-1], 1)}."
    return to_drawing(display.figure_, name, f"How the fit rose, {where}", said)


def draw_drivers(insight: MixtureInsight, name: str, where: str) -> Drawing | None:
    """Draw for each expert how far each column moves its share, towards higher values or lower ones.

    Parameters
    ----------
    insight : MixtureInsight
    name, where : str
        As in `draw_load`.

    Returns
    -------
    Drawing or None
        None where no column drives the gate.
    """
    totals = driving_columns(insight)
    columns = sorted(totals, key=lambda column: -totals[column])[:_COLUMNS]
    if not columns:
        return None
    shown = [k for k, expert in enumerate(insight.experts) if expert.drivers][:_EXPERTS]
    width, left, panel = 820.0, 170.0, 650.0 / len(shown)
    height = 78.0 + 24.0 * len(columns)
    axes = empty_axes(width, height, (left, 44, 0, 34))
    figure: Any = axes.figure
    axes.set_axis_off()
    limit = 100 * max(driver.effect for expert in insight.experts for driver in expert.drivers) * 1.5
    for i, k in enumerate(shown):
        box = ((left + i * panel + 16) / width, 44 / height, (panel - 32) / width, 24.0 * len(columns) / height)
        _panel(figure.add_axes(box), k, insight.experts[k].drivers, columns, limit, names=i == 0)
    return to_drawing(figure, name, f"What drives the gate, {where}", what_it_looks_at(insight))


def _panel(axes: Axes, k: int, drivers: tuple[Driver, ...], columns: list[str], limit: float, *, names: bool) -> None:
    quiet_axes(axes, _INK, size=_SIZE)
    axes.set(xlim=(-limit, limit), ylim=(len(columns) - 0.5, -0.5), yticks=[], xticks=[])
    axes.grid(visible=False)
    axes.axvline(0, color=_INK.faint, linewidth=1)
    write(axes, 0, -0.72, f"expert {k}", _INK.ink, ha="center", va="bottom", fontweight="bold")
    for driver in drivers:
        if driver.column in columns:
            _bar(axes, columns.index(driver.column), k, driver)
    write(axes, -limit, len(columns) - 0.35, "← lower", _INK.muted, va="top")
    write(axes, limit, len(columns) - 0.35, "higher →", _INK.muted, ha="right", va="top")
    if names:
        for y, column in enumerate(columns):
            write(axes, -1.06 * limit, y, wording.name(column, 22), _INK.ink, ha="right", va="center_baseline")


def _bar(axes: Axes, y: int, k: int, driver: Driver) -> None:
    sign = -1 if driver.direction < 0 else 1
    length = 100 * driver.effect
    axes.barh([y], [sign * length], color=expert_colour(k), height=0.6)
    text = f"{length:.0f}" if length >= 1 else "<1"
    text += f" {wording.name(driver.level, 9)}" if driver.level else ""
    write(
        axes,
        sign * (length + 0.02 * np.ptp(axes.get_xlim())),
        y,
        text,
        _INK.muted,
        ha="left" if sign > 0 else "right",
        va="center_baseline",
    )


def draw_map(gate_map: GateMap, name: str, where: str) -> Drawing:
    """Draw which expert leads where over two columns, and where the answer changes.

    Parameters
    ----------
    gate_map : GateMap
    name, where : str
        As in `draw_load`.

    Returns
    -------
    Drawing
    """
    proba = np.array(gate_map.proba)
    first, second = np.array(gate_map.first), np.array(gate_map.second)
    axes = empty_axes(560, 400, (70, 52, 14, 14))
    rows = np.array(gate_map.rows).reshape(-1, 2)
    display = GateDisplay(first=first, second=second, proba=proba, rows=rows, names=gate_map.columns).plot(axes, plot_method="contourf")
    quiet_axes(axes, _INK, size=_SIZE)
    display.ax_.get_legend().remove()
    axes.grid(visible=False)
    name_axes(axes, _INK, *(wording.name(column, 40) for column in gate_map.columns))
    for k, layers in display.regions_.items():
        for layer in layers:
            layer.set_array(None)  # else it takes its colours from there once more
            layer.set(facecolor=expert_colour(k), edgecolor="none")
    for border in display.borders_:
        border.set_array(None)
        border.set(facecolor="none", edgecolor=_INK.muted, linewidth=1)
    display.dots_.set(color=_INK.ink, alpha=0.6, sizes=[9])
    _answers(axes, gate_map)
    for k in display.regions_:
        _label_region(axes, display, k)
    leads = proba.argmax(axis=2)
    said = "; ".join(f"expert {k} leads on {percent(float((leads == k).mean()))} of the map" for k in display.regions_)
    title = f"Which expert leads where, {where}"
    return to_drawing(display.figure_, name, title, f"{said}.")


def _answers(axes: Axes, gate_map: GateMap) -> None:
    """Draw where the most probable class changes: the zero line of each class's lead over all others."""
    if not gate_map.answers:
        return
    answers = np.array(gate_map.answers)
    grid = np.meshgrid(gate_map.first, gate_map.second)
    for c in range(1 if answers.shape[2] == 2 else 0, answers.shape[2]):
        lead = answers[:, :, c] - np.delete(answers, c, axis=2).max(axis=2)
        if lead.min() < 0 < lead.max():
            border = DecisionBoundaryDisplay(xx0=grid[0], xx1=grid[1], n_classes=2, response=lead)
            border.plot("contour", ax=axes, levels=[0], colors=[_INK.ink], linewidths=[2.4])


def _label_region(axes: Axes, display: GateDisplay, k: int) -> None:
    """Write an expert's number where it leads by most, as far from borders as probabilities tell."""
    own: Any = display.proba[:, :, k] * (display.proba.argmax(axis=2) == k)
    weight = np.where(own >= own.max() - 0.1, 1.0, 0.0)
    i, j = np.nonzero(weight)
    centre = i.mean(), j.mean()
    nearest = np.argmin((i - centre[0]) ** 2 + (j - centre[1]) ** 2)
    x, y = display.first[j[nearest]], display.second[i[nearest]]
    box = {"boxstyle": "round,pad=0.3", "facecolor": _INK.ground, "edgecolor": expert_colour(k)}
    write(axes, float(x), float(y), f"expert {k}", _INK.ink, ha="center", va="center", bbox=box)
