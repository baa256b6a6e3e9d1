"""Axes in the report's manner: quiet lines, texts exactly as they are."""

from __future__ import annotations

from typing import Any

from ensemblekit._extras import require
from ensemblekit.displays.palette import Palette

#: Size of texts in points.
SMALL = 12.0


def quiet_axes(axes: Any, palette: Palette, *, size: tuple[float, float]) -> Any:
    """Take the frame off some axes and lay a quiet grid behind them.

    Parameters
    ----------
    axes : matplotlib Axes or None
        Made, in a figure of their own, when None.
    palette : Palette
        What to draw with.
    size : (float, float)
        Width and height of that figure in inches.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from ensemblekit.displays.palette import LIGHT
    >>> axes = quiet_axes(None, LIGHT, size=(4, 3))
    >>> [name for name, spine in axes.spines.items() if spine.get_visible()]
    []
    """
    if axes is None:
        _, axes = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots(figsize=size, layout="constrained")
        axes.figure.patch.set_facecolor(palette.ground)
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=palette.muted, pad=6)
    axes.grid(visible=True, color=palette.grid, linewidth=1)
    axes.set_axisbelow(True)
    return axes


def name_axes(axes: Any, palette: Palette, x: str = "", y: str = "") -> None:
    """Name the axes in the quiet colour.

    Examples
    --------
    >>> from ensemblekit.displays.palette import LIGHT
    >>> axes = quiet_axes(None, LIGHT, size=(4, 3))
    >>> name_axes(axes, LIGHT, x="Cost in $")
    >>> axes.get_xlabel()
    'Cost in $'
    """
    axes.set_xlabel(x, fontsize=SMALL, color=palette.muted, labelpad=8, parse_math=False)
    axes.set_ylabel(y, fontsize=SMALL, color=palette.muted, labelpad=8, parse_math=False)


def write(axes: Any, x: float, y: float, text: str, colour: str, **kwargs: Any) -> None:
    """Write a text exactly as it is: a dollar sign in a model's name starts no formula.

    Examples
    --------
    >>> from ensemblekit.displays.palette import LIGHT
    >>> axes = quiet_axes(None, LIGHT, size=(4, 3))
    >>> write(axes, 0, 0, "cost in $ or $$", LIGHT.ink)
    >>> axes.texts[0].get_text()
    'cost in $ or $$'
    """
    axes.text(x, y, text, color=colour, parse_math=False, **{"fontsize": SMALL, **kwargs})
