"""The template engine and the words that templates may use."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from ensemblekit_reports import wording
from ensemblekit_reports.insights import sentences
from ensemblekit_reports.quantities import COSTS, ESTIMATES, QUANTITIES, metrics_of
from ensemblekit_reports.render import stories
from ensemblekit_reports.render.explorer import measured
from ensemblekit_reports.render.heat import heat
from ensemblekit_reports.render.strips import amount_scale
from ensemblekit_reports.reporting import comparisons
from ensemblekit_reports.reporting.report import named_models
from ensemblekit_reports.reporting.standings import MAIN_COST
from ensemblekit_reports.statistics.several_tables import MIN_TABLES, tables_to_tell

if TYPE_CHECKING:
    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.comparisons import Comparison

#: Columns of the leaderboard beside the primary metric; the page can show the others too.
SHOWN = (
    *("accuracy", "log_loss", "brier", "ece", "r2", "rmse", "mae", "median_ae"),
    *("fit_wall_s", "predict_single_p50_s", "predict_rows_per_s_10000", "size_bytes", "compute_active"),
)

_INSIGHT_WORDS = (
    sentences.condition,
    sentences.correlation,
    sentences.odds,
    sentences.percent,
    sentences.score_text,
    sentences.times,
    sentences.top_columns,
)


@cache
def environment(*, autoescape: bool) -> Environment:
    """Return the template engine; a name that a template misspells is an error, not an empty place.

    Parameters
    ----------
    autoescape : bool
        True for HTML.

    Examples
    --------
    >>> environment(autoescape=True).from_string("{{ name }}").render(name="<b>")
    '&lt;b&gt;'
    """
    engine = Environment(
        loader=PackageLoader("ensemblekit_reports"),
        autoescape=autoescape,  # noqa: S701  # off for Markdown only, which escapes by its own rules
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = (
        wording.name,
        wording.score,
        wording.score_interval,
        wording.cost,
        wording.cost_range,
        wording.probability,
        wording.p_value,
        wording.cheaper,
        wording.count,
        wording.listing,
        wording.rope,
        wording.metric,
        wording.answers,
    )
    engine.filters["position"] = list.index
    engine.filters |= {word.__name__: word for word in words}
    engine.globals |= {
        "metrics_of": metrics_of,
        "costs": COSTS,
        "estimates": ESTIMATES,
        "shown": SHOWN,
        "measured": measured,
        "heat": heat,
        "named_models": named_models,
        "amount_scale": amount_scale,
        "main_cost": MAIN_COST,
        "cost_quantity": QUANTITIES[MAIN_COST],
        "min_tables": MIN_TABLES,
        "tables_to_tell": tables_to_tell,
        "alpha": comparisons.ALPHA,
        "sure": comparisons.SURE,
        "gain": gain,
        "gain_interval": gain_interval,
        "is_share": wording.is_share,
        "most_in_full": stories.most_in_full,
        "why": stories.why,
    }
    engine.globals |= {word.__name__: word for word in _INSIGHT_WORDS}
    return engine


def gain(comparison: Comparison, quantity: Quantity) -> str:
    """Write a gain with its sign and unit.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> found, = comparisons.compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> gain(found, QUANTITIES["accuracy"])
    '+9.5 points'
    """
    places = wording.places_of(comparison.low, comparison.high, quantity)
    amount = wording.number(comparison.gain * wording.scale(quantity), places)
    sign = "+" if comparison.gain > 0 and amount.strip("0.") else ""
    return f"{sign}{wording.amount(amount, quantity)}" if comparison.n else wording.NONE


def gain_interval(comparison: Comparison, quantity: Quantity) -> str:
    """Write the interval of a gain; empty where there is none.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> found, = comparisons.compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> gain_interval(found, QUANTITIES["accuracy"]).endswith("points")
    True
    """
    if math.isnan(comparison.low):
        return ""
    places = wording.places_of(comparison.low, comparison.high, quantity)
    return wording.interval(comparison.low, comparison.high, quantity, places)
