"""Score against cost, with the front of models that nothing beats on both, as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from ensemblekit._extras import require
from ensemblekit.displays.canvas import SMALL, name_axes, quiet_axes, write
from ensemblekit.displays.ensemble_cost import UNITS
from ensemblekit.displays.front import pareto_front
from ensemblekit.displays.label_places import Box, place_labels, text_width
from ensemblekit.displays.palette import LIGHT, Palette
from ensemblekit.ensembles.costs import member_costs

NOWHERE = (math.nan, math.nan)


@dataclass(frozen=True)
class ParetoPoint:
    """One model.

    Parameters
    ----------
    label : str
        What is written beside it.
    score, cost : float
        In the units that the axes show.
    score_interval, cost_interval : (float, float)
        Drawn as bars; NaN for none.
    marker : str
        matplotlib's name of a shape.
    colour : int
        Position of its colour in the palette; worn on the front only.
    complete : bool
        Whether it finished everything; else it is drawn hollow and is not on the front.
    """

    label: str
    score: float
    cost: float
    score_interval: tuple[float, float] = NOWHERE
    cost_interval: tuple[float, float] = NOWHERE
    marker: str = "o"
    colour: int = 0
    complete: bool = True


@dataclass
class ParetoDisplay:
    """Models by score and cost: those that no other one beats in both wear colour and are joined by steps, the others are grey.

    Parameters
    ----------
    points : sequence of ParetoPoint
        At least one.
    score_name, cost_name : str
        Names of the axes.
    higher_is_better : bool, default=True
        Of the score; the better end is always up.
    cost_text : callable, default=format(cost, "g")
        From a cost to the text of a tick.
    missing : sequence of str
        What could not be drawn and why, written beneath, one line each.

    Attributes
    ----------
    front : ndarray of shape (n_points,), bool
        Which points are on the front.
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    steps_ : matplotlib Line2D
        The best score that can be had up to each cost.
    marks_ : list of matplotlib Line2D
        In the order of the points.

    Examples
    --------
    >>> points = [ParetoPoint("small", 0.9, 1.0), ParetoPoint("large", 0.95, 8.0, colour=1), ParetoPoint("slow", 0.91, 9.0)]
    >>> display = ParetoDisplay(points, score_name="accuracy", cost_name="seconds").plot()
    >>> display.front
    array([ True,  True, False])
    """

    points: Sequence[ParetoPoint]
    score_name: str = "score"
    cost_name: str = "cost"
    higher_is_better: bool = True
    cost_text: Callable[[float], str] = "{:g}".format
    missing: Sequence[str] = ()
    front: Any = field(init=False)

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("There is nothing to draw: give at least one point.")
        sign = -1.0 if self.higher_is_better else 1.0
        losses = [sign * p.score if p.complete else math.nan for p in self.points]
        self.front = pareto_front(losses, [p.cost for p in self.points])

    @classmethod
    def from_estimators(
        cls, estimators: Mapping[str, Any], X: Any, y: Any, *, scoring: Any = None, cost: str = "latency", ax: Any = None
    ) -> ParetoDisplay:
        """Score fitted models on rows that they have not seen, take their costs, and draw.

        Parameters
        ----------
        estimators : mapping of str to fitted estimator
            By label.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        scoring : str or callable, default=None
            As in scikit-learn, higher being better; the estimators' own score when None.
        cost : {"latency", "node_visits", "size"}, default="latency"
            Seconds a row in one call, node visits a row (trees only; the same on every machine), or pickled bytes.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ParetoDisplay
            Drawn.

        Raises
        ------
        ValueError
            If there is no such cost, or a model costs nothing, such as a tree of one leaf.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> trees = {f"depth {d}": DecisionTreeClassifier(max_depth=d, random_state=0).fit(X, y) for d in (1, 2)}
        >>> ParetoDisplay.from_estimators(trees, X, y, cost="node_visits").front
        array([ True,  True])
        """
        scores = [float(check_scoring(model, scoring)(model, X, y)) for model in estimators.values()]
        costs = member_costs(cost, list(estimators.values()), X)
        free = [label for label, its in zip(estimators, costs, strict=True) if its <= 0]
        if free:
            raise ValueError(
                f"{free} cost no {UNITS[cost]}, which a log scale cannot show: leave them out, or take cost='latency' or 'size'."
            )
        points = [ParetoPoint(*point, colour=position) for position, point in enumerate(zip(estimators, scores, costs, strict=True))]
        name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
        return cls(points, score_name=name.replace("_", " "), cost_name=UNITS[cost]).plot(ax=ax)

    def plot(self, ax: Any = None, *, palette: Palette = LIGHT) -> ParetoDisplay:
        """Draw the models, their intervals, their front and their names.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None. Names are placed for its present size.
        palette : Palette, default=LIGHT
            Colours to draw with.

        Returns
        -------
        ParetoDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = quiet_axes(ax, palette, size=(9, 5))
        self.ax_, self.figure_ = ax, ax.figure
        self._scale(palette)
        self._step(palette)
        self.marks_ = [self._mark(point, front, palette) for point, front in zip(self.points, self.front, strict=True)]
        self._write_labels(palette)
        self._write_missing(palette)
        return self

    def _scale(self, palette: Palette) -> None:
        costs = np.array([p.cost for p in self.points])
        self.ax_.set_xscale("log")
        self.ax_.set_xlim(costs.min() / 1.8, costs.max() * 2.6)
        self._tick_costs()
        low, high = self._score_limits()
        self.ax_.set_ylim((low, high) if self.higher_is_better else (high, low))
        name_axes(self.ax_, palette, f"{self.cost_name} (log scale)", self.score_name)
        write(self.ax_, 0.0, 1.025, "↖ better and cheaper", palette.muted, transform=self.ax_.transAxes)

    def _tick_costs(self) -> None:
        ticker = require("matplotlib.ticker", extra="report", purpose="Drawing")
        low, high = np.log10(self.ax_.get_xlim())
        steps = (1,) if high - low > 3.5 else (1, 3) if high - low > 1 else (1, 2, 5)
        ticks = [step * 10.0**decade for decade in np.arange(np.floor(low), np.ceil(high) + 1) for step in steps]
        self.ax_.xaxis.set_major_locator(ticker.FixedLocator([tick for tick in ticks if low <= np.log10(tick) <= high]))
        self.ax_.xaxis.set_minor_locator(ticker.NullLocator())
        self.ax_.xaxis.set_major_formatter(ticker.FuncFormatter(lambda tick, _: self.cost_text(tick)))

    def _score_limits(self) -> tuple[float, float]:
        """Return limits that hold every score, and intervals as far as they do not squeeze the scores together."""
        scores = np.array([p.score for p in self.points])
        ends = np.array([p.score_interval for p in self.points]).ravel()
        reach = max(float(np.ptp(scores)), 1e-3 * float(np.abs(scores).max()), 1e-9)
        low = max(float(np.nanmin([*ends, *scores])), scores.min() - reach)
        high = min(float(np.nanmax([*ends, *scores])), scores.max() + reach)
        pad = 0.08 * (high - low) or reach
        return low - pad, high + pad

    def _corners(self) -> list[tuple[float, float]]:
        """Return the corners of the front: the best score that can be had up to each cost."""
        front = sorted((p.cost, p.score) for p, on in zip(self.points, self.front, strict=True) if on)
        corners = front[:1]
        for (_, y), (next_x, next_y) in pairwise(front):
            corners += [(next_x, y), (next_x, next_y)]
        return [*corners, *((self.ax_.get_xlim()[1], y) for _, y in front[-1:])]

    def _step(self, palette: Palette) -> None:
        xs, ys = zip(*(self._corners() or [NOWHERE]), strict=True)
        (self.steps_,) = self.ax_.plot(xs, ys, color=palette.faint, linewidth=1.4, zorder=1.5)

    def _mark(self, point: ParetoPoint, on_front: bool, palette: Palette) -> Any:
        colour = palette.mark(point.colour) if on_front else palette.faint
        bar = {"color": colour, "linewidth": 2.2 if on_front else 1.2, "alpha": 0.45, "solid_capstyle": "butt"}
        if not math.isnan(point.score_interval[0]):
            self.ax_.plot([point.cost] * 2, point.score_interval, **bar)
        if not math.isnan(point.cost_interval[0]):
            self.ax_.plot(point.cost_interval, [point.score] * 2, **bar)
        (mark,) = self.ax_.plot(
            [point.cost],
            [point.score],
            marker=point.marker,
            markersize=11 if on_front else 8,
            markerfacecolor=colour if point.complete else palette.ground,
            markeredgecolor=palette.ground if point.complete else colour,
            markeredgewidth=1.4,
            linestyle="none",
            zorder=4 if on_front else 3,
        )
        return mark

    def _write_labels(self, palette: Palette) -> None:
        # The front first: its labels get the best places.
        order = sorted(range(len(self.points)), key=lambda i: not self.front[i])
        points = [self.points[i] for i in order]
        pixels = self.figure_.dpi / 72
        frame = self.ax_.get_window_extent()
        marks = [tuple(self.ax_.transData.transform((p.cost, p.score))) for p in points]
        places = place_labels(
            marks,
            [(pixels * text_width(p.label, SMALL), pixels * SMALL * 1.25) for p in points],
            Box(frame.x0, frame.y0, frame.x1, frame.y1),
            obstacles=self._lines(),
            radius=8.0 * pixels,
        )
        inverted = self.ax_.transData.inverted()
        for point, on_front, mark, place in zip(points, self.front[order], marks, places, strict=True):
            if place.needs_line:
                (x0, y0), (x1, y1) = inverted.transform([mark, place.nearest(*mark)])
                self.ax_.plot([x0, x1], [y0, y1], color=palette.faint, linewidth=0.8, zorder=2)
            colour = palette.mark(point.colour) if on_front else palette.muted
            # The side that faces the mark is the one that a narrower font must not move.
            centre = (place.box.left + place.box.right) / 2
            side = "left" if centre > mark[0] + 1 else "right" if centre < mark[0] - 1 else "center"
            edge = {"left": place.box.left, "right": place.box.right, "center": centre}[side]
            x, y = inverted.transform((edge, (place.box.bottom + place.box.top) / 2))
            weight = "bold" if on_front else "normal"
            write(self.ax_, x, y, point.label, colour, ha=side, va="center_baseline", fontweight=weight, zorder=5)

    def _lines(self) -> list[Box]:
        """Return thin boxes over the bars and the steps of the front, which names should not cross."""
        bars = [((p.cost, p.score_interval[0]), (p.cost, p.score_interval[1])) for p in self.points]
        bars += [((p.cost_interval[0], p.score), (p.cost_interval[1], p.score)) for p in self.points]
        drawn = [bar for bar in bars if not np.isnan(bar).any()]
        return [self._thin(start, end) for start, end in (*drawn, *pairwise(self._corners()))]

    def _thin(self, start: tuple[float, float], end: tuple[float, float]) -> Box:
        (x0, y0), (x1, y1) = self.ax_.transData.transform([start, end])
        return Box(min(x0, x1) - 2, min(y0, y1) - 2, max(x0, x1) + 2, max(y0, y1) + 2)

    def _write_missing(self, palette: Palette) -> None:
        line = 1.4 * SMALL * self.figure_.dpi / 72 / self.ax_.get_window_extent().height
        for row, text in enumerate(self.missing):
            write(self.ax_, 0.0, -(3.6 + row) * line, f"✕ {text}", palette.muted, transform=self.ax_.transAxes)
