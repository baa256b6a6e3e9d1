"""Paired differences with their intervals against the region of practical equivalence, as a forest plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ensemblekit._extras import require
from ensemblekit.displays.canvas import name_axes, quiet_axes, write
from ensemblekit.displays.palette import LIGHT, Palette


@dataclass(frozen=True)
class PairedDifference:
    """One line of the plot.

    Parameters
    ----------
    label : str
        What is written on the left.
    gain, low, high : float
        Difference and interval in the units that the axis shows, positive is better; NaN for no interval.
    numbers, call : str
        What is written on the right: the difference in words, and what was concluded.
    colour : int or None
        Position of its colour in the palette; ink when None.
    summary : bool
        Whether the line sums up those above it.
    """

    label: str
    gain: float
    low: float = math.nan
    high: float = math.nan
    numbers: str = ""
    call: str = ""
    colour: int | None = 0
    summary: bool = False


@dataclass
class PairedDifferenceDisplay:
    """How much better or worse one model is than others, or than one other on several tables.

    Parameters
    ----------
    rows : sequence of PairedDifference
        Top to bottom, at least one.
    first : str
        Label of the model in question.
    unit : str
        Name of the axis: of what the differences are, and in which unit.
    rope : float, default=0.0
        Half-width of the region of practical equivalence, shaded.

    Attributes
    ----------
    limit : float
        How far the axis reaches: one extreme row must not squeeze the others; what lies beyond is drawn as an arrow.
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    marks_ : list of matplotlib Line2D
        In the order of the rows.
    band_ : matplotlib patch
        The region of practical equivalence.

    Examples
    --------
    >>> row = PairedDifference("Averaging", 2.0, 1.0, 3.0, "+2.0 (1.0 to 3.0)", "better")
    >>> display = PairedDifferenceDisplay([row], first="Mixture", unit="points of accuracy", rope=1.0).plot()
    >>> display.ax_.get_xlabel()
    'points of accuracy'
    """

    rows: Sequence[PairedDifference]
    first: str = "the first"
    unit: str = "difference"
    rope: float = 0.0

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("There is nothing to draw: give at least one row.")
        extents = [np.nanmax(np.abs([row.gain, row.low, row.high])) for row in self.rows]
        self.limit = 1.08 * float(max(min(max(extents), 4.5 * float(np.median(extents))), 2.5 * self.rope, 1e-9))

    @classmethod
    def from_comparisons(
        cls,
        comparisons: Iterable[Any],
        *,
        labels: Mapping[str, str] | None = None,
        unit: str = "difference",
        rope: float = 0.0,
        ax: Any = None,
    ) -> PairedDifferenceDisplay:
        """Draw what a report found about pairs of models.

        Parameters
        ----------
        comparisons : iterable of object
            With ``first``, ``second``, ``gain``, ``low``, ``high`` and ``call``, all with the same first: such as
            ``report.against_focus(report.comparisons)`` of
            `ensemblekit_reports.reporting.report.Report`. Those without a gain are left out.
        labels : mapping of str to str, default=None
            From the names of the models to what is written.
        unit : str, default="difference"
            Name of the axis.
        rope : float, default=0.0
            Half-width of the region of practical equivalence.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        PairedDifferenceDisplay
            Drawn.

        Raises
        ------
        ValueError
            If no comparison has a gain, or their firsts differ.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> found = SimpleNamespace(first="moe", second="averaging", gain=0.02, low=0.01, high=0.03, call="better")
        >>> PairedDifferenceDisplay.from_comparisons([found]).rows[0].label
        'averaging'
        """
        known = labels or {}
        drawn = [c for c in comparisons if not math.isnan(c.gain)]
        firsts = sorted({c.first for c in drawn})
        if len(firsts) > 1:
            raise ValueError(f"The comparisons must all be of one model with others; they begin with {', '.join(firsts)}.")
        rows = [
            PairedDifference(known.get(c.second, c.second), c.gain, c.low, c.high, f"{c.gain:+.3g}", c.call, position)
            for position, c in enumerate(drawn, start=1)
        ]
        return cls(rows, first=known.get(firsts[0], firsts[0]) if firsts else "", unit=unit, rope=rope).plot(ax=ax)

    def plot(self, ax: Any = None, *, palette: Palette = LIGHT) -> PairedDifferenceDisplay:
        """Draw a line for each row, and write its numbers beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None. Labels and numbers stand left and right of it.
        palette : Palette, default=LIGHT
            Colours to draw with.

        Returns
        -------
        PairedDifferenceDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = quiet_axes(ax, palette, size=(10, 1.1 + 0.4 * len(self.rows)))
        self.ax_, self.figure_ = ax, ax.figure
        ax.set(xlim=(-self.limit, self.limit), ylim=(len(self.rows) - 0.5, -0.5), yticks=[])
        self.band_ = ax.axvspan(-self.rope, self.rope, color=palette.band, linewidth=0, zorder=0.5)
        ax.axvline(0, color=palette.faint, linewidth=1, zorder=1)
        self.marks_ = [self._mark(y, row, palette) for y, row in enumerate(self.rows)]
        for y, row in enumerate(self.rows):
            self._write(y, row, palette)
        ax.locator_params(axis="x", nbins=8, steps=[1, 2, 5, 10])
        name_axes(ax, palette, self.unit)
        above = 1 + 12 * self.figure_.dpi / 72 / ax.get_window_extent().height
        write(ax, 0.0, above, f"← {self.first} worse", palette.muted, transform=ax.transAxes)
        write(ax, 1.0, above, "better →", palette.muted, transform=ax.transAxes, ha="right")
        return self

    def _mark(self, y: int, row: PairedDifference, palette: Palette) -> Any:
        colour = palette.ink if row.colour is None else palette.mark(row.colour)
        if not math.isnan(row.low):
            ends = np.clip([row.low, row.high], -self.limit, self.limit)
            self._line(ends, y, colour, linewidth=2.4, solid_capstyle="butt", zorder=2)
            for end in ends[np.array([row.low, row.high]) != ends]:
                self._line([0.99 * end], y, colour, marker=">" if end > 0 else "<", markersize=7, markeredgewidth=0, zorder=2)
        outside = abs(row.gain) > self.limit
        marker = (">" if row.gain > 0 else "<") if outside else "D" if row.summary else "o"
        edge = {"markeredgecolor": palette.ground, "markeredgewidth": 1.2}
        return self._line(
            [np.clip(row.gain, -0.985 * self.limit, 0.985 * self.limit)], y, colour, marker=marker, markersize=9, zorder=3, **edge
        )

    def _line(self, x: Any, y: int, colour: str, **look: Any) -> Any:
        # An artist and not `plot`, which would ask for limits again that are set.
        line = require("matplotlib.lines", extra="report", purpose="Drawing").Line2D(x, [y] * len(x), color=colour, clip_on=False, **look)
        line.set_transform(self.ax_.transData)
        return self.ax_.add_artist(line)

    def _write(self, y: int, row: PairedDifference, palette: Palette) -> None:
        weight = "bold" if row.summary else "normal"
        common = {"va": "center_baseline", "transform": self.ax_.get_yaxis_transform(), "fontweight": weight}
        write(self.ax_, -0.02, y, row.label, palette.ink, ha="right", **common)
        write(self.ax_, 1.03, y, row.numbers, palette.ink, **common)
        offset = 146.0 * self.figure_.dpi / 72 / self.ax_.get_window_extent().width
        write(self.ax_, 1.03 + offset, y, row.call, palette.muted, **common)
