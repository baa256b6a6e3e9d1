"""The comparison from Python: the same run and the same report as the command's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import joblib
import pandas as pd

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.engines.engine import LOCAL
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.refitting import BEST, check_choice
from ensemblekit_reports.results import Results
from ensemblekit_reports.running.handing_over import store_model
from ensemblekit_reports.running.passing_folder import passing_folder
from ensemblekit_reports.running.progress import for_terminal, silent
from ensemblekit_reports.running.run import run
from ensemblekit_reports.studies.budget import SECONDS
from ensemblekit_reports.studies.model_choice import Choices, choose_models
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.study import study_of
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.studies.values import KINDS, value_of
from ensemblekit_reports.tables.in_memory import table_in_memory

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Parameters
    ----------
    found : Results
        Everything the run measured, as plain data.
    report : Report
        What the pages say, as plain data.
    plan : Plan
        What was run: the table, the models and the folds.
    """

    found: Results
    report: Report
    plan: Plan

    @property
    def results(self) -> pd.DataFrame:
        """One row per (dataset, model, repeat, fold): the content of ``results.csv``."""
        return self.found.cells

    @property
    def verdict(self) -> str:
        """The answer in words."""
        return str(self.report.verdict)

    def to_html(self, path: str | Path) -> Path:
        """Write the report as one self-contained page and return where it is."""
        from ensemblekit_reports import render  # noqa: PLC0415 - drawing takes a second to load

        write_bytes(Path(path), render.to_html(self.report).encode())
        return Path(path)

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        from ensemblekit_reports import render  # noqa: PLC0415

        return render.to_markdown(self.report)

    def save_model(self, path: str | Path, name: str = BEST) -> Path:
        """Fit a model on the whole table and store it for ``ensemblekit predict`` (extra ``card``).

        Parameters
        ----------
        path : path
            A skops file in a folder that is there; its model card is written beside it, under the same name followed by ``.md``.
        name : str, default="best"
            A model of the comparison, or ``"best"`` for the first of the leaderboard.

        Returns
        -------
        Path
            Where the model is.

        Raises
        ------
        UserError
            When there is no such model or folder, or the model cannot be stored.
        ImportError
            Without the extra ``card``.
        """
        check_choice(self.plan, name)
        file = Path(path)
        if not file.parent.is_dir():
            raise UserError(f"there is no folder {str(file.parent)!r} to store a model in.")
        return store_model(self.plan, self.report, name, file, file.with_name(f"{file.name}.md"))


