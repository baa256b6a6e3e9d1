"""Which model to take within a budget: the front of the leaderboard, read from the cheapest upwards.

A dearer model is advised where its mean is better by more than the region of practical equivalence: the reader has said that less does not
matter, so nobody is told to pay for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.quantities import COSTS, QUANTITIES, Quantity
from ensemblekit_reports.reporting.comparisons import BETTER, UNTESTED, Comparison, facing
from ensemblekit_reports.reporting.standings import Standing, pareto_front

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Step:
    """A model that is worth its price.

    Parameters
    ----------
    model : str
        Name.
    label : str
    cost : float
        From which on it can be had.
    score : float
        Its mean.
    remark : str
        How sure it is that it is better than the step before it, to be read after "is"; empty where that is shown, and of the first.
    """

    model: str
    label: str
    cost: float
    score: float
    remark: str


@dataclass(frozen=True)
class Advice:
    """What to take for how much of one cost.

    Parameters
    ----------
    cost : Quantity
    steps : tuple of Step
        Cheapest first, each scoring better than the one before by more than the region of practical equivalence.
    best : Step or None
        The best score, where it is too little above the last step to be one.
    sentence : str
        The same in words.
    """

    cost: Quantity
    steps: tuple[Step, ...]
    best: Step | None
    sentence: str


def advise(standings: Sequence[Standing], comparisons: Sequence[Comparison], metric: str, rope: float) -> tuple[Advice, ...]:
    """Say for every cost of which less is better which model to take up to how much of it.

    Parameters
    ----------
    standings : sequence of Standing
        Over all tables.
    comparisons : sequence of Comparison
        Every judged pair, over all tables.
    metric : str
        Primary metric.
    rope : float
        Half-width of the region of practical equivalence, in units of the metric.

    Returns
    -------
    tuple of Advice
        Costs that no two complete models differ in are left out.

    Examples
    --------
    >>> from ensemblekit_reports.reporting.comparisons import compare_on_table
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.standings import on_table
    >>> results = example_results()
    >>> judged = compare_on_table(results, "moons", [("moe", "logistic"), ("moe", "averaging")])
    >>> print(advise(on_table(results, "moons"), judged, "accuracy", 0.01)[2].sentence)
    Below 390 µs take Logistic regression (85.4 %), from 390 µs on Mixture of experts (95.0 %).
    """
    quantity = QUANTITIES[metric]
    found = []
    for cost in COSTS:
        front = _front(standings, metric, cost)
        if front and not cost.higher_is_better:
            steps, best = _steps(front, comparisons, rope)
            found.append(Advice(cost, steps, best, _sentence(steps, best, cost, quantity, rope)))
    return tuple(found)


def _front(standings: Sequence[Standing], metric: str, cost: Quantity) -> list[Step]:
    """Every model that no other beats in score and in this cost, cheapest first."""
    measured = [s for s in standings if s.complete and cost.name in s.costs and s.costs[cost.name].n]
    if len(measured) < 2:
        return []
    names = pareto_front(measured, metric, cost.name)
    front = sorted((s for s in measured if s.model.name in names), key=lambda s: s.costs[cost.name].value)
    return [Step(s.model.name, wording.name(s.model.label, 40), s.costs[cost.name].value, s.scores[metric].value, "") for s in front]


def _steps(front: Sequence[Step], comparisons: Sequence[Comparison], rope: float) -> tuple[tuple[Step, ...], Step | None]:
    steps = [front[0]]
    for step in front[1:]:
        if abs(step.score - steps[-1].score) > rope:
            steps.append(replace(step, remark=_remark(facing(comparisons, step.model, steps[-1].model), steps[-1].label)))
    best = front[-1] if front[-1].model != steps[-1].model else None
    return tuple(steps), best


def _remark(comparison: Comparison | None, cheaper: str) -> str:
    if comparison is None:
        return f"not tested against {cheaper}, so that this goes by the means alone"
    if comparison.call == BETTER:
        return ""
    if comparison.call == UNTESTED and comparison.ahead + comparison.behind:
        return f"clearly better than {cheaper} on {len(comparison.better_on) or 'none'} of {wording.count(comparison.n, 'table')}"
    return f"not shown to be better than {cheaper}"


def _sentence(steps: tuple[Step, ...], best: Step | None, cost: Quantity, quantity: Quantity, rope: float) -> str:
    texts = [f"{step.label} ({_score(step.score, quantity)})" for step in steps]
    if best is None and len(steps) == 1:
        return f"{texts[0]} has the best mean score and is the cheapest."
    if len(steps) == 1:
        said = f"{texts[0]} is the cheapest"
    else:
        later = [f"from {wording.cost(step.cost, cost)} on {text}" for step, text in zip(steps[1:], texts[1:], strict=True)]
        said = f"Below {wording.cost(steps[1].cost, cost)} take {texts[0]}, {', '.join(later)}"
    if best:
        most = f"{best.label} ({_score(best.score, quantity)}) from {wording.cost(best.cost, cost)} on"
        said += f"; nothing dearer is more than {wording.rope(rope, quantity)} better, at most {most}"
    return f"{said}." + "".join(f" {step.label} is {step.remark}." for step in steps if step.remark)


def _score(value: float, quantity: Quantity) -> str:
    return f"{wording.number(value * wording.scale(quantity), 1 if quantity.share else 3)}{' %' if quantity.share else ''}"
