"""The cost pass: the costs that are missing are measured one after another, each in a fresh process."""

from __future__ import annotations

from ensemblekit_reports.running.cost import TimedProcesses
from ensemblekit_reports.running.progress import Stage, silent
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import THREADS, Cell, is_missing, work_of


def time_missing(plan: Plan, cells: list[Cell], store: Store, stage: Stage = silent) -> None:
    """Run the cost pass on those of some cells that are missing; a model that did not finish is not timed.

    Parameters
    ----------
    plan : Plan
        To which they belong.
    cells : list of Cell
        Of it; their metrics are there.
    store : Store
        Their folder.
    stage : callable, default=silent
        Told of progress.

    Raises
    ------
    UserError
        When a process does not start, or costs cannot be written.
    """
    missing = [cell for cell in cells if cell.cost and is_missing(cell.cost, plan.budget) and _is_ok(cell)]
    if not missing:
        return
    with (
        stage("Cost", len(missing), sum(work_of([cell]) for cell in missing)) as advance,
        TimedProcesses(
            threads=THREADS, quick=plan.quick, budget=plan.budget, scratch=store.scratch, energy=plan.estimates.energy
        ) as processes,
    ):
        for cell in missing:
            record = processes.measure(_as_chosen(cell), plan.fold(cell.table, cell.repeat, cell.fold))
            if cell.cost:
                store.save(cell.cost, record)
            advance(1, work_of([cell]))


def _as_chosen(cell: Cell) -> Model:
    """Return the model with what its search has chosen on this very fold, so that its own cost is timed and not that of the search."""
    return cell.model.with_params(read_json(cell.accuracy).get("tuning", {}).get("params", {})) if cell.model.tuning else cell.model


def _is_ok(cell: Cell) -> bool:
    return bool(read_json(cell.accuracy)["status"] == "ok")
