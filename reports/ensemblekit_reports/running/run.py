"""A plan becomes results: what is missing is run, what is there is read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ensemblekit_reports.engines.engine import Engine
from ensemblekit_reports.environment import fingerprint, machine, versions
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.insights.storing import read_insight
from ensemblekit_reports.quantities import COSTS, QUANTITIES, metrics_of
from ensemblekit_reports.reporting.answers import read_answers
from ensemblekit_reports.reporting.check_codes import check_silence
from ensemblekit_reports.results import KEY_COLUMNS, Environment, Leak, ModelFacts, Results, TableFacts
from ensemblekit_reports.running import energy
from ensemblekit_reports.running.accuracy_pass import fit_missing
from ensemblekit_reports.running.cost import TimedProcesses
from ensemblekit_reports.running.leaks import find_leaks
from ensemblekit_reports.running.lock import only_run_in
from ensemblekit_reports.running.metrics import judge
from ensemblekit_reports.running.pace import slowed_down
from ensemblekit_reports.running.predictions import predictions_file, read_predictions
from ensemblekit_reports.running.progress import Stage, silent
from ensemblekit_reports.running.store import Store, make_folder, read_json
from ensemblekit_reports.running.timing import QUICK_CALLS, SINGLE_CALLS
from ensemblekit_reports.running.tuned import say_tuning
from ensemblekit_reports.studies.declared import check_numbers, declared_metric, declared_rope
from ensemblekit_reports.studies.estimates import Estimates
from ensemblekit_reports.studies.models import Model
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import THREADS, Cell, curve_cells, is_missing, plan_cells, work_of

#: Change when the layout of ``run.json`` or of a cell changes.
FORMAT = 1


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
    >>> from ensemblekit_reports.studies.models import find_models
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
        _write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)  # for whoever asks after a run that was killed
        try:
            fit_missing(plan, cells + curve, store, jobs, stage, engine or Engine())
            _cost_pass(plan, cells, store, stage)
        except BaseException:
            with suppress(OSError):  # what went wrong first is what counts
                _write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)
            raise
        finally:
            store.clear_scratch()
        _write_run(plan, store, cells, curve, clock.environment(plan, command), leaks)
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
        if before.get("cells") == _listed(cells) and any(cell.accuracy.exists() for cell in cells):
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


def _cost_pass(plan: Plan, cells: list[Cell], store: Store, stage: Stage) -> None:
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


def _listed(cells: list[Cell]) -> list[list[str]]:
    return [[cell.accuracy.name, cell.cost.name if cell.cost else ""] for cell in cells]


def _write_run(plan: Plan, store: Store, cells: list[Cell], curve: list[Cell], environment: Environment, leaks: tuple[Leak, ...]) -> None:
    record = {
        "format": FORMAT,
        "study": {
            "name": plan.name,
            "metric": plan.metric,
            "rope": plan.rope,
            "n_repeats": plan.scheme.n_repeats,
            "n_splits": plan.scheme.n_splits,
            "quick": plan.quick,
            "task": plan.task,
            "silence": list(plan.silence),
        },
        "tables": [asdict(plan.facts(table)) for table in plan.tables],
        "models": [asdict(model.facts(plan.seed)) for model in plan.models],
        "environment": asdict(environment),
        "cells": _listed(cells),
        "curve": [[cell.accuracy.name, cell.share] for cell in curve],
        "leaks": [asdict(leak) for leak in leaks],
        "estimates": asdict(plan.estimates),
    }
    store.save(store.directory / "run.json", record)


def load_results(directory: Path, *, metric: str | None = None, rope: float | None = None, silence: Sequence[str] = ()) -> Results:
    """Read a finished run.

    Parameters
    ----------
    directory : Path
        Output folder of ``run``.
    metric : str, optional
        Primary metric instead of the one that was declared before the run; nothing is fitted again.
    rope : float, optional
        Size of practically equal differences in units of it, instead of the declared one.
    silence : sequence of str
        Codes of checks to leave out, beside those that the study names.

    Returns
    -------
    Results

    Raises
    ------
    UserError
        When there is no run, cells of it are missing, or the metric is unknown.

    Examples
    --------
    >>> load_results(Path("nowhere"))
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: nowhere holds no run: there is no run.json in it.
    """
    file = directory / "run.json"
    if not file.exists():
        raise UserError(f"{directory} holds no run: there is no run.json in it.")
    record = read_json(file)
    if record.get("format") != FORMAT:
        raise UserError(f"{file} was written by another version; run the study again.")
    environment = Environment(**record["environment"])
    tables = tuple(TableFacts(**facts | {"notes": tuple(facts["notes"])}) for facts in record["tables"])
    task = record["study"].get("task", "classification")  # what there was before regression
    study = record["study"] | _chosen(record["study"], task, tables, metric, rope)
    study["silence"] = check_silence([*study.get("silence", ()), *silence])
    check_numbers(study["metric"], study["rope"], environment.seed, task)
    estimates = Estimates(**record.get("estimates", {}))
    pairs = _with_pace([_read_pair(directory, accuracy, cost, task) for accuracy, cost in record["cells"]])
    points = [(_read_pair(directory, name, "", task)[0], share) for name, share in record.get("curve", ())]
    unfinished = sum(accuracy is None for accuracy, _ in pairs) + sum(accuracy is None for accuracy, _ in points)
    if unfinished:
        there = len(pairs) + len(points)
        raise UserError(
            f"the run in {directory} is not finished: {unfinished} of {there} cells are missing. Go on with: {_again(environment.command)}"
        )
    finished = [
        (cell["dataset"], cell["model"], cell["repeat"], directory / "cells" / "accuracy" / name)
        for (cell, _), (name, _) in zip(pairs, record["cells"], strict=True)
        if cell and cell["status"] == "ok"
    ]
    return Results(
        **study,
        tables=tables,
        models=tuple(ModelFacts(**facts) for facts in record["models"]),
        environment=environment,
        cells=_with_estimates(_frame([_row(accuracy, cost, task) for accuracy, cost in pairs if accuracy], task), pairs, estimates),
        notes=_untimed(record["cells"], pairs, environment.command)
        + _notes(pairs, quick=study["quick"])
        + _failed_points([(accuracy, share) for accuracy, share in points if accuracy])
        + estimates.notes()
        + _other_metric(record["study"], study),
        curve=_curve([(accuracy, share) for accuracy, share in points if accuracy], pairs, task),
        leaks=tuple(Leak(**leak) for leak in record.get("leaks", ())),
        insights=tuple(found for *_, file in finished if (found := read_insight(file))),
        answers=read_answers(finished, {table.name: len(table.class_counts) for table in tables}),
    )


def _chosen(declared: dict[str, Any], task: str, tables: tuple[TableFacts, ...], metric: str | None, rope: float | None) -> dict[str, Any]:
    """Return metric and practical equivalence where others than the declared ones are asked for; a metric brings its own rope."""
    if metric is None or metric == declared["metric"]:
        return {} if rope is None else {"rope": rope}
    chosen = declared_metric(metric, task, len(tables))
    return {"metric": chosen, "rope": declared_rope(rope, chosen, [table.answers["std"] for table in tables if table.answers])}


def _other_metric(declared: dict[str, Any], shown: dict[str, Any]) -> tuple[str, ...]:
    notes = []
    if declared["metric"] != shown["metric"]:
        notes.append(f"The metric declared before the run was {QUANTITIES[declared['metric']].label}; this one was chosen afterwards.")
    if declared["rope"] != shown["rope"]:
        notes.append(f"The region of practical equivalence declared before the run was {declared['rope']}; this one was chosen afterwards.")
    return tuple(notes)


Pair = tuple[dict[str, Any] | None, dict[str, Any] | None]


def _read_pair(directory: Path, accuracy: str, cost: str, task: str) -> Pair:
    files = directory / "cells" / "accuracy" / accuracy, directory / "cells" / "cost" / (cost or ".none")
    measured, timed = (read_json(file) if file.exists() else None for file in files)
    if measured and measured["status"] != "ok":
        timed = None  # of an earlier run with more time
    elif measured and any(known.name not in measured["metrics"] for known in metrics_of(task)):
        # A metric that this version knows and the one that ran did not.
        measured["metrics"] = judge(read_predictions(predictions_file(files[0]))) | measured["metrics"]
    return measured, timed


def _with_pace(pairs: list[Pair]) -> list[Pair]:
    """Call costs contended, too, where the processor was slower than it was at its fastest in this run."""
    timed = [cost["costs"] for _, cost in pairs if cost]
    fastest = min((costs["pace_fastest_s"] for costs in timed if "pace_fastest_s" in costs), default=float("inf"))
    for costs in timed:
        if slowed_down(costs, fastest):
            costs["contended"] = True
    return pairs


def _row(accuracy: dict[str, Any], cost: dict[str, Any] | None, task: str) -> dict[str, Any]:
    costs = cost["costs"] if cost else {}
    facts = {name: accuracy[name] for name in (*KEY_COLUMNS, "status", "reason", "n_train", "n_test")}
    metrics = {metric.name: accuracy["metrics"].get(metric.name) for metric in metrics_of(task)}
    measured = {name: costs.get(name) for name in (*(c.name for c in COSTS), "predict_single_calls", "contended")}
    return facts | metrics | measured


def _curve(points: list[tuple[dict[str, Any], float]], pairs: list[Pair], task: str) -> pd.DataFrame | None:
    """Join the points of learning curves with the cells of the whole training folds, which are their last point."""
    if not points:
        return None
    whole = [(accuracy, 1.0) for accuracy, _ in pairs if accuracy and accuracy["repeat"] == 0]
    return _frame([_row(accuracy, None, task) | {"share": share} for accuracy, share in (*points, *whole)], task)


def _frame(rows: list[dict[str, Any]], task: str) -> pd.DataFrame:
    numbers = dict.fromkeys((quantity.name for quantity in metrics_of(task) + COSTS), "float64")
    return pd.DataFrame(rows).astype(numbers | {"predict_single_calls": "Int64", "contended": "boolean"})


def _with_estimates(cells: pd.DataFrame, pairs: list[Pair], wanted: Estimates) -> pd.DataFrame:
    """Add a column for each estimate that the study asked for; without any the cells are as they were."""
    costs = [cost["costs"] if cost else {} for accuracy, cost in pairs if accuracy]
    rows = [({name: cost.get(name) for name in energy.NAMES} if wanted.energy else {}) | wanted.prices(cost) for cost in costs]
    return cells.join(pd.DataFrame(rows, index=cells.index).astype("float64"))


def _untimed(cells: list[list[str]], pairs: list[Pair], command: str) -> tuple[str, ...]:
    """Say what the cost pass has left out, as it does when somebody stops it."""
    due = [cost for (accuracy, cost), (_, named) in zip(pairs, cells, strict=True) if named and accuracy and accuracy["status"] == "ok"]
    missing = sum(cost is None for cost in due)
    if not missing:
        return ()
    which = "No costs were measured" if missing == len(due) else f"{missing} of {len(due)} timings are missing"
    return (f"{which}: the cost pass was stopped. Go on with: {_again(command)}",)


def _failed_points(points: list[tuple[dict[str, Any], float]]) -> tuple[str, ...]:
    """Say which points of learning curves have folds that failed: the figure shows those that did not."""
    at = [((record["dataset"], record["model"], share), record) for record, share in points]
    folds = Counter(key for key, _ in at)
    failed = [(key, record["reason"]) for key, record in at if record["status"] != "ok"]
    counts, reasons = Counter(key for key, _ in failed), dict(reversed(failed))
    return tuple(
        f"{table}, {model}: on {share:.3g} of the training rows {count} of {folds[table, model, share]} folds failed: "
        f"{reasons[table, model, share]}"
        for (table, model, share), count in counts.items()
    )


def _again(command: str) -> str:
    return command.replace(" --fresh", "")


def _say_timing(costs: list[dict[str, Any]], *, quick: bool) -> list[str]:
    times = len({(cost["repeat"], cost["fold"]) for cost in costs})
    where = "the first fold" if times == 1 else f"the first {times} folds"
    calls = f"{SINGLE_CALLS:,}" if not quick else f"at least {QUICK_CALLS}"
    return [
        f"Costs were measured on {where} of every table, one fresh process for each model and fold, {calls} single rows.",
        "Times include what stands before the model: filling in missing cells, one-hot columns, scaling.",
    ]


def _notes(pairs: list[Pair], *, quick: bool) -> tuple[str, ...]:
    """Say what the numbers alone do not."""
    costs = [cost for _, cost in pairs if cost]
    notes = _say_timing(costs, quick=quick) if costs else []
    notes += [f"{c['dataset']}, {c['model']}: no costs, because {c['reason']}." for c in costs if c["reason"]]
    uncounted = sorted({(c["model"], c["costs"]["compute_note"]) for c in costs if c["costs"].get("compute_note")})
    notes += [f"{model}: compute was not counted, because {reason}" for model, reason in uncounted]
    notes += sorted({f"{c['model']}: {c['costs']['energy_note']}" for c in costs if c["costs"].get("energy_note")})
    notes += sorted({c["costs"]["memory_note"] for c in costs if c["costs"].get("memory_note")})
    notes += say_tuning([accuracy for accuracy, _ in pairs if accuracy])
    said = Counter[str]()
    for accuracy, _ in pairs:
        if accuracy:
            said.update({f"{accuracy['model']}: {text}": times for text, times in accuracy["said"].items()})
    notes += [f"Said by a library {'once' if times == 1 else f'{times} times'} while fitting {text}" for text, times in said.most_common(5)]
    return tuple(notes)
