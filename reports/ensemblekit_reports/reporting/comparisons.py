"""Pairs of models, judged on the same folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.reporting.folds import cells_of, held_out_ratio, spread
from ensemblekit_reports.reporting.standings import MAIN_COST
from ensemblekit_reports.statistics.correlated_t import correlated_t
from ensemblekit_reports.statistics.multiplicity import holm
from ensemblekit_reports.statistics.several_tables import across_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.results import ModelFacts, Results

BETTER = "better"
WORSE = "worse"
EQUAL = "practically equal"
UNDECIDED = "not distinguishable"
UNTESTED = "not tested"
#: Level of the adjusted p, and posterior probability from which two models are called practically equal.
ALPHA, SURE = 0.05, 0.95


@dataclass(frozen=True)
class Comparison:
    """The first of two models against the second.

    Parameters
    ----------
    first, second : str
        Names of the models.
    n, n_possible : int
        Folds (on one table) or tables (over several) that both finished, and how many there were.
    gain : float
        Mean paired difference, in units of the primary metric; positive means that the first is better, also for a
        metric of which less is better. NaN where the two share no fold.
    low, high : float
        95 % interval of the gain, one pair at a time; NaN where none is allowed.
    p, p_holm : float
        Two-sided p and the same after Holm's adjustment over the compared pairs; NaN where none is allowed.
    worse, equal, better : float
        Posterior probabilities below, within and above the region of practical equivalence.
    call : str
        ``"better"``, ``"worse"``, ``"practically equal"``, ``"not distinguishable"`` or ``"not tested"``.
    cost_ratio : float
        Single-row predict time of the second over the first: above 1 the first is cheaper. NaN where not measured.
    better_on, worse_on, equal_on : tuple of str
        Over several tables: the tables on which each call was made.
    ahead, behind : int
        Over several tables: tables with a positive and a negative gain, whether or not it is distinguishable.
    smallest, largest : float
        Over several tables: range of the gain.
    signed_ranks : float
        Over several tables: what Wilcoxon's test judges, and so the direction of the call, whatever the mean. NaN otherwise.
    """

    first: str
    second: str
    n: int
    n_possible: int
    gain: float
    low: float
    high: float
    p: float
    p_holm: float
    worse: float
    equal: float
    better: float
    call: str
    cost_ratio: float
    better_on: tuple[str, ...] = ()
    worse_on: tuple[str, ...] = ()
    equal_on: tuple[str, ...] = ()
    ahead: int = 0
    behind: int = 0
    smallest: float = np.nan
    largest: float = np.nan
    signed_ranks: float = np.nan


def compared_pairs(models: Sequence[ModelFacts]) -> tuple[tuple[str, str], ...]:
    """Return the pairs that are judged, and over which p values are adjusted.

    Every mixture against every other model; without a mixture, or with nothing else, every pair. Since all of these are
    adjusted together, picking the best of them afterwards raises no false alarm.

    Parameters
    ----------
    models : sequence of ModelFacts

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> compared_pairs(example_results().models)
    (('moe', 'averaging'), ('moe', 'logistic'))
    >>> compared_pairs(example_results().models[1:])
    (('averaging', 'logistic'),)
    """
    mixtures = [model.name for model in models if model.family == "mixture"]
    others = [model.name for model in models if model.family != "mixture"]
    if mixtures and others:
        return tuple(product(mixtures, others))
    return tuple(combinations([model.name for model in models], 2))


def compare_on_table(results: Results, table: str, pairs: Sequence[tuple[str, str]]) -> tuple[Comparison, ...]:
    """Judge pairs of models on the folds of one table.

    Parameters
    ----------
    results : Results
    table : str
        Name of a table.
    pairs : sequence of (str, str)
        Names of models.

    Returns
    -------
    tuple of Comparison
        One for each pair, in the same order. Folds that only one of the two finished are left out.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> found, = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> found.n, round(found.gain, 2), found.call
    (10, 0.1, 'better')
    """
    cells = cells_of(results, table)
    names = tuple(model.name for model in results.models)
    sign = 1.0 if QUANTITIES[results.metric].higher_is_better else -1.0
    measured = spread(cells, (results.metric, MAIN_COST), names)
    scores = dict(zip(names, sign * measured[results.metric].T, strict=True))
    costs = pd.DataFrame(measured[MAIN_COST], columns=names).median()
    ratio = held_out_ratio(cells)
    raw = []
    for first, second in pairs:
        differences = scores[first] - scores[second]
        found = correlated_t(differences[~np.isnan(differences)], ratio, results.rope)
        raw.append(
            Comparison(
                first,
                second,
                n=found.n,
                n_possible=len(differences),
                gain=found.mean,
                low=found.low,
                high=found.high,
                p=found.p,
                p_holm=np.nan,
                worse=found.worse,
                equal=found.equal,
                better=found.better,
                call=UNTESTED,
                cost_ratio=float(costs[second] / costs[first]),
            )
        )
    return called(raw)


def compare_over_tables(results: Results, by_table: Sequence[tuple[str, tuple[Comparison, ...]]]) -> tuple[Comparison, ...]:
    """Judge the same pairs over several tables, each table one number.

    Parameters
    ----------
    results : Results
    by_table : sequence of (str, tuple of Comparison)
        Table name and what `compare_on_table` says of it; the same pairs in the same order everywhere.

    Returns
    -------
    tuple of Comparison
        With a call only from six tables on.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> results, pairs = example_results(tables=("moons", "rings")), [("moe", "logistic")]
    >>> tables = [(t.name, compare_on_table(results, t.name, pairs)) for t in results.tables]
    >>> found, = compare_over_tables(results, tables)
    >>> found.call, found.better_on
    ('not tested', ('moons', 'rings'))
    """
    names = [name for name, _ in by_table]
    seed = results.environment.seed
    return called([_joined(names, parts, results.rope, seed) for parts in zip(*(c for _, c in by_table), strict=True)])


def _joined(names: list[str], parts: tuple[Comparison, ...], rope: float, seed: int) -> Comparison:
    gains = np.array([part.gain for part in parts])
    ratios = np.array([part.cost_ratio for part in parts])
    found = across_tables(gains[~np.isnan(gains)], rope, seed)
    tables_with = {
        call: tuple(name for name, part in zip(names, parts, strict=True) if part.call == call) for call in (BETTER, WORSE, EQUAL)
    }
    return Comparison(
        parts[0].first,
        parts[0].second,
        n=found.n,
        n_possible=len(parts),
        gain=found.mean,
        low=found.low,
        high=found.high,
        p=found.p,
        p_holm=np.nan,
        worse=found.worse,
        equal=found.equal,
        better=found.better,
        call=UNTESTED,
        cost_ratio=float(np.exp(np.log(ratios[~np.isnan(ratios)]).mean())) if (~np.isnan(ratios)).any() else np.nan,
        better_on=tables_with[BETTER],
        worse_on=tables_with[WORSE],
        equal_on=tables_with[EQUAL],
        ahead=int((gains > 0).sum()),
        behind=int((gains < 0).sum()),
        smallest=found.smallest,
        largest=found.largest,
        signed_ranks=found.signed_ranks,
    )


def called(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Adjust the p of comparisons for their number, and say of each what it shows.

    Parameters
    ----------
    comparisons : sequence of Comparison
        All that are judged together.

    Returns
    -------
    tuple of Comparison
        In the same order, with ``p_holm`` and ``call``.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> found = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> called([replace(found[0], p=0.2, equal=0.5)])[0].call
    'not distinguishable'
    """
    adjusted = holm([comparison.p for comparison in comparisons])
    return tuple(replace(comparison, p_holm=p, call=_call(comparison, p)) for comparison, p in zip(comparisons, adjusted, strict=True))


