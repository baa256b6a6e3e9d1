"""The plain data that the page's script draws from: every score and every cost of every model, over all tables and on each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from ensemblekit_reports import wording
from ensemblekit_reports.figures.colours import model_variables
from ensemblekit_reports.quantities import COSTS, ESTIMATES, METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.report import Report
    from ensemblekit_reports.reporting.standings import Standing
    from ensemblekit_reports.statistics.summaries import Summary

#: Enough that rounding twice shows what rounding once does, fewer than make a page of many tables heavy.
_DIGITS = 6


def measured(standings: Sequence[Standing]) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
    """Return the metrics and the costs that any model has a number of.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.standings import on_table
    >>> scores, costs = measured(on_table(example_results(), "moons"))
    >>> scores[0].name, costs[0].name
    ('accuracy', 'fit_wall_s')
    """
    names = {name for s in standings for found in (s.scores, s.costs) for name, summary in found.items() if summary.n}
    return tuple(q for q in METRICS if q.name in names), tuple(q for q in COSTS + ESTIMATES if q.name in names)


def page_data(report: Report) -> Markup:
    """Return the data as JSON that may stand inside a page: no sign in it begins a tag.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Markup
        Quantities, models, and for each table, the mean of all first, one list of ``[value, low, high]`` a model.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> json.loads(page_data(build(example_results())))["tables"][0]["name"]
    'moons'
    """
    scores, costs = measured(report.leaderboard)
    colours = model_variables(report.models)
    names = [model.name for model in report.models]
    sections = [(wording.name(section.facts.name, 40), section.standings) for section in report.tables]
    over_all = [(f"all {len(sections)} tables", report.leaderboard)] if len(sections) > 1 else []
    content = {
        "quantities": [_quantity(q) for q in scores + costs],
        "models": [{"label": wording.name(m.label, 40), "family": m.family, "colour": colours[m.name]} for m in report.models],
        "tables": [_table(name, standings, names, scores + costs) for name, standings in over_all + sections],
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    # Markup: JSON of our own in which "<", ">" and "&" are written as escapes.
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _quantity(quantity: Quantity) -> dict[str, object]:
    known: dict[str, object] = {"name": quantity.name, "label": quantity.label, "higher": quantity.higher_is_better, "unit": quantity.unit}
    return known | ({"share": quantity.share} if quantity in METRICS else {"steps": wording.cost_steps(quantity)})


def _table(name: str, standings: Sequence[Standing], models: list[str], quantities: tuple[Quantity, ...]) -> dict[str, object]:
    by_name = {standing.model.name: standing for standing in standings}
    found = [by_name[model] for model in models]
    return {
        "name": name,
        "folds": max(standing.n_folds for standing in found),
        "finished": [standing.n_finished for standing in found],
        "cells": [[_numbers((s.scores | s.costs).get(q.name)) for q in quantities] for s in found],
    }


def _numbers(summary: Summary | None) -> list[float | None] | None:
    if summary is None or not summary.n:
        return None
    return [None if math.isnan(value) else _short(value) for value in (summary.value, summary.low, summary.high)]


def _short(value: float) -> float:
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
