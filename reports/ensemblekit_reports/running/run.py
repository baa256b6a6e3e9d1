"""A plan becomes results: what is missing is run, what is there is read."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ensemblekit_reports.engines.engine import Engine
from ensemblekit_reports.environment import fingerprint, machine, versions
from ensemblekit_reports.results import Environment, Results
from ensemblekit_reports.running.accuracy_pass import fit_missing
from ensemblekit_reports.running.cost_pass import time_missing
from ensemblekit_reports.running.leaks import find_leaks
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.lock import only_run_in
from ensemblekit_reports.running.progress import Stage, silent
from ensemblekit_reports.running.run_record import listed, write_run
from ensemblekit_reports.running.store import Store, make_folder, read_json
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import THREADS, Cell, curve_cells, plan_cells


def run(
    plan: Plan,
    directory: Path,
    *,
    jobs: int,
    command: str,
    fresh: bool = False,
    stage: Stage = silent,
    engine: Engine | None = None,
) -> Results:
    """Run what is missing of a plan and return everything that was found.

    Parameters
    ----------
    plan : Plan
        What to run.
    directory : Path
        Output folder; cells that are already there are not run again.
    jobs : int
        Processes of the accuracy pass. The cost pass always runs one after another.
    command : str
        What makes these results again.
    fresh : bool, default=False
        Forget the cells that are there.
    stage : callable, default=silent
        Told of progress, see ``progress.py``.
    engine : Engine, optional
        Workers of the accuracy pass; by default processes of this machine.

    Returns
    -------
    Results

    Raises
    ------
    UserError
        When the folder cannot be written to, another run has it, or workers are not to be had.
    KeyboardInterrupt
        On Ctrl-C; finished cells are kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.studies.scheme import Scheme
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 2), 0, True)
    >>> with TemporaryDirectory() as folder:
    ...     run(plan, Path(folder), jobs=1, command="").cells["status"].tolist()
    ['ok', 'ok']
    """
    make_folder(directory)
    with only_run_in(directory):
        store = Store(directory)
        if fresh:
            store.forget()
        cells, curve = plan_cells(plan, directory), curve_cells(plan, directory)
        for table in plan.tables:
            store.save_folds(table.name, plan.assignments[table.name])
        clock = _Clock.start(store, cells)
        # Before the fits: what was found is known to an interrupted run, too.
        leaks = tuple(leak for table in plan.tables for leak in find_leaks(table, plan.assignments[table.name][0]))
        write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)  # for whoever asks after a run that was killed
        try:
            fit_missing(plan, cells + curve, store, jobs, stage, engine or Engine())
            time_missing(plan, cells, store, stage)
        except BaseException:
            with suppress(OSError):  # what went wrong first is what counts
                write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)
            raise
        finally:
            store.clear_scratch()
        write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)
        return load_results(directory)


@dataclass(frozen=True)
class _Clock:
    """When a run began and what earlier, interrupted runs of the same cells had taken."""

    started_at: str
    earlier_s: float
    began: float

    @classmethod
    def start(cls, store: Store, cells: list[Cell]) -> _Clock:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        file = store.directory / "run.json"
        before = read_json(file) if file.exists() else {}
        if before.get("cells") == listed(cells) and any(cell.accuracy.exists() for cell in cells):
            return cls(before["environment"]["started_at"], before["environment"]["elapsed_s"], time.monotonic())
        return cls(now, 0.0, time.monotonic())

    def environment(self, plan: Plan, command: str) -> Environment:
        facts = machine()
        return Environment(
            command=command,
            seed=plan.seed,
            versions=versions(),
            machine=facts,
            fingerprint=fingerprint(facts),
            threads=THREADS,
            started_at=self.started_at,
            elapsed_s=self.earlier_s + time.monotonic() - self.began,
        )
