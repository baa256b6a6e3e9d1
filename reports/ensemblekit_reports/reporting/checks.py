"""What a reader should worry about before believing the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ensemblekit_reports import wording
from ensemblekit_reports.insights.plain import COLLAPSED, EnsembleInsight, MixtureInsight
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.reporting.check_codes import CODES
from ensemblekit_reports.reporting.comparisons import ALPHA, BETTER, UNTESTED, compare_on_table, compared_pairs
from ensemblekit_reports.reporting.folds import cells_of, without_value
from ensemblekit_reports.reporting.standings import MAIN_COST
from ensemblekit_reports.results import Results
from ensemblekit_reports.statistics.several_tables import MIN_TABLES, tables_to_tell

if TYPE_CHECKING:
    import pandas as pd

    from ensemblekit_reports.results import ModelFacts

_FOLD = ["repeat", "fold", "n_train", "n_test"]
#: The cheapest model of each task: what a dearer one has to beat.
_PLAIN = ("logistic", "ridge")


@dataclass(frozen=True)
class Finding:
    """One thing to worry about.

    Parameters
    ----------
    code : str
        Stable name, such as ``"timing-contended"``.
    sentence : str
        Plain text.
    tables, models : tuple of str
        Names of those affected; empty when all are.
    """

    code: str
    sentence: str
    tables: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def findings(results: Results) -> tuple[Finding, ...]:
    """Look through the results for whatever weakens them.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Finding
        Gravest first.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ensemblekit_reports.example import example_results
    >>> [finding.code for finding in findings(replace(example_results(), quick=True))]
    ['quick-scheme']
    """
    return tuple(finding for code, check in CHECKS.items() if code not in results.silence for finding in check(results))


def silenced(results: Results) -> tuple[Finding, ...]:
    """Return what would have been found by the checks that were silenced.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Finding

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ensemblekit_reports.example import example_results
    >>> quiet = replace(example_results(), quick=True, silence=("quick-scheme",))
    >>> findings(quiet), [finding.code for finding in silenced(quiet)]
    ((), ['quick-scheme'])
    """
    return tuple(finding for code, check in CHECKS.items() if code in results.silence for finding in check(results))


def _failed_models(results: Results) -> Iterator[Finding]:
    for model in results.models:
        own = results.cells[results.cells["model"] == model.name]
        bad = own[own["status"] != "ok"]
        if bad.empty:
            continue
        tables = _in_order(results, bad["dataset"])
        extent = f"{len(bad):,} of {wording.count(len(own), 'fold')}"
        where = "" if len(results.tables) == 1 else f" on {_names(tables)}"
        fate = "it has no score" if len(bad) == len(own) else "it is compared on the folds that it finished and is not ranked"
        reason = wording.name(f"{bad['status'].iloc[0]}: {bad['reason'].iloc[0]}", 240)
        sentence = f"{wording.name(model.label)} did not finish {extent}{where}, so {fate}. First reason: {reason}"
        yield Finding("model-failed", sentence, tables, (model.name,))


def _different_machines(results: Results) -> Iterator[Finding]:
    cells = results.cells
    if "fingerprint" in cells and cells["fingerprint"].dropna().nunique() > 1:
        yield Finding(
            "different-machines",
            "The timings come from more than one machine and must not be compared with each other; measure the cost again on one machine.",
        )


def _contended_timing(results: Results) -> Iterator[Finding]:
    if "contended" not in results.cells:
        return
    disturbed = results.cells[results.cells["contended"].eq(True)]
    if disturbed.empty:
        return
    models = tuple(model.name for model in results.models if model.name in set(disturbed["model"]))
    measured = int(results.cells[MAIN_COST].notna().sum())
    yield Finding(
        "timing-contended",
        f"Timing contended in {len(disturbed):,} of {wording.count(measured, 'timed fold')}: wall time ran well ahead "
        "of CPU time, or a fixed piece of work took over a quarter longer than at its fastest, so the machine was busy with "
        "something else or slowed down. Costs there are upper bounds; measure again when it is idle.",
        _in_order(results, disturbed["dataset"]),
        models,
    )


def _unmeasured_cost(results: Results) -> Iterator[Finding]:
    finished = results.cells[results.cells["status"] == "ok"]
    measured = set(finished.loc[finished[MAIN_COST].notna(), "model"]) if MAIN_COST in finished else set()
    missing = [model for model in results.models if model.name in set(finished["model"]) - measured]
    if missing:
        yield Finding(
            "cost-missing",
            f"No predict time was measured for {_labels(missing)}; nothing is said about the cost there.",
            models=tuple(model.name for model in missing),
        )


def _rare_classes(results: Results) -> Iterator[Finding]:
    for table in results.tables:
        rare = {label: n for label, n in table.class_counts.items() if n < results.n_splits}
        if not rare:
            continue
        shown = wording.listing([f"{wording.name(label, 30)} ({n})" for label, n in rare.items()])
        yield Finding(
            "class-too-rare",
            f"{wording.name(table.name, 40)}: {shown} {'has' if len(rare) == 1 else 'have'} fewer rows than the "
            f"{results.n_splits} folds, so some folds test a class that they were not trained on, or do not test it.",
            (table.name,),
        )


def _few_tables(results: Results) -> Iterator[Finding]:
    tables, n_pairs = len(results.tables), len(compared_pairs(results.models))
    needed = tables_to_tell(n_pairs, ALPHA)
    if MIN_TABLES <= tables < needed:
        yield Finding(
            "too-few-tables",
            f"{wording.count(tables, 'table')} are too few datasets to tell {n_pairs} pairs of models apart: even of one that wins "
            f"on every table, the adjusted p could not fall below {ALPHA}. Over them models can be shown to be practically equal, and "
            f"nothing else; with so many pairs it takes {needed} tables, or name fewer models.",
        )
    if 1 < tables < MIN_TABLES:
        yield Finding(
            "too-few-tables",
            f"{wording.count(len(results.tables), 'table')} are too few datasets to test across: fewer than "
            f"{MIN_TABLES} could never show a difference, so each table is judged by itself and the average is only "
            "described.",
        )


def _single_fold(results: Results) -> Iterator[Finding]:
    if results.n_repeats * results.n_splits < 2 or results.cells[["repeat", "fold"]].drop_duplicates().shape[0] < 2:
        yield Finding("single-fold", "One fold allows neither an interval nor a test: take at least five.")


def _quick_scheme(results: Results) -> Iterator[Finding]:
    if results.quick:
        yield Finding(
            "quick-scheme",
            f"Quick scheme of {results.n_repeats} {wording.TIMES} {results.n_splits} folds: intervals are wider and "
            f"timings coarser than those of the full scheme (10 {wording.TIMES} 10 folds below 1,000 rows, "
            f"3 {wording.TIMES} 5 above). Take the full scheme before deciding anything that matters.",
        )


def _different_folds(results: Results) -> Iterator[Finding]:
    folds: dict[str, dict[str, set[tuple[Any, ...]]]] = {}
    for table, model, *fold in zip(*(results.cells[column].tolist() for column in ("dataset", "model", *_FOLD)), strict=True):
        folds.setdefault(table, {}).setdefault(model, set()).add(tuple(fold))
    tables = [table.name for table in results.tables if len({frozenset(own) for own in folds.get(table.name, {}).values()}) > 1]
    if tables:
        yield Finding(
            "folds-differ",
            f"The models were not judged on the same folds of {_names(tuple(tables))}: their scores there are no pairs, and differences "
            "may be those of the rows. Run all of them in one study.",
            tuple(tables),
        )


def _undefined_metric(results: Results) -> Iterator[Finding]:
    if results.task != "regression":  # a model may give no probabilities, which is said where it is listed
        return
    label = QUANTITIES[results.metric].label
    for table in results.tables:
        cells = cells_of(results, table.name)
        n_folds, n_lost = (len(part[["repeat", "fold"]].drop_duplicates()) for part in (cells, without_value(cells, results.metric)))
        if n_lost:
            fate = "nothing is ranked by it" if n_lost == n_folds else "the others count"
            yield Finding(
                "metric-undefined",
                f"{wording.name(table.name, 40)}: {label} is undefined on {n_lost:,} of {wording.count(n_folds, 'fold')}, whose "
                f"answers are all equal, or one; {fate}. Take fewer folds or another metric, such as RMSE.",
                (table.name,),
            )


def _leaks(results: Results) -> Iterator[Finding]:
    targets = {table.name: wording.name(table.target, 40) for table in results.tables}
    for name in dict.fromkeys(leak.table for leak in results.leaks if leak.table in targets):
        columns = [wording.name(leak.column, 40) for leak in results.leaks if leak.table == name]
        several = len(columns) > 1
        alone, its, it = ("each predict", "they are", "them") if several else ("alone predicts", "it is", "it")
        yield Finding(
            "column-predicts-target",
            f"{wording.name(name, 40)}: {wording.listing(columns)} {alone} {targets[name]} almost without error. If {its} known only after "
            f"the answer, or the answer in other words, every score here is too good: leave {it} out.",
            (name,),
        )


def _slower_than_linear(results: Results) -> Iterator[Finding]:
    plain = next((model for model in results.models if model.name in _PLAIN), None)
    others = [model for model in results.models if model is not plain]
    if plain is None or not others:
        return
    pairs = [(model.name, plain.name) for model in others]
    ran = [table.name for table in results.tables if (results.cells["dataset"] == table.name).any()]
    judged = list(zip(*(compare_on_table(results, table, pairs) for table in ran), strict=True))
    slower = {}
    for model, on_tables in zip(others, judged, strict=True):
        ratios = [found.cost_ratio for found in on_tables if found.cost_ratio > 0]
        dearer = 1 / math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 0.0
        tested = any(found.call != UNTESTED for found in on_tables)
        if tested and dearer > wording.SAME_COST and not any(found.call == BETTER for found in on_tables):
            slower[model.name] = dearer
    if slower:
        affected = [model for model in others if model.name in slower]
        low, high = (wording.two_digits(end) for end in (min(slower.values()), max(slower.values())))
        span = f"{low}{wording.TIMES}" if low == high else f"{low} to {high}{wording.TIMES}"
        where = "" if len(ran) == 1 else f" on any of {len(ran)} tables"
        yield Finding(
            "slower-than-linear",
            f"{_labels(affected)} {'takes' if len(affected) == 1 else 'take'} {span} as long for a row as {wording.name(plain.label)} and "
            f"{'is' if len(affected) == 1 else 'are'} not shown to be better than it{where}.",
            models=tuple(slower),
        )


def _collapsed_gates(results: Results) -> Iterator[Finding]:
    collapsed = [i for i in results.insights if isinstance(i, MixtureInsight) and len(i.experts) > 1 and i.effective < COLLAPSED]
    for model in [model for model in results.models if model.name in {insight.model for insight in collapsed}]:
        tables = tuple(insight.dataset for insight in collapsed if insight.model == model.name)
        where = f" on {_names(tables)}" if len(results.tables) > 1 else ""
        yield Finding(
            "gate-collapsed",
            f"The gate of {wording.name(model.label)} has collapsed{where}: one expert answers for nearly every row, so it is no mixture. "
            "Fewer experts would do, or another start.",
            tables,
            (model.name,),
        )


def _degenerate_weights(results: Results) -> Iterator[Finding]:
    alone = [
        i
        for i in results.insights
        if isinstance(i, EnsembleInsight) and i.weighing != "equal" and len(i.members) > 1 and i.effective < COLLAPSED
    ]
    for model in [model for model in results.models if model.name in {insight.model for insight in alone}]:
        own = [insight for insight in alone if insight.model == model.name]
        tables = tuple(insight.dataset for insight in own)
        kept = {max(insight.members, key=lambda member: member.weight).name for insight in own}
        which = wording.name(kept.pop(), 30) if len(kept) == 1 else "one member, not always the same"
        where = f" on {_names(tables)}" if len(results.tables) > 1 else ""
        yield Finding(
            "weights-degenerate",
            f"{wording.name(model.label)} leaves nearly everything to {which}{where}: the others cost time and change next to nothing.",
            tables,
            (model.name,),
        )


def _wide_rope(results: Results) -> Iterator[Finding]:
    finished = results.cells[results.cells["status"] == "ok"]
    means = finished.groupby(["dataset", "model"])[results.metric].mean().unstack("model")
    spans = (means.max(axis=1) - means.min(axis=1))[means.notna().sum(axis=1) > 1]
    if spans.empty or not spans.max() < results.rope:
        return
    quantity = QUANTITIES[results.metric]
    largest = wording.amount(wording.two_digits(float(spans.max()) * wording.scale(quantity)), quantity)
    yield Finding(
        "rope-too-wide",
        f"Differences up to {wording.rope(results.rope, quantity)} are taken not to matter, and no two models differ by more than {largest}"
        f"{' on any table' if len(spans) > 1 else ''}: nothing can be found better here. Declare a smaller one if such differences matter.",
    )


#: Gravest first, by code.
CHECKS: dict[str, Callable[[Results], Iterator[Finding]]] = dict(
    zip(
        CODES,
        (
            _failed_models,
            _different_folds,
            _undefined_metric,
            _leaks,
            _different_machines,
            _contended_timing,
            _unmeasured_cost,
            _rare_classes,
            _single_fold,
            _few_tables,
            _wide_rope,
            _slower_than_linear,
            _collapsed_gates,
            _degenerate_weights,
            _quick_scheme,
        ),
        strict=True,
    )
)


def _in_order(results: Results, names: pd.Series[str]) -> tuple[str, ...]:
    present = set(names)
    return tuple(table.name for table in results.tables if table.name in present)


def _names(tables: tuple[str, ...]) -> str:
    return wording.listing([wording.name(name, 30) for name in tables])


def _labels(models: list[ModelFacts]) -> str:
    return wording.listing([wording.name(model.label) for model in models])
