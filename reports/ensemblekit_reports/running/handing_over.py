"""What a finished run hands over beside its report: a stored model and its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ensemblekit._extras import require
from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.outputs.refitting import BEST, check_choice, chosen_name, refit
from ensemblekit_reports.outputs.stored_model import save_model

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report
    from ensemblekit_reports.studies.plan import Plan

#: Names of the files in the output folder.
MODEL_FILE, CARD_FILE = "model.skops", "model_card.md"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of ``compare`` that are about this.

    Parameters
    ----------
    command : ArgumentParser

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_options(parser)
    >>> parser.parse_args(["--save-model"]).save_model
    'best'
    """
    command.add_argument(
        "--save-model",
        metavar="NAME",
        nargs="?",
        const=BEST,
        help="fit a model on the whole table and store it for ensemblekit predict (without a name the first of the leaderboard)",
    )


def check(options: argparse.Namespace, plan: Plan) -> None:
    """Say before a run what could not be handed over after it.

    Parameters
    ----------
    options : Namespace
        Of ``compare``.
    plan : Plan
        What will be run.

    Raises
    ------
    UserError
        When a model is to be stored that there is not, or that belongs to several tables.
    ImportError
        When an extra is missing.
    """
    if options.save_model:
        require("skops.io", extra="card", purpose="--save-model")
        check_choice(plan, options.save_model)


def hand_over(options: argparse.Namespace, plan: Plan, report: Report, directory: Path) -> dict[str, Path]:
    """Write what was asked for.

    Parameters
    ----------
    options : Namespace
        Of ``compare``.
    plan : Plan
        What was run.
    report : Report
        What was found.
    directory : Path
        Output folder.

    Returns
    -------
    dict of str to Path
        What each file is, and where.
    """
    if not options.save_model:
        return {}
    files = {"model": directory / MODEL_FILE, "card": directory / CARD_FILE}
    store_model(plan, report, options.save_model, files["model"], files["card"])
    return files


def store_model(plan: Plan, report: Report, name: str, file: Path, card: Path) -> Path:
    """Fit a model of a study on the whole table, and write it and its card.

    Parameters
    ----------
    plan : Plan
        What was run, on one table.
    report : Report
        What was found.
    name : str
        A model of it, or ``"best"``.
    file, card : Path
        Where the skops file and the model card go.

    Returns
    -------
    Path
        The skops file.

    Raises
    ------
    UserError
        When the model cannot be fitted or stored.
    ImportError
        Without the extra ``card``.
    """
    # The card speaks of statistics, whose libraries take a second to load.
    from ensemblekit_reports.outputs.model_card import model_card  # noqa: PLC0415

    stored = refit(plan, chosen_name(report, name))
    save_model(stored, file, plan.tables[0].X[:1000])
    write_bytes(card, model_card(report, stored, file.name).encode("utf-8", "backslashreplace"))
    return file
