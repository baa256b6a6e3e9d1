"""Every cell of a plan and where its records are kept: what resuming is a difference of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ensemblekit_reports.environment import fingerprint, machine
from ensemblekit_reports.running.record import step_of
from ensemblekit_reports.running.store import cell_file, read_json
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.keys import content_key
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.tables.table import Table

#: Threads of a timed process, the protocol's default.
THREADS = 1


@dataclass(frozen=True)
class Cell:
    """A planned cell and where its two records are kept.

    Parameters
    ----------
    table : Table
    model : Model
    repeat, fold : int
        The fold.
    accuracy : Path
        File of its metrics.
    cost : Path or None
        File of its costs; None on folds that are not timed.
    share : float, default=1.0
        Part of the training rows that is learnt from.
    """

    table: Table
    model: Model
    repeat: int
    fold: int
    accuracy: Path
    cost: Path | None
    share: float = 1.0


def plan_cells(plan: Plan, directory: Path) -> list[Cell]:
    """List every cell of a plan with its files, which may be there or not.

    Parameters
    ----------
    plan : Plan
        What to run.
    directory : Path
        Output folder; nothing is done to it.

    Returns
    -------
    list of Cell
        By table, model, repeat, fold.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.studies.scheme import Scheme
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 3), 0, True)
    >>> [cell.fold for cell in plan_cells(plan, Path("out"))]
    [0, 1, 2]
    """
    timed = set(plan.timed_folds())
    place = fingerprint(machine())
    energy = [plan.estimates.energy] if plan.estimates.energy else []
    cells = []
    for table, model, base in _bases(plan):
        for repeat, fold in plan.folds(table):
            label = f"{table.name} {model.name} r{repeat} f{fold}"
            accuracy = content_key(base=base, repeat=repeat, fold=fold)
            cost = content_key(base=base, repeat=repeat, fold=fold, at=[place, THREADS, plan.quick, *energy])
            cells.append(
                Cell(
                    table,
                    model,
                    repeat,
                    fold,
                    cell_file(directory, "accuracy", label, accuracy),
                    cell_file(directory, "cost", label, cost) if (repeat, fold) in timed else None,
                )
            )
    return cells


def curve_cells(plan: Plan, directory: Path) -> list[Cell]:
    """List the cells of learning curves that are not cells of the study anyway: parts of the training rows of the first repeat.

    Parameters
    ----------
    plan : Plan
        What to run.
    directory : Path
        Output folder; nothing is done to it.

    Returns
    -------
    list of Cell
        By table, model, share, fold; none where no curve is asked for.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.studies.scheme import Scheme
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> study = ("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(2, 3), 0, True)
    >>> [(cell.share, cell.fold) for cell in curve_cells(Plan(*study, shares=(0.5, 1.0)), Path("out"))]
    [(0.5, 0), (0.5, 1), (0.5, 2)]
    """
    cells = []
    for table, model, base in _bases(plan):
        folds = [fold for repeat, fold in plan.folds(table) if repeat == 0]
        for share, fold in [(share, fold) for share in plan.shares if share < 1 for fold in folds]:
            key = content_key(base=base, repeat=0, fold=fold, share=share)
            file = cell_file(directory, "accuracy", f"{table.name} {model.name} r0 f{fold} s{share:g}", key)
            cells.append(Cell(table, model, 0, fold, file, None, share))
    return cells


def _bases(plan: Plan) -> Iterator[tuple[Table, Model, str]]:
    """Give every model on every table, with the hash of what all of its cells there depend on."""
    for table in plan.tables:
        dealt = hashlib.sha256(plan.assignments[table.name].tobytes()).hexdigest()
        for model in plan.models:
            known = {"table": table.checksum, "dataset": table.name, "folds": dealt, "seed": plan.seed, "model": model.identity()}
            yield table, model, content_key(**known)


def is_missing(record: Path, budget: Budget) -> bool:
    """Whether a record is to be made: it is not there, was ended by a budget that has changed, or took more than this one allows.

    Parameters
    ----------
    record : Path
        Of metrics or of costs.
    budget : Budget
        Of this run.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_missing(Path("nowhere.json"), Budget())
    True
    """
    if not record.exists():
        return True
    known = read_json(record)
    if "budget" in known:
        return bool(known["budget"] != asdict(budget))
    return known.get("status") == "ok" and bool(budget.excess(step_of(known)))


def work_of(cells: list[Cell]) -> float:
    """Guess the work of cells of one table, in no unit: measured on tables from 150 to 32,561 rows, right within a factor of two.

    Parameters
    ----------
    cells : list of Cell
        At least one.

    Returns
    -------
    float
    """
    table = cells[0].table
    return len(cells) * (8_000 + len(table.y) * (table.X.shape[1] * max(1, len(table.classes))) ** 0.5)
