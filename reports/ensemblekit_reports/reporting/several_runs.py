"""Two or more finished runs laid beside each other: what they have in common, what differs, and what must not be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports import wording
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.reporting.comparisons import UNTESTED, Comparison, called
from ensemblekit_reports.reporting.folds import held_out_ratio, side_by_side
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.store import fold_files
from ensemblekit_reports.statistics.correlated_t import correlated_t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.reporting.report import Report, TableSection
    from ensemblekit_reports.reporting.standings import Standing
    from ensemblekit_reports.results import ModelFacts

Comparisons = tuple[Comparison | None, ...]


@dataclass(frozen=True)
class Run:
    """One of the runs.

    Parameters
    ----------
    letter : str
        What the page calls it: A, B, ...
    directory : Path
        Output folder.
    report : Report
        Judged by the metric of the first run.
    metric : str
        Name of the metric that this run declared.
    rope : float
        Size of practically equal differences that it declared.
    """

    letter: str
    directory: Path
    report: Report
    metric: str
    rope: float


@dataclass(frozen=True)
class ModelRow:
    """A model on a table in every run.

    Parameters
    ----------
    model : ModelFacts
        As the first run that has it knows it.
    standings : tuple of Standing or None
        One for each run; None where the run has no such model.
    changes : tuple of Comparison or None
        For each later run the gain over the first: positive where the later run is better. Without interval where folds differ.
    redefined : bool
        Whether the runs mean different estimators by the name.
    """

    model: ModelFacts
    standings: tuple[Standing | None, ...]
    changes: Comparisons
    redefined: bool


@dataclass(frozen=True)
class CommonTable:
    """A table that all runs have, by its content.

    Parameters
    ----------
    name : str
        As in the first run.
    sections : tuple of TableSection
        What each run says of it.
    paired : tuple of bool
        For each later run, whether its folds are those of the first.
    rows : tuple of ModelRow
        Every model that at least two runs have.
    """

    name: str
    sections: tuple[TableSection, ...]
    paired: tuple[bool, ...]
    rows: tuple[ModelRow, ...]


@dataclass(frozen=True)
class SideBySide:
    """All that the page of several runs says.

    Parameters
    ----------
    runs : tuple of Run
    quantity : Quantity
        The metric of the first run, by which all are shown.
    rope : float
        Its region of practical equivalence.
    remarks : tuple of str
        What differs between the runs and how it was dealt with, one sentence each.
    tables : tuple of CommonTable
    costs_refused : str
        Why costs are not laid side by side; empty where they are.
    """

    runs: tuple[Run, ...]
    quantity: Quantity
    rope: float
    remarks: tuple[str, ...]
    tables: tuple[CommonTable, ...]
    costs_refused: str


def lay_side_by_side(directories: Sequence[Path], *, metric: str | None = None, rope: float | None = None) -> SideBySide:
    """Read runs and lay them beside each other.

    Parameters
    ----------
    directories : sequence of Path
        Output folders of at least two runs; the first is what the others are compared with.
    metric : str, optional
        By which all are judged; that of the first run if not given.
    rope : float, optional
        Size of practically equal differences, instead of the first run's.

    Returns
    -------
    SideBySide

    Raises
    ------
    UserError
        When a folder holds no finished run or is named twice, or one classifies and another predicts amounts.
    """
    _refuse_the_same(directories)
    first = load_results(directories[0], metric=metric, rope=rope)
    runs = []
    for position, directory in enumerate(directories):
        declared = load_results(directory)
        if declared.task != first.task:
            raise UserError(f"{directory} holds a {declared.task} and {directories[0]} a {first.task}: they have no score in common.")
        report = build(load_results(directory, metric=first.metric, rope=first.rope))
        runs.append(Run(chr(ord("A") + position), directory, report, declared.metric, declared.rope))
    tables, only = _common_tables(runs)
    return SideBySide(
        runs=tuple(runs),
        quantity=runs[0].report.quantity,
        rope=first.rope,
        remarks=(*_say_declarations(runs), *only),
        tables=tables,
        costs_refused=_why_no_costs(runs),
    )


def _refuse_the_same(directories: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for directory in directories:
        if (place := directory.resolve()) in seen:
            raise UserError(f"{directory} is the same folder as {seen[place]}, and no run differs from itself: name each folder once.")
        seen[place] = directory


def _say_declarations(runs: Sequence[Run]) -> list[str]:
    shown = runs[0].report
    said = [
        f"Run {run.letter} declared the metric {run.metric}; here it is judged by {shown.quantity.name}."
        for run in runs
        if run.metric != shown.quantity.name
    ]
    said += [
        f"Run {run.letter} took differences up to {run.rope:g} to be equal; here it is {shown.rope:g}."
        for run in runs
        if run.metric == shown.quantity.name and run.rope != shown.rope
    ]
    schemes = [f"{run.report.n_repeats} × {run.report.n_splits}" for run in runs]
    if len(set(schemes)) > 1:
        said.append("Fold schemes: " + ", ".join(f"{run.letter} {scheme}" for run, scheme in zip(runs, schemes, strict=True)) + ".")
    for before, after in pairwise(runs):
        here, there = before.report.reproducibility.versions, after.report.reproducibility.versions
        other = [f"{name} {here[name]} and {there[name]}" for name in here if name in there and here[name] != there[name]]
        if other:
            said.append(f"Versions of {before.letter} and {after.letter} differ: {', '.join(other)}.")
    return said


def _common_tables(runs: Sequence[Run]) -> tuple[tuple[CommonTable, ...], list[str]]:
    """Find tables of the same content, and say which have none."""
    by_content = [{section.facts.checksum: section for section in run.report.tables} for run in runs]
    shared = [checksum for checksum in by_content[0] if all(checksum in others for others in by_content[1:])]
    tables = tuple(_common_table(runs, tuple(sections[checksum] for sections in by_content)) for checksum in shared)
    said = []
    for run, sections in zip(runs, by_content, strict=True):
        alone = [wording.name(section.facts.name) for checksum, section in sections.items() if checksum not in shared]
        if alone:
            said.append(f"Not in every run with the same content, and so not compared: {wording.listing(alone)} of run {run.letter}.")
    return tables, said


def _common_table(runs: Sequence[Run], sections: tuple[TableSection, ...]) -> CommonTable:
    folds = [_stored_folds(run, section) for run, section in zip(runs, sections, strict=True)]
    paired = tuple(folds[0] is not None and other is not None and np.array_equal(folds[0], other) for other in folds[1:])
    names = dict.fromkeys(s.model.name for section in sections for s in section.standings)
    rows = []
    for name in names:
        standings = tuple(next((s for s in section.standings if s.model.name == name), None) for section in sections)
        there = [standing.model for standing in standings if standing is not None]
        if len(there) > 1:
            changes = tuple(_change(runs, sections, name, position, is_paired) for position, is_paired in enumerate(paired, start=1))
            rows.append(ModelRow(there[0], standings, changes, len({model.definition for model in there}) > 1))
    return CommonTable(sections[0].facts.name, sections, paired, _judged(rows, len(paired)))


def _stored_folds(run: Run, section: TableSection) -> NDArray[np.int16] | None:
    shape = (run.report.n_repeats, section.facts.n_rows)
    for file in reversed(fold_files(run.directory, section.facts.name)):
        folds: NDArray[np.int16] = np.load(file, allow_pickle=False)
        if folds.shape == shape and folds.max() == run.report.n_splits - 1:
            return folds
    return None


def _change(runs: Sequence[Run], sections: tuple[TableSection, ...], model: str, position: int, is_paired: bool) -> Comparison | None:
    """Compare a model in a later run with itself in the first."""
    quantity, rope = runs[0].report.quantity, runs[0].report.rope
    sign = 1.0 if quantity.higher_is_better else -1.0
    scores, ratio = [], 0.0
    for run, section in ((runs[0], sections[0]), (runs[position], sections[position])):
        cells = run.report.cells[run.report.cells["dataset"] == section.facts.name]
        if model not in set(cells["model"]):
            return None
        scores.append(sign * side_by_side(cells, quantity.name, (model,))[model])
        ratio = held_out_ratio(cells)
    before, after = scores
    differences = (after - before).dropna() if is_paired else after.iloc[:0]
    found = correlated_t(differences, ratio, rope)
    gain = found.mean if is_paired else float(after.mean() - before.mean())
    return Comparison(
        first=runs[position].letter,
        second=runs[0].letter,
        n=found.n if is_paired else int(min(after.notna().sum(), before.notna().sum())),
        n_possible=len(after),
        gain=gain,
        low=found.low,
        high=found.high,
        p=found.p,
        p_holm=np.nan,
        worse=found.worse,
        equal=found.equal,
        better=found.better,
        call=UNTESTED,
        cost_ratio=np.nan,
    )


def _judged(rows: list[ModelRow], n_later: int) -> tuple[ModelRow, ...]:
    """Adjust the p of a table's models for their number, run by run, and say what each difference is."""
    changes: list[list[Comparison | None]] = [list(row.changes) for row in rows]
    for later in range(n_later):
        there = [row for row in changes if row[later] is not None]
        for row, judged in zip(there, called([change for row in there if (change := row[later]) is not None]), strict=True):
            row[later] = judged
    return tuple(replace(row, changes=tuple(found)) for row, found in zip(rows, changes, strict=True))


def _why_no_costs(runs: Sequence[Run]) -> str:
    machines = {run.report.reproducibility.fingerprint for run in runs}
    if len(machines) > 1:
        which = ", ".join(f"{run.letter} {run.report.reproducibility.fingerprint}" for run in runs)
        return (
            f"Costs are not laid side by side: the runs were timed on different machines (fingerprints {which}), and times of two "
            "machines say nothing about two models. Run both studies on one machine to compare them."
        )
    threads = {run.report.reproducibility.threads for run in runs}
    return "Costs are not laid side by side: the runs were timed with different numbers of threads." if len(threads) > 1 else ""