def _call(comparison: Comparison, p_holm: float) -> str:
    if np.isnan(p_holm):
        return UNTESTED
    # First the question that matters to a user: a difference can be certain and still too small to care about.
    if comparison.equal >= SURE:
        return EQUAL
    if p_holm < ALPHA:
        direction = comparison.gain if np.isnan(comparison.signed_ranks) else comparison.signed_ranks
        return BETTER if direction > 0 else WORSE
    return UNDECIDED


def facing(comparisons: Sequence[Comparison], first: str, second: str) -> Comparison | None:
    """Return the comparison of two models seen from the first, or None where that pair was not judged.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> judged = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> facing(judged, "logistic", "moe").call
    'worse'
    """
    for comparison in comparisons:
        if (comparison.first, comparison.second) == (first, second):
            return comparison
        if (comparison.first, comparison.second) == (second, first):
            return turned(comparison)
    return None


def turned(comparison: Comparison) -> Comparison:
    """Return the same comparison seen from the other model.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> found, = compare_on_table(example_results(), "moons", [("moe", "logistic")])
    >>> turned(found).gain == -found.gain, turned(found).call
    (True, 'worse')
    """
    c = comparison
    return replace(
        c,
        first=c.second,
        second=c.first,
        gain=-c.gain,
        low=-c.high,
        high=-c.low,
        worse=c.better,
        better=c.worse,
        call={BETTER: WORSE, WORSE: BETTER}.get(c.call, c.call),
        cost_ratio=1 / c.cost_ratio,
        better_on=c.worse_on,
        worse_on=c.better_on,
        ahead=c.behind,
        behind=c.ahead,
        smallest=-c.largest,
        largest=-c.smallest,
        signed_ranks=-c.signed_ranks,
    )
