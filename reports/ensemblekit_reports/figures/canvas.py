"""An empty figure of the page's size: one pixel a point, nothing behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ensemblekit_reports.figures.svg import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def empty_axes(width: float, height: float, margins: tuple[float, float, float, float]) -> Axes:
    """Make one pair of axes inside margins.

    Parameters
    ----------
    width, height : float
        Size of the figure in pixels.
    margins : tuple of float
        Left, bottom, right, top in pixels.

    Returns
    -------
    Axes

    Examples
    --------
    >>> axes = empty_axes(400, 300, (50, 40, 10, 10))
    >>> [round(float(side)) for side in axes.get_window_extent().bounds]
    [50, 40, 340, 250]
    """
    left, bottom, right, top = margins
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    figure.patch.set_visible(False)
    return figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height))