def compare(
    models: Choices,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    sample_weight: Any = None,
    name: str = "table",
    task: str = "",
    metric: str = "",
    rope: float | None = None,
    folds: str = "",
    quick: bool = False,
    seed: int = 0,
    n_jobs: int | None = None,
    time_limit_s: float = SECONDS,
    memory_limit_mb: float = 0.0,
    engine: str = LOCAL,
    scheduler: str = "",
    silence: str | Sequence[str] = (),
    learning_curve: float | Sequence[float] = (),
    tune: int | Tuning | None = None,
    compress: bool = False,
    energy: str = "",
    price_per_hour: float = 0.0,
    currency: str = "",
    directory: str | Path | None = None,
    fresh: bool = False,
    verbose: bool = False,
) -> Comparison:
    """Compare models on a table.

    Parameters
    ----------
    models : list of str, ModelChoice and mappings, or mapping
        Registry names (``ensemblekit models`` lists them), import paths such as ``"sklearn.svm:SVC"``, either of them with parameters as a
        ``ModelChoice``, and mappings from a name to a scikit-learn estimator of your
        own, which gets numbers: categories one-hot, missing cells filled in, nothing scaled. Its ``random_state`` is set
        anew on each fold.
    X : DataFrame or array-like of shape (n_rows, n_columns)
        Features: numbers, text, categories, booleans, with missing cells.
    y : Series or array-like of shape (n_rows,)
        Classes, of any label type, or amounts.
    groups : Series or array-like of shape (n_rows,), optional
        Rows of one group are never divided between training and test.
    sample_weight : Series or array-like of shape (n_rows,), optional
        How much each row counts, in fits and in metrics.
    name : str, default="table"
        What the report calls the table.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by ``y``: words, booleans and categories are classes, and so are up to 20
        different numbers.
    metric : str, default=""
        Primary metric, a name in ``quantities.METRICS``; ``""`` is accuracy for classes and R squared for amounts.
    rope : float, optional
        Differences of the metric up to this size count as practically equal; the metric's own size if not given.
    folds : str, default=""
        Repeats and folds such as ``"3x5"``; ``""`` goes by the size of the table.
    quick : bool, default=False
        Two repeats of five folds, and fewer timed calls.
    seed : int, default=0
        Seed of folds and models.
    n_jobs : int, optional
        Processes of the accuracy pass; all cores if not given, or -1.
    time_limit_s : float, default=3600
        Seconds that a model may take on a fold, to fit and to predict, before it is ended; 0 for no limit.
    memory_limit_mb : float, default=0
        Megabytes that it may take; 0 for no limit.
    engine : str, default="local"
        Workers of the accuracy pass: ``"local"``, ``"dask"`` or ``"ray"``.
    scheduler : str, default=""
        Address of a Dask scheduler or a Ray head; ``""`` starts ``n_jobs`` workers on this machine.
    tune : int or Tuning, optional
        Search parameters inside each training fold with so many trials for every model (extra ``tune``).
    compress : bool, default=False
        Add pruned, distilled and quantised variants of every mixture and ensemble.
    energy : str, default=""
        Country, as three letters, for whose electricity energy is estimated in the cost pass (extra ``energy``); ``""`` for no estimate.
    price_per_hour : float, default=0
        Rate at which times are turned into prices; 0 for none.
    currency : str, default=""
        Of that rate, such as ``"EUR"``.
    directory : path, optional
        Where finished cells are kept and found again; nowhere if not given.
    silence : str or list of str
        Codes of checks that the report leaves out, such as ``"quick-scheme"``.
    learning_curve : float or list of float
        Parts of the training rows of the first repeat that every model learns from as well, such as 0.1, 0.25, 0.5; none by default.
    fresh : bool, default=False
        Forget the cells that ``directory`` holds.
    verbose : bool, default=False
        Show progress on stderr.

    Returns
    -------
    Comparison
        With ``results``, ``report``, ``verdict``, ``to_html(path)`` and ``to_markdown()``.

    Raises
    ------
    UserError
        When the table or the names make no sense; the message says what to do.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> comparison = compare(["logistic", {"bayes": GaussianNB()}], X, y, folds="1x3", quick=True, n_jobs=1)
    >>> sorted(set(comparison.results["model"]))
    ['bayes', 'logistic']
    """
    given = {
        "tables": (),
        "name": name,
        "task": task,
        "metric": metric,
        "rope": rope,
        "seed": seed,
        "folds": folds,
        "quick": quick,
        "time_limit_s": time_limit_s,
        "memory_limit_mb": memory_limit_mb,
        "engine": engine,
        "scheduler": scheduler,
        "silence": (silence,) if isinstance(silence, str) else silence,
        "learning_curve": (learning_curve,) if isinstance(learning_curve, Real) else learning_curve,
        "tune": _as_tuning(tune),
        "energy": energy,
        "price_per_hour": price_per_hour,
        "currency": currency,
        "compress": compress,
    }
    study, jobs, where = study_of(given), _as_jobs(n_jobs), _as_folder(directory)
    fresh, verbose = value_of("fresh", fresh, KINDS["bool"]), value_of("verbose", verbose, KINDS["bool"])
    study.check()
    workers = study.workers()
    table = table_in_memory(X, y, groups, sample_weight, name=study.name, task=study.task)
    plan = study.plan_with((table,), choose_models(models, table.task))
    with passing_folder() as folder:
        found = run(
            plan,
            where or folder,
            jobs=jobs,
            command=_say_call(plan),
            fresh=fresh,
            stage=for_terminal() if verbose else silent,
            engine=workers,
        )
    from ensemblekit_reports.reporting import report  # noqa: PLC0415 - needs statsmodels, which takes a second to load

    return Comparison(found, report.build(found), plan)


def _as_tuning(tune: Any) -> Tuning | None:
    if tune is None or isinstance(tune, Tuning):
        return tune
    if isinstance(tune, bool) or not isinstance(tune, Integral):
        raise UserError(f"tune is a whole number of trials, or a Tuning; received {tune!r}.")
    return Tuning(int(tune))


def _as_jobs(n_jobs: Any) -> int:
    every = n_jobs is None or (KINDS["int"].fits(n_jobs) and n_jobs == -1)
    if not every and not (KINDS["int"].fits(n_jobs) and n_jobs >= 1):
        raise UserError(f"n_jobs must be a whole number of processes, at least 1, or -1 for all cores; got {n_jobs!r}.")
    return int(joblib.cpu_count() if every else n_jobs)


def _as_folder(directory: Any) -> Path | None:
    if not isinstance(directory, (str, PathLike, NoneType)) or directory == "":
        raise UserError(f"directory must be the path of a folder, or be left out; got {directory!r}.")
    return None if directory is None else Path(directory)


def _say_call(plan: Plan) -> str:
    named = [f"{m.name!r}" if m.registered else f"{{{m.name!r}: {m.definition()}}}" for m in plan.models if not m.parent]
    scheme = f"{plan.scheme.n_repeats}x{plan.scheme.n_splits}"
    (table,) = plan.tables
    beside = ["groups=groups"] * (table.groups is not None) + ["sample_weight=sample_weight"] * (table.weights is not None)
    limits = [f"time_limit_s={plan.budget.seconds:g}"] * (plan.budget.seconds != SECONDS)
    limits += [f"silence={list(plan.silence)}"] * bool(plan.silence) + [f"learning_curve={list(plan.shares)}"] * bool(plan.shares)
    limits += [f"memory_limit_mb={plan.budget.megabytes:g}"] * (plan.budget.megabytes != 0)
    limits += ["compress=True"] * any(model.parent for model in plan.models)
    limits += [f"tune={searched.trials}" for searched in {model.tuning for model in plan.models} if searched]
    limits += [f"{name}={value!r}" for name, value in asdict(plan.estimates).items() if value]
    return (
        f"compare([{', '.join(named)}], {', '.join(['X', 'y', *beside])}, name={plan.name!r}, metric={plan.metric!r}, rope={plan.rope}, "
        f"{', '.join([f'folds={scheme!r}', f'quick={plan.quick}', f'seed={plan.seed}', *limits])})"
    )
