"""What a run would do and about how long it would take, without doing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ensemblekit_reports.running.accuracy_pass import fit_missing
from ensemblekit_reports.running.passing_folder import passing_folder
from ensemblekit_reports.running.progress import Stage, silent
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import Cell, curve_cells, is_missing, plan_cells
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.studies.tuning import INNER_FOLDS
from ensemblekit_reports.tables.table import Table
from ensemblekit_reports.wording import count

#: Most rows of a probe. Fits of larger tables take about as much longer as they have more rows; of fewer rows not so, because where
#: there is little to fit, iterations are many.
PROBE_ROWS = 2_000
#: Seconds of a timed process beside its fit: single rows and batches.
QUICK_TIMING_S, TIMING_S = 2.0, 12.0


@dataclass(frozen=True)
class DryRun:
    """What a run would do.

    Parameters
    ----------
    name : str
        Of the study.
    tables : tuple of (str, int, int)
        Name, rows and columns.
    models : tuple of str
        Names.
    n_repeats, n_splits : int
        Fold scheme.
    metric : str
        Primary metric.
    n_cells, n_finished, n_timed : int
        Cells of the plan, those that are there already, and costs to be measured.
    seconds : float
        Guess of its time, from one fit of each model on each table, or on 2,000 rows of it; right within a factor of two or three.
    failing : tuple of str
        What went wrong in these fits, a sentence each.
    """

    name: str
    tables: tuple[tuple[str, int, int], ...]
    models: tuple[str, ...]
    n_repeats: int
    n_splits: int
    metric: str
    n_cells: int
    n_finished: int
    n_timed: int
    seconds: float
    failing: tuple[str, ...]

    @property
    def text(self) -> str:
        """The same in lines."""
        time = f"{self.seconds / 60:.0f} min" if self.seconds > 90 else f"{self.seconds:.0f} s"
        scheme = f"{self.n_repeats} x {self.n_splits} folds, primary metric {self.metric}"
        lines = [
            f"{self.name}: {count(len(self.models), 'model')} on {count(len(self.tables), 'table')}, {scheme}",
            *(f"  {name}: {count(rows, 'row')}, {count(columns, 'column')}" for name, rows, columns in self.tables),
            f"  models: {', '.join(self.models)}",
            f"{count(self.n_cells, 'cell')}, {self.n_finished} of them finished; costs to measure: {self.n_timed}",
            f"about {time} (within a factor of two or three)",
        ]
        return "\n".join(lines + [f"when tried, {sentence}" for sentence in self.failing])


def dry_run(plan: Plan, directory: Path, *, jobs: int, stage: Stage = silent) -> DryRun:
    """Say what a run would do.

    Parameters
    ----------
    plan : Plan
        What to run.
    directory : Path
        Output folder; nothing is done to it.
    jobs : int
        Processes of the accuracy pass.
    stage : callable, default=silent
        Told of these fits.

    Returns
    -------
    DryRun

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 3), 0, True)
    >>> found = dry_run(plan, Path("nowhere"), jobs=1)
    >>> found.n_cells, found.n_timed, found.seconds < 60
    (3, 1, True)
    """
    cells = plan_cells(plan, directory) + curve_cells(plan, directory)
    missing = [cell for cell in cells if is_missing(cell.accuracy, plan.budget)]
    timed = [cell for cell in cells if cell.cost and is_missing(cell.cost, plan.budget)]
    concerned = {(cell.table.name, cell.model.name) for cell in missing + timed}
    seconds, failing = _probe(plan, concerned, jobs, stage)
    fits = sum(cell.share * _with_search(cell, seconds[cell.table.name, cell.model.name]) for cell in missing)
    timing = sum(seconds[cell.table.name, cell.model.name] + (QUICK_TIMING_S if plan.quick else TIMING_S) for cell in timed)
    return DryRun(
        name=plan.name,
        tables=tuple((table.name, *table.X.shape) for table in plan.tables),
        models=tuple(model.name for model in plan.models),
        n_repeats=plan.scheme.n_repeats,
        n_splits=plan.scheme.n_splits,
        metric=plan.metric,
        n_cells=len(cells),
        n_finished=len(cells) - len(missing),
        n_timed=len(timed),
        seconds=fits / max(1, min(jobs, len({(c.table.name, c.repeat, c.fold) for c in missing}))) + timing,
        failing=failing,
    )


def _probe(plan: Plan, concerned: set[tuple[str, str]], jobs: int, stage: Stage) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
    """Seconds of one fit by table and model, and what went wrong."""
    shares = {table.name: _probe_share(table) for table in plan.tables}
    small = replace(
        plan,
        models=tuple(model.with_params({}) for model in plan.models),
        tables=tuple(_part_of(table, shares[table.name]) for table in plan.tables),
        scheme=Scheme(1, plan.scheme.n_splits),
    )
    seconds, failing = {}, []
    with passing_folder() as folder:
        store = Store(folder)
        cells = [cell for cell in plan_cells(small, folder) if cell.fold == 0 and (cell.table.name, cell.model.name) in concerned]
        fit_missing(small, cells, store, jobs, stage)
        for cell in cells:
            record = read_json(cell.accuracy)
            seconds[cell.table.name, cell.model.name] = record["seconds"] / shares[cell.table.name]
            failing += [_say(cell, record["reason"])] if record["reason"] else []
    return seconds, tuple(failing)


def _with_search(cell: Cell, seconds: float) -> float:
    """Seconds of a fit with the search before it: each trial fits the model on parts of the training rows."""
    tuning = cell.model.tuning
    return seconds + (min(tuning.time_limit_s, tuning.trials * (INNER_FOLDS - 1) * seconds) if tuning else 0.0)


def _probe_share(table: Table) -> float:
    return min(1.0, PROBE_ROWS / len(table.y))


def _part_of(table: Table, share: float) -> Table:
    """Every so manieth row of each class, so that each is there."""
    if share == 1:
        return table
    by_class = np.argsort(table.y, kind="stable")
    rows = np.sort(by_class[np.linspace(0, len(by_class) - 1, PROBE_ROWS).astype(np.intp)])
    weights = None if table.weights is None else table.weights[rows]
    # How long a fit takes does not depend on who belongs together, and small groups may have no row here.
    return replace(table, X=table.X[rows], y=table.y[rows], groups=None, weights=weights)


def _say(cell: Cell, reason: str) -> str:
    return f"{cell.model.name} failed on {cell.table.name}: {reason}"
