"""What ensembles of fewer members would have scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ensemblekit.displays import EnsembleSizeDisplay
from ensemblekit.displays.canvas import name_axes, quiet_axes, write
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing
from ensemblekit_reports.insights.sentences import score_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.insights.plain import EnsembleInsight


def draw_sizes(
    insights: Sequence[EnsembleInsight], labels: Sequence[str], positions: Sequence[int], name: str, where: str
) -> Drawing | None:
    """Draw the score against the number of members.

    Parameters
    ----------
    insights : sequence of EnsembleInsight
        On one table, of the same members.
    labels : sequence of str
        What the reader calls them.
    positions : sequence of int
        Their places in the palette.
    name : str
        Name of the drawing.
    where : str
        The table.

    Returns
    -------
    Drawing or None
        None where no ensemble can be made smaller.
    """
    drawn = [known for known in zip(insights, labels, positions, strict=True) if known[0].smaller]
    if not drawn:
        return None
    ink, right = stand_ins(), drawn[0][0].score_name == "accuracy"
    factor = 100 if right else 1
    axes: Any = empty_axes(560, 300, (74, 50, 130, 16))
    ends = []
    for insight, label, position in drawn:
        sizes = np.array([smaller.n_members for smaller in insight.smaller])
        worst, mean, best = (factor * np.array([getattr(s, part) for s in insight.smaller]) for part in ("worst", "mean", "best"))
        display = EnsembleSizeDisplay(
            sizes=sizes, mean=mean, lower=worst, upper=best, worse_below=None, part="members", score_name="accuracy, %" if right else "RMSE"
        ).plot(axes)
        display.line_.set(color=ink.mark(position), linewidth=2, markersize=6)
        display.band_.set(facecolor=ink.mark(position), alpha=0.14, visible=len(drawn) == 1)
        ends.append((mean[-1], label, position))
    quiet_axes(axes, ink, size=(4, 3))
    most = max(len(insight.smaller) for insight, _, _ in drawn)
    axes.set(xscale="linear", xticks=range(1, most + 1), xlim=(0.85, most + 0.1))
    name_axes(axes, ink, x="members", y="accuracy, %" if right else "root mean squared error")
    axes.minorticks_off()
    axes.locator_params(axis="y", nbins=5)
    _write_ends(axes, most, ends)
    parts = [f"{label}: " + ", ".join(_say(s.n_members, s.mean, i) for s in i.smaller) for i, label, _ in drawn]
    return to_drawing(axes.figure, name, f"Score against the number of members, {where}", f"{'; '.join(parts)}.")


def _write_ends(axes: Any, most: int, ends: list[tuple[float, str, int]]) -> None:
    """Write the labels right of the lines, moved apart where they would overlap."""
    ink = stand_ins()
    low, high = axes.get_ylim()
    step, last = 0.075 * (high - low), -np.inf
    for value, label, position in sorted(ends):
        last = max(value, last + step)
        write(axes, most + 0.13 * max(most / 3, 1), float(last), wording.name(label, 18), ink.mark(position), va="center", clip_on=False)


def _say(n_members: int, score: float, insight: EnsembleInsight) -> str:
    return f"{wording.count(n_members, 'member')} {score_text(score, insight.n_rows, insight.score_name)}"
