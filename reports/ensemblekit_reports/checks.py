"""What a reader should worry about before believing the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.standings import MAIN_COST
from ensemblekit_reports.statistics.several_tables import MIN_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ensemblekit_reports.results import ModelFacts, Results


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
    return tuple(finding for check in CHECKS for finding in check(results))


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
        "of CPU time, so the machine was busy with something else. Costs there are upper bounds; measure again when it "
        "is idle.",
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
    if 1 < len(results.tables) < MIN_TABLES:
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


#: Gravest first.
CHECKS = (
    _failed_models,
    _different_machines,
    _contended_timing,
    _unmeasured_cost,
    _rare_classes,
    _single_fold,
    _few_tables,
    _quick_scheme,
)


def _in_order(results: Results, names: pd.Series[str]) -> tuple[str, ...]:
    present = set(names)
    return tuple(table.name for table in results.tables if table.name in present)


def _names(tables: tuple[str, ...]) -> str:
    return wording.listing([wording.name(name, 30) for name in tables])


def _labels(models: list[ModelFacts]) -> str:
    return wording.listing([wording.name(model.label) for model in models])
