"""What a run has stored, read again as results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.insights.storing import read_insight
from ensemblekit_reports.reporting.answers import read_answers
from ensemblekit_reports.reporting.check_codes import check_silence
from ensemblekit_reports.results import Environment, Leak, ModelFacts, Results, TableFacts
from ensemblekit_reports.running.cell_frames import curve_frame, frame_of
from ensemblekit_reports.running.notes import chosen_afterwards, failed_points, notes_of, untimed
from ensemblekit_reports.running.pairs import read_pair, with_pace
from ensemblekit_reports.running.run_record import FORMAT
from ensemblekit_reports.running.store import read_json
from ensemblekit_reports.studies.declared import check_numbers, declared_metric, declared_rope
from ensemblekit_reports.studies.estimates import Estimates


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
    pairs = with_pace([read_pair(directory, accuracy, cost, task) for accuracy, cost in record["cells"]])
    points = [(read_pair(directory, name, "", task)[0], share) for name, share in record.get("curve", ())]
    unfinished = sum(accuracy is None for accuracy, _ in (*pairs, *points))
    if unfinished:
        raise _incomplete(directory, unfinished, len(pairs) + len(points), _going_on(environment))
    done = [(accuracy, share) for accuracy, share in points if accuracy]
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
        cells=frame_of(pairs, task, estimates),
        notes=untimed([cost for _, cost in record["cells"]], pairs, _going_on(environment))
        + notes_of(pairs, quick=study["quick"])
        + failed_points(done)
        + estimates.notes()
        + chosen_afterwards(record["study"], study),
        curve=curve_frame(done, pairs, task),
        leaks=tuple(Leak(**leak) for leak in record.get("leaks", ())),
        insights=tuple(found for *_, file in finished if (found := read_insight(file))),
        answers=read_answers(finished, {table.name: len(table.class_counts) for table in tables}),
    )


def _incomplete(directory: Path, missing: int, of: int, command: str) -> UserError:
    """Say that cells are missing, or that none came along with a page, as in a clone of a repository that keeps pages alone."""
    page = directory / "report.html"
    if missing == of and page.exists() and not any((directory / "cells").glob("*/*")):  # those of an older run are in its way, too
        return UserError(
            f"{directory} holds a published report without the cells that it was made of: read {page}, or make it anew, which fits every "
            f"model again: {command}"
        )
    return UserError(f"the run in {directory} is not finished: {missing} of {of} cells are missing. Go on with: {command}")


def _chosen(declared: dict[str, Any], task: str, tables: tuple[TableFacts, ...], metric: str | None, rope: float | None) -> dict[str, Any]:
    """Return metric and practical equivalence where others than the declared ones are asked for; a metric brings its own rope."""
    if metric is None or metric == declared["metric"]:
        return {} if rope is None else {"rope": rope}
    chosen = declared_metric(metric, task, len(tables))
    return {"metric": chosen, "rope": declared_rope(rope, chosen, [table.answers["std"] for table in tables if table.answers])}


def _going_on(environment: Environment) -> str:
    return environment.command.replace(" --fresh", "")
