"""The command ``ensemblekit``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from ensemblekit import __version__
from ensemblekit.datasets import BUNDLED, load_bundled
from ensemblekit_reports.engines.engine import ENGINES
from ensemblekit_reports.errors import UserError, nearest
from ensemblekit_reports.insights.choosing import with_gate_columns
from ensemblekit_reports.outputs.printing import check_printing, print_pdf
from ensemblekit_reports.quantities import TASKS, metrics_of
from ensemblekit_reports.results import Results
from ensemblekit_reports.running.handing_over import add_options, check, hand_over
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.progress import for_terminal, silent
from ensemblekit_reports.running.run import run
from ensemblekit_reports.studies.dry_run import DryRun, dry_run
from ensemblekit_reports.studies.learning_rows import SHARES
from ensemblekit_reports.studies.registry import REGISTRY, REGRESSORS
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.study_file import DEFAULT_STUDY, study_from_toml
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.studies.tuning import TIME_LIMIT_S, Tuning

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report
    from ensemblekit_reports.studies.plan import Plan

#: What stands for as many processes as there are cores, as in scikit-learn's `n_jobs`.
ALL_CORES = -1
#: Exit codes: a mistake that the reader can put right, and Ctrl-C (128 + SIGINT), or what asks for the same.
USER_ERROR, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line if not given.

    Returns
    -------
    int
        Exit code: 0, or 2 for a mistake in the input, or 130 for Ctrl-C and SIGTERM.

    Examples
    --------
    >>> main(["compare", "nowhere.csv"])
    2
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    with _quiet_libraries(), _interrupted_by_sigterm():
        try:
            options.command(options, given)
        except (UserError, ImportError) as error:
            return _complain(str(error))
        except BrokenPipeError:
            # The reader of our output has left (`ensemblekit models | head`).
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            where = error.filename or getattr(options, "out", None) or "a file"  # a disk that fills up names nothing
            return _complain(f"{where}: {error.strerror or error}. Finished cells are kept.")
        except KeyboardInterrupt:
            _say_interrupted(options, given)
            return INTERRUPTED
    return 0


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let `kill`, `timeout` and batch systems end a run as Ctrl-C does: with its children, and without its working files."""
    before = signal.getsignal(signal.SIGTERM)
    in_main_thread = threading.current_thread() is threading.main_thread()  # no other one may set it
    # As Python does with SIGINT: what is ignored stays so, and a handler from outside Python (None) could not be put back.
    if not in_main_thread or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Silence what libraries say of themselves; what they say of a model is kept with its cells (`quiet.py`)."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ensemblekit", description="Is a learned gate worth it on your table, or does a plain ensemble do?"
    )
    parser.add_argument("--version", action="version", version=f"ensemblekit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_compare(commands)
    report = commands.add_parser(
        "report", help="write the report of a finished run again, or lay several runs side by side", allow_abbrev=False
    )
    report.add_argument(
        "directory", metavar="DIR", type=Path, nargs="+", help="output folder of a run; of several for one page that compares them"
    )
    report.add_argument("--out", metavar="DIR", type=Path, help="where the page of several runs goes (this folder)")
    report.add_argument("--metric", metavar="NAME", help="primary metric instead of the declared one; nothing is fitted again")
    report.add_argument("--rope", metavar="SIZE", type=float, help="practically equal differences of it, instead of the declared ones")
    report.add_argument("--pdf", action="store_true", help="print the report as PDF too, with Chromium or WeasyPrint")
    report.add_argument("--gate-columns", metavar="a,b", help="columns of the gate maps, among the pairs that the run has stored")
    _add_output(report)
    report.set_defaults(command=_report)
    _add_predict(commands)
    log = commands.add_parser("log", help="write a finished run into an MLflow store", allow_abbrev=False)
    log.add_argument("directory", metavar="DIR", type=Path, help="output folder of a run")
    log.add_argument("--mlflow", metavar="URI|FOLDER", required=True, help="tracking server, database, or a folder to keep one in")
    log.add_argument("--experiment", metavar="NAME", default="ensemblekit", help="MLflow's experiment (%(default)s)")
    _add_output(log)
    log.set_defaults(command=_log)
    models = commands.add_parser("models", help="list the models that --models knows", allow_abbrev=False)
    models.set_defaults(command=_models)
    datasets = commands.add_parser("datasets", help="list the tables that need no file", allow_abbrev=False)
    datasets.set_defaults(command=_datasets)
    return parser


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare models on a table and write a report",
        description="Without a table: the default study, six tables in under three minutes.",
        allow_abbrev=False,
    )
    add = compare.add_argument
    add(
        "table",
        metavar="TABLE|STUDY.toml",
        nargs="?",
        help="CSV, Parquet, the name of a bundled table, openml:NUMBER or openml:NAME, or a study file",
    )
    add("--target", metavar="COLUMN", help="the answer column of the table")
    add("--groups", metavar="COLUMN", help="column of the table whose rows of one value are never divided between training and test")
    add("--weights", metavar="COLUMN", help="column of the table that says how much a row counts")
    add("--task", choices=TASKS, help="what the answers are: classes or amounts (goes by the answers)")
    add("--models", metavar="a,b", help="registry names or package.module:Class, separated by commas (the usual ones by default)")
    add("--metric", metavar="NAME", help=f"primary metric: {'; or '.join(map(_list_metrics, TASKS))}")
    add("--rope", metavar="SIZE", type=float, help="differences up to this size count as practically equal (goes by the metric)")
    add("--folds", metavar="REPEATSxFOLDS", help="such as 3x5; by default 10x10 below 1,000 rows, 3x5, 1x5 from 50,000")
    add("--quick", action=argparse.BooleanOptionalAction, help="2x5 folds and fewer timed calls")
    add("--seed", metavar="N", type=int, help="seed of folds and models")
    add("--time-limit", metavar="SECONDS", type=float, help="end a model that takes longer on a fold (3600; 0 for no limit)")
    add("--memory-limit", metavar="MB", type=float, help="end a model that takes more memory on a fold (no limit)")
    add(
        "--energy",
        metavar="COUNTRY",
        help="estimate energy with CodeCarbon, CO2e by the electricity of a country such as FRA (not by default)",
    )
    add("--price-per-hour", metavar="X", type=float, help="estimate prices: what an hour of this machine costs (not by default)")
    add("--currency", metavar="TEXT", help="of that price, such as EUR")
    shares = ", ".join(f"{share:g}" for share in SHARES)
    add("--learning-curve", action="store_true", help=f"fit every model on parts of the training rows too ({shares}; first repeat)")
    add("--tune", metavar="TRIALS", type=int, help="search each model's parameters inside each training fold (no)")
    add("--compress", action="store_true", help="add pruned, distilled and quantised variants of every mixture and ensemble")
    add("--jobs", metavar="N", type=int, default=ALL_CORES, help="processes of the accuracy pass (%(default)s: all cores)")
    add("--engine", metavar="NAME", help=f"workers of the accuracy pass: {', '.join(ENGINES)} (local; see reports/ENGINES.md)")
    add("--scheduler", metavar="ADDRESS", help="Dask scheduler (tcp://HOST:8786) or Ray head; without it workers are started here")
    add("--out", metavar="DIR", type=Path, default=Path("ensemblekit-report"), help="output folder (%(default)s)")
    add("--fresh", action="store_true", help="forget what an earlier run left in the output folder")
    add("--dry-run", action="store_true", help="say what would be done and about how long (fits each model once on each table)")
    add_options(compare)
    compare.add_argument("--pdf", action="store_true", help="print the report as PDF too, with Chromium or WeasyPrint")
    _add_output(compare)
    compare.set_defaults(command=_compare)


