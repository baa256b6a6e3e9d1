"""What a run says of itself beside its cells: the file ``run.json``."""

from __future__ import annotations

from dataclasses import asdict

from ensemblekit_reports.results import Environment, Leak
from ensemblekit_reports.running.store import Store
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.planned import Cell

#: Change when the layout of ``run.json`` or of a cell changes.
FORMAT = 1


def write_run(plan: Plan, store: Store, cells: list[Cell], curve: list[Cell], environment: Environment, leaks: tuple[Leak, ...]) -> None:
    """Write what is known of a run beside its cells, for `loading.load_results` to read.

    Parameters
    ----------
    plan : Plan
        What is run.
    store : Store
        Where.
    cells, curve : list of Cell
        Of the study, and of its learning curves.
    environment : Environment
        Machine, versions, time.
    leaks : tuple of Leak
        Columns that tell the answer.
    """
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
        "cells": listed(cells),
        "curve": [[cell.accuracy.name, cell.share] for cell in curve],
        "leaks": [asdict(leak) for leak in leaks],
        "estimates": asdict(plan.estimates),
    }
    store.save(store.directory / "run.json", record)


def listed(cells: list[Cell]) -> list[list[str]]:
    """Return the names of the files of cells.

    Parameters
    ----------
    cells : list of Cell
        Of a plan.

    Returns
    -------
    list of [str, str]
        Metrics and costs; ``""`` for costs that are not measured.
    """
    return [[cell.accuracy.name, cell.cost.name if cell.cost else ""] for cell in cells]
