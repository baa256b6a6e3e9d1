"""The accuracy pass: the models that a fold lacks are fitted together, here or by a cluster, fold by fold."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from functools import partial

from ensemblekit_reports.engines.cluster import fit_elsewhere
from ensemblekit_reports.engines.engine import LOCAL, Engine
from ensemblekit_reports.running.fitters import Fitters
from ensemblekit_reports.running.live_board import LiveBoard
from ensemblekit_reports.running.predictions import predictions_file
from ensemblekit_reports.running.progress import Stage, silent
from ensemblekit_reports.running.store import Store
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import Cell, is_missing, work_of

#: The cells of one fold.
Group = list[Cell]


def fit_missing(plan: Plan, cells: list[Cell], store: Store, jobs: int, stage: Stage = silent, engine: Engine | None = None) -> None:
    """Run the accuracy pass on those of some cells that are missing.

    Parameters
    ----------
    plan : Plan
        To which they belong.
    cells : list of Cell
        Of it.
    store : Store
        Their folder.
    jobs : int
        Processes.
    stage : callable, default=silent
        Told of progress.
    engine : Engine, optional
        Workers; by default processes of this machine.

    Raises
    ------
    UserError
        When workers are not to be had, or cells cannot be written.
    """
    groups = _missing(cells, plan)
    if not groups:
        return
    engine = engine or Engine()
    finished = _fit_here(plan, groups, store, jobs) if engine.name == LOCAL else _fit_there(plan, groups, engine, jobs)
    board, waiting = LiveBoard(plan.metric), {cell.accuracy for group in groups for cell in group}
    with stage("Accuracy", len(waiting), sum(map(work_of, groups))) as advance, closing(finished):
        if earlier := [cell for cell in cells if cell.accuracy not in waiting]:
            advance(0, 0.0, partial(board.after, earlier))
        for group in finished:
            advance(len(group), work_of(group), partial(board.after, group))


def _missing(cells: list[Cell], plan: Plan) -> list[Group]:
    """Take what is missing fold by fold: those of large tables first, so that no worker is left alone with one at the end."""
    groups: dict[tuple[str, int, int, float], Group] = {}
    for cell in cells:
        if is_missing(cell.accuracy, plan.budget):
            # The record first: where it is, the cell is whole.
            for file in (cell.accuracy, predictions_file(cell.accuracy)):
                file.unlink(missing_ok=True)
            if cell.model.tuning and cell.cost:
                cell.cost.unlink(missing_ok=True)  # a new search may choose otherwise, and costs are those of what was chosen
            groups.setdefault((cell.table.name, cell.repeat, cell.fold, cell.share), []).append(cell)
    return sorted(groups.values(), key=lambda group: (-work_of(group[:1]), group[0].table.name, -len(group)))


def _fit_here(plan: Plan, groups: list[Group], store: Store, jobs: int) -> Generator[Group, None, None]:
    workers = min(jobs, len(groups))
    with Fitters(workers, plan.budget, store.scratch) as fitters, ThreadPoolExecutor(workers) as threads:
        fitters.share(list({group[0].table.name: group[0].table for group in groups}.values()))
        waiting = {threads.submit(_fit_group, fitters, plan, group): group for group in groups}
        try:
            for done in as_completed(waiting):
                done.result()
                yield waiting[done]
        except BaseException:
            fitters.stop()
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _fit_group(fitters: Fitters, plan: Plan, group: Group) -> None:
    first = group[0]
    fitters.fit(plan.fold(first.table, first.repeat, first.fold, first.share), [(cell.model, cell.accuracy) for cell in group])


def _fit_there(plan: Plan, groups: list[Group], engine: Engine, jobs: int) -> Generator[Group, None, None]:
    with engine.connect(jobs) as cluster:
        yield from fit_elsewhere(cluster, plan, groups)