def _add_predict(commands: Any) -> None:
    predict = commands.add_parser("predict", help="predict the rows of a new table with a stored model", allow_abbrev=False)
    add = predict.add_argument
    add("model", metavar="MODEL", type=Path, help="a file that compare --save-model wrote")
    add("table", metavar="TABLE", type=Path, help="CSV or Parquet, with the columns that the model was fitted on")
    add("--out", metavar="FILE", type=Path, default=Path("predictions.csv"), help="where to, .csv or .parquet (%(default)s)")
    add("--proba", action="store_true", help="write the probability of each class too")
    add("--trust", metavar="TYPE", action="append", default=[], help="a further type that the file may hold, by its full name")
    _add_output(predict)
    predict.set_defaults(command=_predict)


def _list_metrics(task: str) -> str:
    return ", ".join(metric.name for metric in metrics_of(task))


def _add_output(command: Any) -> None:
    command.add_argument("--quiet", action="store_true", help="write nothing to the terminal but mistakes")
    command.add_argument("--silence", metavar="CODE", action="append", help="leave a check out of the report; may be given more than once")
    command.add_argument("--json", action="store_true", help="write one JSON object to stdout: verdict, leaderboard, files")


def _compare(options: argparse.Namespace, given: list[str]) -> None:
    if options.jobs < 1 and options.jobs != ALL_CORES:
        raise UserError(f"--jobs must be at least 1, or {ALL_CORES} for all cores; got {options.jobs}.")
    jobs = joblib.cpu_count() if options.jobs == ALL_CORES else options.jobs
    study, folder = _choose_study(options)
    engine = study.workers()
    plan = study.plan(folder)
    check(options, plan)
    if options.pdf:
        check_printing()
    stage = silent if options.quiet else for_terminal()
    if options.dry_run:
        _say_plan(dry_run(plan, options.out, jobs=jobs, stage=stage), options)
        return
    results = run(
        plan,
        options.out,
        jobs=jobs,
        command=shlex.join(["ensemblekit", *given]),
        fresh=options.fresh,
        engine=engine,
        stage=stage,
    )
    _write_report(results, options.out, options, plan)


