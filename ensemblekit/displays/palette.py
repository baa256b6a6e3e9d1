"""The colours of report and displays: one per model, legible on light and on dark ground and to colour-blind readers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours to draw with, as hexadecimal text.

    Parameters
    ----------
    ink, muted, faint : str
        Text, quiet text, and whatever should be seen last.
    grid, ground, band : str
        Lines behind the marks, what lies behind everything, and shaded regions.
    marks : tuple of str
        One for each model; they repeat.

    Examples
    --------
    >>> LIGHT.mark(0) == LIGHT.mark(10), LIGHT.mark(0) == LIGHT.mark(1)
    (True, False)
    """

    ink: str
    muted: str
    faint: str
    grid: str
    ground: str
    band: str
    marks: tuple[str, ...]

    def mark(self, position: int) -> str:
        """Return the colour of a model by its position."""
        return self.marks[position % len(self.marks)]


#: Marks after Okabe and Ito (2008), darkened to a contrast of 3:1 on white.
LIGHT = Palette(
    ink="#1c2430",
    muted="#5d6877",
    faint="#8791a0",
    grid="#e6e9ee",
    ground="#ffffff",
    band="#eceff3",
    marks=("#c8500a", "#0068a8", "#00805c", "#a8467f", "#8a6a00", "#4b4fc4", "#1b7f95", "#5b4636", "#b3261e", "#4c6b1f"),
)
#: The same hues, lightened to a contrast of 3:1 on the dark ground.
DARK = Palette(
    ink="#e8ebf0",
    muted="#a3adba",
    faint="#79838f",
    grid="#282f3a",
    ground="#14181f",
    band="#232a35",
    marks=("#ff9a4d", "#5cb3f0", "#35cfa2", "#eba0cb", "#eec14a", "#a9acff", "#7fdcec", "#d8bfa8", "#ff8f88", "#b4d77b"),
)
