"""The two columns of the gate maps, chosen by the reader among those that a run has stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ensemblekit_reports import wording
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.insights.plain import Insight, MixtureInsight


def with_gate_columns(insights: Sequence[Insight], columns: str) -> tuple[Insight, ...]:
    """Put the map over two columns before the others, wherever it is stored.

    A run stores the maps over the pairs of the three numeric columns that drive a gate most: another pair would need the fitted model.

    Parameters
    ----------
    insights : sequence of MixtureInsight or EnsembleInsight
    columns : str
        Names of the two, separated by a comma, in either order.

    Returns
    -------
    tuple of MixtureInsight or EnsembleInsight
        Where the map is not stored the strongest pair stays first.

    Raises
    ------
    UserError
        When no mixture has it; the message names the pairs that there are.

    Examples
    --------
    >>> with_gate_columns([], "age,pay")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: no gate map over 'age,pay' is stored; stored are none.
    """
    chosen = tuple(_with_first(insight, columns) if isinstance(insight, MixtureInsight) else insight for insight in insights)
    mixtures = [insight for insight in insights if isinstance(insight, MixtureInsight)]
    if not any(_matches(grid.columns, columns) for insight in mixtures for grid in insight.maps):
        there = [f"{wording.name(i.dataset, 30)}: {_say(grid.columns)}" for i in mixtures for grid in i.maps]
        raise UserError(f"no gate map over {columns!r} is stored; stored are {'; '.join(dict.fromkeys(there)) or 'none'}.")
    return chosen


def _with_first(insight: MixtureInsight, columns: str) -> MixtureInsight:
    return replace(insight, maps=tuple(sorted(insight.maps, key=lambda grid: not _matches(grid.columns, columns))))


def _matches(pair: tuple[str, str], columns: str) -> bool:
    # names may hold commas themselves: nothing is split
    wanted = columns.replace(" ", "")
    return wanted in {f"{first},{second}".replace(" ", "") for first, second in (pair, pair[::-1])}


def _say(pair: tuple[str, str]) -> str:
    return ",".join(wording.name(column, 40) for column in pair)
