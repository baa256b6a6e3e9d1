"""The leaderboard as plain data: every model with its scores, its costs and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ensemblekit.displays.front import pareto_front as front
from ensemblekit_reports import wording
from ensemblekit_reports.quantities import COSTS, ESTIMATES, METRICS, QUANTITIES
from ensemblekit_reports.reporting.folds import cells_of, held_out_ratio, spread, without_value
from ensemblekit_reports.statistics.summaries import (
    Summary,
    cost_summary,
    geometric_mean,
    mean_over_tables,
    score_summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from ensemblekit_reports.results import ModelFacts, Results

#: The cost that verdict, front and figures speak of.
MAIN_COST = "predict_single_p50_s"


@dataclass(frozen=True)
class Standing:
    """One model on one table, or over all tables of a study.

    Parameters
    ----------
    model : ModelFacts
    rank : int or None
        Place by the primary metric, 1 is best; None when a fold is missing, since means over different folds do not
        compare.
    n_finished, n_folds : int
        Folds finished, folds that there were; one on which the primary metric is not defined, whatever the model, is neither.
    failure : str
        First reason given for a fold that did not finish; empty without one.
    contended : bool
        Whether any of its timings was disturbed by other work on the machine.
    scores, costs : dict of str to Summary
        By quantity name.
    on_front : bool
        Whether no other complete model is at least as good at no more cost, and better in one of the two.
    """

    model: ModelFacts
    rank: int | None
    n_finished: int
    n_folds: int
    failure: str
    contended: bool
    scores: dict[str, Summary]
    costs: dict[str, Summary]
    on_front: bool = False

    @property
    def complete(self) -> bool:
        """Whether every fold finished."""
        return 0 < self.n_finished == self.n_folds


def on_table(results: Results, table: str) -> tuple[Standing, ...]:
    """Rank the models on one table.

    Parameters
    ----------
    results : Results
    table : str
        Name of a table.

    Returns
    -------
    tuple of Standing
        Best first by the primary metric, then the incomplete, then the failed.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> [standing.model.name for standing in on_table(example_results(), "moons")]
    ['moe', 'averaging', 'logistic']
    """
    cells = cells_of(results, table)
    names = tuple(model.name for model in results.models)
    ratio = held_out_ratio(cells)
    numbers = spread(cells, [q.name for q in METRICS + COSTS + ESTIMATES if q.name in cells], names)
    n_folds = len(numbers[results.metric])
    undefined: dict[Any, int] = without_value(cells, results.metric)["model"].value_counts().to_dict()
    if np.isnan(numbers[results.metric]).all():  # then no fold is better than another
        undefined = {}
    failures = _failures(cells)
    disturbed = set(cells.loc[cells["contended"].eq(True), "model"]) if "contended" in cells else set()
    standings = []
    for column, model in enumerate(results.models):
        own = {name: values[~np.isnan(values[:, column]), column] for name, values in numbers.items()}
        scores = {q.name: score_summary(own[q.name], ratio, wording.bounds(q)) for q in METRICS if q.name in own}
        standings.append(
            Standing(
                model=model,
                rank=None,
                n_finished=len(own[results.metric]),
                n_folds=n_folds - undefined.get(model.name, 0),
                failure=failures.get(model.name, ""),
                contended=model.name in disturbed,
                scores=scores,
                costs={q.name: cost_summary(own[q.name]) for q in COSTS + ESTIMATES if q.name in own},
            )
        )
    return _ordered(standings, results.metric)


def over_tables(results: Results, by_table: Sequence[tuple[Standing, ...]]) -> tuple[Standing, ...]:
    """Rank the models over all tables, every table counting alike.

    Parameters
    ----------
    results : Results
    by_table : sequence of tuple of Standing
        What `on_table` says of each table.

    Returns
    -------
    tuple of Standing
        Scores are means over tables, costs geometric means.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> results = example_results(tables=("moons", "rings"))
    >>> [s.rank for s in over_tables(results, [on_table(results, t.name) for t in results.tables])]
    [1, 2, 3]
    """
    if len(by_table) == 1:
        return by_table[0]
    of_model = {model.name: [s for table in by_table for s in table if s.model.name == model.name] for model in results.models}
    return _ordered([_joined(standings) for standings in of_model.values()], results.metric)


def _joined(parts: list[Standing]) -> Standing:
    return Standing(
        model=parts[0].model,
        rank=None,
        n_finished=sum(part.n_finished for part in parts),
        n_folds=sum(part.n_folds for part in parts),
        failure=next((part.failure for part in parts if part.failure), ""),
        contended=any(part.contended for part in parts),
        scores={
            name: mean_over_tables(_measured(part.scores[name] for part in parts), wording.bounds(QUANTITIES[name]))
            for name in parts[0].scores
            if not QUANTITIES[name].of_spread  # metres and degrees have no mean
        },
        costs={name: geometric_mean(_measured(part.costs[name] for part in parts)) for name in parts[0].costs},
    )


def _measured(summaries: Iterable[Summary]) -> list[Summary]:
    return [summary for summary in summaries if summary.n]


def _ordered(standings: list[Standing], metric: str) -> tuple[Standing, ...]:
    best_first = sorted(standings, key=lambda s: (not s.complete, -s.n_finished * (not s.complete), _loss(s, metric)))
    undominated = pareto_front(best_first, metric)
    return tuple(
        replace(s, rank=place if s.complete else None, on_front=s.model.name in undominated) for place, s in enumerate(best_first, start=1)
    )


def _loss(standing: Standing, metric: str) -> float:
    value = standing.scores[metric].value
    if np.isnan(value):
        return np.inf
    return -value if QUANTITIES[metric].higher_is_better else value


def pareto_front(standings: Sequence[Standing], metric: str, cost: str = MAIN_COST) -> frozenset[str]:
    """Return the names of the models that no other complete model beats on score without costing more.

    Parameters
    ----------
    standings : sequence of Standing
    metric : str
        A metric's name.
    cost : str, default=MAIN_COST
        A cost's name, lower being better.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> sorted(pareto_front(on_table(example_results(), "moons"), "accuracy"))
    ['logistic', 'moe']
    """
    losses = [_loss(s, metric) if s.complete else np.nan for s in standings]
    costs = [s.costs[cost].value if cost in s.costs else np.nan for s in standings]
    return frozenset(s.model.name for s, on in zip(standings, front(losses, costs), strict=True) if on)


def best(standings: Sequence[Standing], metric: str) -> Standing | None:
    """Return the model with the best mean among those that finished the most folds; None without any score.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> best(on_table(example_results(), "moons"), "accuracy").model.label
    'Mixture of experts'
    """
    scored = [s for s in standings if s.n_finished]
    return min(scored, key=lambda s: (-s.n_finished, _loss(s, metric)), default=None)


def _failures(cells: pd.DataFrame) -> dict[str, str]:
    """Return the first reason that each model gives for a fold that it did not finish."""
    bad = cells[cells["status"] != "ok"].drop_duplicates("model")
    return {
        model: f"{status}: {reason}" if isinstance(reason, str) and reason else str(status)
        for model, status, reason in zip(bad["model"], bad["status"], bad["reason"], strict=True)
    }