def _say_plan(found: DryRun, options: argparse.Namespace) -> None:
    if options.json:
        _say(json.dumps(asdict(found)))
    elif not options.quiet:
        _say(found.text)


def _choose_study(options: argparse.Namespace) -> tuple[Study, Path]:
    """Return the study that the options describe and the folder where its tables are looked for."""
    table = options.table
    if table is None or table.endswith(".toml"):
        for name in ("target", "groups", "weights"):
            if getattr(options, name) is not None:
                raise UserError(f"--{name} belongs to a table: ensemblekit compare TABLE --{name} COLUMN.")
        file = Path(table) if table else DEFAULT_STUDY
        return _with_flags(study_from_toml(file), options), file.parent
    if table in BUNDLED and not Path(table).exists():
        return _with_flags(Study(tables=(TableChoice(name=table),), name=table), options), Path()
    columns: dict[str, Any] = {"target": options.target or "", "groups": options.groups or "", "weights": options.weights or ""}
    if table.startswith("openml:"):
        which = table.removeprefix("openml:")
        choice = TableChoice(openml=int(which) if which.isdigit() else which, **columns)
        return _with_flags(Study(tables=(choice,), name=table.replace(":", " ")), options), Path()
    if not Path(table).exists() and nearest(table, BUNDLED):
        raise UserError(f"no file {table}; did you mean the bundled table {nearest(table, BUNDLED)!r}?")
    return _with_flags(Study(tables=(TableChoice(path=table, **columns),), name=Path(table).stem), options), Path()


def _with_flags(study: Study, options: argparse.Namespace) -> Study:
    names = ("task", "metric", "rope", "folds", "quick", "seed", "engine", "scheduler", "energy", "price_per_hour", "currency")
    flags = {name: getattr(options, name) for name in names}
    if options.learning_curve:
        flags["learning_curve"] = study.learning_curve or SHARES
    if options.compress:
        flags["compress"] = True
    if options.silence:
        flags["silence"] = (*study.silence, *options.silence)
    flags |= {"time_limit_s": options.time_limit, "memory_limit_mb": options.memory_limit}
    if options.tune is not None:
        flags["tune"] = Tuning(options.tune, study.tune.time_limit_s if study.tune else TIME_LIMIT_S)
    if options.models is not None:
        flags["models"] = tuple(name.strip() for name in options.models.split(",") if name.strip())
    return replace(study, **{name: value for name, value in flags.items() if value is not None})


def _report(options: argparse.Namespace, given: list[str]) -> None:  # noqa: ARG001 - the signature of a command
    if len(options.directory) > 1:
        _write_runs(options)
        return
    (directory,) = options.directory
    if options.out is not None:
        raise UserError("--out belongs to a page of several runs; the report of one is written into its own folder.")
    results = load_results(directory, metric=options.metric, rope=options.rope, silence=options.silence or ())
    if options.gate_columns:
        results = replace(results, insights=with_gate_columns(results.insights, options.gate_columns))
    _write_report(results, directory, options)


def _write_runs(options: argparse.Namespace) -> None:
    from ensemblekit_reports.render.several_runs import headline, write_runs  # noqa: PLC0415 - as in `_write_report`
    from ensemblekit_reports.reporting.several_runs import lay_side_by_side  # noqa: PLC0415

    found = lay_side_by_side(options.directory, metric=options.metric, rope=options.rope)
    page = write_runs(found, options.out or Path())
    files = {"page": page} | ({"pdf": print_pdf(page)} if options.pdf else {})
    if options.json:
        _say(json.dumps({"headline": headline(found), "remarks": found.remarks} | {name: str(path) for name, path in files.items()}))
    elif not options.quiet:
        _say("\n".join([headline(found), *found.remarks, "", *map(str, files.values())]))


