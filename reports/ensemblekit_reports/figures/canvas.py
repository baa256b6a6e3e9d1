"""An empty figure in the report's manner: quiet axes, stand-in colours, one pixel a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ensemblekit_reports.figures.colours import stand_in
from ensemblekit_reports.figures.svg import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL, NORMAL = 12.0, 13.0


def empty_axes(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """Make one pair of axes inside margins.

    Parameters
    ----------
    width, height : float
        Size of the figure in pixels.
    margins : tuple of float
        Left, bottom, right, top in pixels.

    Returns
    -------
    Figure, Axes

    Examples
    --------
    >>> figure, axes = empty_axes(400, 300, (50, 40, 10, 10))
    >>> [round(float(side)) for side in axes.get_window_extent().bounds]
    [50, 40, 340, 250]
    """
    left, bottom, right, top = margins
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    figure.patch.set_visible(False)
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height))
    axes.patch.set_visible(False)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=stand_in("muted"), pad=6)
    axes.grid(visible=True, color=stand_in("grid"), linewidth=1)
    axes.set_axisbelow(True)
    return figure, axes


def label_axis(axes: Axes, x: str = "", y: str = "") -> None:
    """Name the axes in the quiet colour.

    Examples
    --------
    >>> _, axes = empty_axes(400, 300, (50, 40, 10, 10))
    >>> label_axis(axes, x="Cost")
    >>> axes.get_xlabel()
    'Cost'
    """
    axes.set_xlabel(x, fontsize=SMALL, color=stand_in("muted"), labelpad=8)
    axes.set_ylabel(y, fontsize=SMALL, color=stand_in("muted"), labelpad=8)


def write(axes: Axes, x: float, y: float, text: str, colour: str = "ink", **kwargs: object) -> None:
    """Write a text exactly as it is: a dollar sign in a model's name starts no formula.

    Examples
    --------
    >>> _, axes = empty_axes(400, 300, (50, 40, 10, 10))
    >>> write(axes, 0, 0, "cost in $ or $$")
    >>> axes.texts[0].get_text()
    'cost in $ or $$'
    """
    axes.text(x, y, text, color=stand_in(colour), parse_math=False, **{"fontsize": SMALL, **kwargs})  # type: ignore[arg-type]
