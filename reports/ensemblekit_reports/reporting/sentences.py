"""One comparison as one sentence, which says nothing that the comparison does not carry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.reporting.comparisons import ALPHA, BETTER, EQUAL, UNDECIDED, UNTESTED, WORSE, Comparison

if TYPE_CHECKING:
    from ensemblekit_reports.quantities import Quantity


@dataclass(frozen=True)
class Statement:
    """One sentence of the verdict and the comparison it rests on.

    Parameters
    ----------
    against : str
        What the rival is, such as ``"the best plain ensemble"``.
    first, second : str
        Labels of the model in question and of its rival.
    sentence, evidence : str
        Plain text: all in one sentence; what the call rests on.
    comparison : Comparison
        Seen from the model in question.
    on_tables : tuple of (str, Comparison)
        The same pair table by table.
    """

    against: str
    first: str
    second: str
    sentence: str
    evidence: str
    comparison: Comparison
    on_tables: tuple[tuple[str, Comparison], ...] = ()


def evidence(comparison: Comparison, quantity: Quantity, *, few: bool) -> str:
    """Say what the call of a comparison rests on.

    Examples
    --------
    >>> from ensemblekit_reports.reporting.comparisons import compare_on_table
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> found, = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> evidence(found, QUANTITIES["accuracy"], few=False)
    '95 % interval 6.8 to 12.2 points; p (Holm) < 0.001; 10 folds.'
    """
    c = comparison
    if few:
        text = _described(c).removesuffix("; clearly different on none")  # which the bar above it says
        return f"{text[0].upper()}{text[1:]}."
    if c.call == UNTESTED:
        return "One fold, or none in common, allows no test."
    over = wording.count(c.n, "table" if c.ahead + c.behind else "fold")
    span = _span(c.low, c.high, quantity)
    alone = " Alone this pair would be called different; among all the compared pairs it may be chance." if _only_alone(c) else ""
    return f"{span[0].upper()}{span[1:]}; p (Holm) {wording.p_value(c.p_holm)}; {over}.{alone}"


def _only_alone(c: Comparison) -> bool:
    """Tell whether it is for the other pairs alone that this one is not called different."""
    return c.call == UNDECIDED and c.p < ALPHA and (c.low > 0 or c.high < 0)


def sentence(first: str, second: str, comparison: Comparison, quantity: Quantity, rope: float, *, few: bool) -> str:
    """Say how the first model does against the second.

    Parameters
    ----------
    first, second : str
        Labels.
    comparison : Comparison
    quantity : Quantity
        Primary metric.
    rope : float
        Half-width of the region of practical equivalence.
    few : bool
        Whether the comparison is over more than one table but too few to test.

    Examples
    --------
    >>> from ensemblekit_reports.reporting.comparisons import compare_on_table
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> found, = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> print(sentence("Mixture", "Logistic", found, QUANTITIES["accuracy"], 0.01, few=False))
    Mixture: 9.5 points above Logistic,
    distinguishable (95 % interval 6.8 to 12.2 points; p < 0.001); 1.3× dearer per row.
    """
    found = f" on average ({_described(comparison)})" if few else _tested(comparison, quantity, rope)
    return f"{first}: {_amount(comparison, quantity)} {second}{found}; {wording.cheaper(comparison.cost_ratio)}."


def _amount(comparison: Comparison, quantity: Quantity) -> str:
    if math.isnan(comparison.gain):
        return "no fold in common with"
    text = wording.number(abs(comparison.gain) * wording.scale(quantity), wording.places_of(comparison.low, comparison.high, quantity))
    if not text.strip("0."):
        return "level with"
    # Of a metric of which less is better, a gain lies below.
    above = (comparison.gain > 0) == quantity.higher_is_better
    return f"{wording.amount(text, quantity)} {'above' if above else 'below'}"


def _tested(c: Comparison, quantity: Quantity, rope: float) -> str:
    if c.call == UNTESTED:
        return ", not tested" if c.n == 0 else ", not tested, since one fold allows no test"
    if math.isnan(c.low) and c.call != EQUAL:
        shown = "not distinguishable" if c.call == UNDECIDED else f"distinguishable, p {wording.p_value(c.p_holm)}"
        return f", {shown} ({_span(c.low, c.high, quantity)})"
    within = f"P(equal within {wording.rope(rope, quantity)}) {wording.probability(c.equal)}"
    if c.call == EQUAL:
        return f", practically equal ({within})"
    # The interval carries the sign of the metric itself, so that "below" and a negative interval agree.
    low, high = (c.low, c.high) if quantity.higher_is_better else (-c.high, -c.low)
    span = _span(low, high, quantity)
    if c.call == (WORSE if c.gain > 0 else BETTER):
        ranks = f"ahead on {c.ahead}, behind on {c.behind} of {wording.count(c.n, 'table')}"
        return f" on average, but {c.call} by the signed ranks of the tables ({ranks}; {span}; p {wording.p_value(c.p_holm)})"
    if c.call == UNDECIDED:
        return f", not distinguishable ({span}; {within})"
    return f", distinguishable ({span}; p {wording.p_value(c.p_holm)})"


def _span(low: float, high: float, quantity: Quantity) -> str:
    if math.isnan(low):
        return "no interval, since the difference is the same throughout"
    return f"95 % interval {wording.interval(low, high, quantity, wording.places_of(low, high, quantity))}"


def _described(c: Comparison) -> str:
    if not c.n:
        return "not compared"
    found = [
        f"{word} on {wording.listing([wording.name(name, 30) for name in tables])}"
        for word, tables in (("better", c.better_on), ("worse", c.worse_on))
        if tables
    ]
    clearly = " and ".join(found) if found else "different on none"
    return f"ahead on {c.ahead}, behind on {c.behind} of {wording.count(c.n, 'table')}; clearly {clearly}"
