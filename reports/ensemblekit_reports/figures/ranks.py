"""Critical-difference diagram: mean ranks over tables, bars joining what the tables do not tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ensemblekit.displays.canvas import SMALL
from ensemblekit_reports import wording
from ensemblekit_reports.figures.canvas import empty_axes
from ensemblekit_reports.figures.colours import stand_ins
from ensemblekit_reports.figures.svg import Drawing, to_drawing
from ensemblekit_reports.reporting.comparisons import ALPHA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ensemblekit_reports.results import ModelFacts
    from ensemblekit_reports.statistics.several_tables import Friedman

_WIDTH, _LINE = 820.0, 20.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 250.0, 250.0, 34.0, 6.0


def draw_ranks(found: Friedman, models: Sequence[ModelFacts], positions: dict[str, int], name: str) -> Drawing:
    """Draw the mean ranks of the complete models.

    Parameters
    ----------
    found : Friedman
    models : sequence of ModelFacts
        Those that were ranked, in the order of its ranks.
    positions : dict of str to int
        Place in the palette by model name.
    name : str
        Name of the drawing.

    Returns
    -------
    Drawing

    References
    ----------
    Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7, section 3.2.4; with Wilcoxon's test in place of
    Nemenyi's after Benavoli, Corani, Mangili (2016), Should we really use post-hoc tests based on mean-ranks?, JMLR 17.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.statistics.several_tables import friedman
    >>> models = example_results().models
    >>> found = friedman([[0.9, 0.8, 0.7]] * 5 + [[0.8, 0.9, 0.7]])
    >>> drawing = draw_ranks(found, models, {model.name: i for i, model in enumerate(models)}, "ranks")
    >>> print(drawing.description)
    Mixture of experts 1.2 (1.0 to 1.7); Averaging 1.8 (1.3 to 2.0); Logistic regression 3.0. Ranks not told apart: 1.2 to 3.0.
    """
    # Keys of our own: two models may have the same label, and a label may hold anything.
    keys = [str(position) for position in range(len(models))]
    labels = [wording.name(model.label, 26) for model in models]
    half = (len(models) + 1) // 2
    axes = empty_axes(_WIDTH, _TOP + _BOTTOM + _LINE * (half + len(models) / 2 + 1), (_LEFT, _BOTTOM, _RIGHT, _TOP))
    bars = _diagram(axes, found, keys, [positions[model.name] for model in models])
    for text in axes.texts:
        key, rank = text.get_text().split()
        text.set(text=f"{labels[int(key)]}  {rank}", color=stand_ins().ink)
    order = sorted(range(len(models)), key=lambda i: found.mean_ranks[i])
    ranked = "; ".join(f"{labels[i]} {found.mean_ranks[i]:.1f}{_interval(found, i)}" for i in order)
    alike = "; ".join(f"{low:.1f} to {high:.1f}" for low, high in bars) or "none"
    title = f"Mean ranks over {wording.count(found.n_tables, 'table')}; bars join models that are not told apart"
    return to_drawing(axes.figure, name, title, f"{ranked}. Ranks not told apart: {alike}.")  # type: ignore[arg-type]


def _interval(found: Friedman, i: int) -> str:
    low, high = found.rank_intervals[i]
    return f" ({low:.1f} to {high:.1f})" if low < high else ""


def _diagram(axes: Axes, found: Friedman, keys: list[str], positions: list[int]) -> list[tuple[float, float]]:
    """Draw, and return from which to which rank each bar reaches."""
    from scikit_posthocs import critical_difference_diagram  # noqa: PLC0415 - a second of loading, from six tables on

    palette = stand_ins()
    axes.set_xlim(1, len(keys))
    axes.tick_params(labelsize=SMALL, labelcolor=palette.muted, color=palette.faint)
    axes.spines[:].set_color(palette.faint)
    drawn = critical_difference_diagram(
        dict(zip(keys, found.mean_ranks, strict=True)),
        pd.DataFrame(found.pairs, index=keys, columns=keys),
        alpha=ALPHA,
        ax=axes,
        label_fmt_left="{label} {rank:.1f}",
        label_fmt_right="{label} {rank:.1f}",
        label_props={"fontsize": SMALL, "parse_math": False},
        crossbar_props={"color": palette.muted, "linewidth": 4},
        elbow_props={"linewidth": 1.2},
        color_palette={key: palette.mark(position) for key, position in zip(keys, positions, strict=True)},
    )
    ranks = [line.get_xdata() for (line,) in drawn["crossbars"]]
    return sorted((float(min(bar)), float(max(bar))) for bar in ranks)