def _write_report(results: Results, directory: Path, options: argparse.Namespace, plan: Plan | None = None) -> None:
    # Drawing needs matplotlib, which takes a second to load: not before there is something to draw.
    from ensemblekit_reports import render  # noqa: PLC0415
    from ensemblekit_reports.reporting import report  # noqa: PLC0415

    finished = report.build(results)
    page = render.write(finished, directory)
    files: dict[str, Path] = {}
    try:
        files |= hand_over(options, plan, finished, directory) if plan else {}
        files |= {"pdf": print_pdf(page)} if options.pdf else {}
    finally:  # the report is there, whatever became of the rest
        if options.json:
            _say(_as_json(finished, page, files))
        elif not options.quiet:
            _say("\n".join([finished.verdict, "", *map(str, files.values()), str(page)]))


def _predict(options: argparse.Namespace, given: list[str]) -> None:  # noqa: ARG001 - the signature of a command
    # skops imports half of scikit-learn, which the other commands do not wait for.
    from ensemblekit_reports.outputs.predicting import predict_file  # noqa: PLC0415
    from ensemblekit_reports.outputs.stored_model import load_model  # noqa: PLC0415

    stored = load_model(options.model, trust=options.trust)
    notes = stored.notes + predict_file(stored, options.table, options.out, with_probabilities=options.proba)
    if options.json:
        _say(json.dumps({"predictions": str(options.out), "model": stored.name, "notes": notes}))
    elif not options.quiet:
        _say("\n".join([*notes, str(options.out)]))


def _log(options: argparse.Namespace, given: list[str]) -> None:  # noqa: ARG001 - the signature of a command
    from ensemblekit_reports.outputs.tracking import log_to_mlflow  # noqa: PLC0415
    from ensemblekit_reports.reporting import report  # noqa: PLC0415

    finished = report.build(load_results(options.directory))
    run_id = log_to_mlflow(finished, options.directory, options.mlflow, options.experiment)
    if options.json:
        _say(json.dumps({"verdict": finished.verdict, "experiment": options.experiment, "run": run_id}))
    elif not options.quiet:
        _say(f"Logged as run {run_id} of experiment {options.experiment} in {options.mlflow}")


def _as_json(finished: Report, page: Path, more: dict[str, Path]) -> str:
    metric = finished.quantity.name
    leaderboard = [
        {"model": standing.model.name, "rank": standing.rank, metric: standing.scores[metric].value, "failure": standing.failure}
        for standing in finished.leaderboard
    ]
    # JSON knows no NaN.
    leaderboard = [{name: None if value != value else value for name, value in row.items()} for row in leaderboard]  # noqa: PLR0124
    files = {"report": str(page), "results": str(page.with_name("results.json"))}
    files |= {name: str(path) for name, path in more.items()}
    return json.dumps({"verdict": finished.verdict, "metric": metric, "leaderboard": leaderboard, **files})


def _models(options: argparse.Namespace, given: list[str]) -> None:  # noqa: ARG001 - the signature of a command
    every = {"logistic": REGISTRY["logistic"]} | REGRESSORS
    tasks = {name: " and ".join(t for t, known in (("classes", REGISTRY), ("amounts", REGRESSORS)) if name in known) for name in every}
    _say(_columns([(model.name, model.family, tasks[model.name], model.label) for model in every.values()]))


def _datasets(options: argparse.Namespace, given: list[str]) -> None:  # noqa: ARG001 - the signature of a command
    tables = [load_bundled(name) for name in BUNDLED]
    shapes = [f"{len(table.y)} x {len(table.columns)}" for table in tables]
    rows = [(t.name, shape, t.licence, t.description) for t, shape in zip(tables, shapes, strict=True)]
    _say(_columns(rows))


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(sentence: str) -> int:
    sys.stderr.write(f"ensemblekit: {sentence}\n")
    return USER_ERROR


def _say_interrupted(options: argparse.Namespace, given: list[str]) -> None:
    where = getattr(options, "out", None)
    again = shlex.join(["ensemblekit", *(argument for argument in given if argument != "--fresh")])
    kept = f" Finished cells are kept in {where}; go on with: {again}" if where else ""
    sys.stderr.write(f"\nensemblekit: interrupted.{kept}\n")


if __name__ == "__main__":
    sys.exit(main())
