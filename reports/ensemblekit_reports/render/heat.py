"""How deeply a cell of the leaderboard is shaded: the better its number among those of its column, the deeper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ensemblekit_reports.quantities import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.standings import Standing

#: Shades beside none at all.
SHADES = 5


def heat(standings: Sequence[Standing], quantity: Quantity) -> dict[str, int]:
    """Shade the models by one quantity: scores by their distance from the worst, costs by its logarithm.

    Parameters
    ----------
    standings : sequence of Standing
    quantity : Quantity
        A metric or a cost.

    Returns
    -------
    dict of str to int
        From 0 (worst, unfinished or not measured) to `SHADES` (best), by model name.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> from ensemblekit_reports.reporting.standings import on_table
    >>> heat(on_table(example_results(), "moons"), QUANTITIES["accuracy"])
    {'moe': 5, 'averaging': 4, 'logistic': 0}
    """
    levels = {s.model.name: _level(s, quantity) for s in standings}
    known = [level for level in levels.values() if not math.isnan(level)]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    return {name: 0 if math.isnan(level) or not span else round(SHADES * (level - low) / span) for name, level in levels.items()}


def _level(standing: Standing, quantity: Quantity) -> float:
    summary = (standing.scores | standing.costs).get(quantity.name)
    if summary is None or not summary.n or not standing.complete:
        return math.nan
    value = summary.value if quantity in METRICS else math.log(max(summary.value, 1e-12))
    return value if quantity.higher_is_better else -value
