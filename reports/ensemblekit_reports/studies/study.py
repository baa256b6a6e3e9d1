"""A study as its author writes it, in flags, in a TOML file or in Python: names and numbers, nothing read yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ensemblekit_reports.engines.engine import LOCAL, Engine
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import TASKS
from ensemblekit_reports.reporting.check_codes import check_silence
from ensemblekit_reports.studies.budget import SECONDS, Budget
from ensemblekit_reports.studies.compressed import with_compressed
from ensemblekit_reports.studies.declared import check_numbers, check_task, declared_metric, declared_rope
from ensemblekit_reports.studies.estimates import Estimates
from ensemblekit_reports.studies.learning_rows import check_shares
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.model_choice import ModelChoice, choose_models
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import default_models
from ensemblekit_reports.studies.scheme import QUICK, parse_scheme, scheme_for
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.studies.values import KINDS, Kind, checked
from ensemblekit_reports.tables.table import Table


@dataclass(frozen=True)
class Study:
    """What to compare, on what, and how.

    Parameters
    ----------
    tables : tuple of TableChoice
        At least one.
    name : str, default="study"
        Heading of the report.
    task : str, default=""
        ``"classification"`` or ``"regression"``; ``""`` goes by the answers, which must be of one kind in all tables.
    models : tuple of str or ModelChoice, optional
        Registry names, import paths such as ``"sklearn.svm:SVC"``, or either with parameters; the task's usual ones if not given.
    metric : str, default=""
        Primary metric, a name in ``quantities.METRICS``; ``""`` is accuracy for classes and R squared for amounts.
    rope : float, optional
        Differences of the metric up to this size count as practically equal; the metric's own size if not given (``quantities.py``), for
        errors in the unit of the answers a hundredth of their standard deviation.
    seed : int, default=0
        Seed of folds and models.
    folds : str, default=""
        Repeats and folds such as ``"3x5"``; ``""`` goes by the size of the largest table.
    quick : bool, default=False
        Two repeats of five folds, and fewer timed calls.
    time_limit_s : float, default=3600
        Seconds that a model may take on a fold, to fit and to predict, before it is ended; 0 for no limit.
    memory_limit_mb : float, default=0
        Megabytes that it may take; 0 for no limit.
    engine : str, default="local"
        Workers of the accuracy pass: ``"local"``, ``"dask"`` or ``"ray"``; see ``reports/ENGINES.md``.
    scheduler : str, default=""
        Address of a Dask scheduler or a Ray head; ``""`` starts workers on this machine.
    silence : tuple of str
        Codes of checks that the report leaves out, such as ``"quick-scheme"``.
    learning_curve : tuple of float
        Parts of the training rows of the first repeat that every model learns from as well, such as 0.1, 0.25, 0.5; none by default.
    tune : Tuning, optional
        Search parameters inside each training fold, with as many trials for every model; not at all if not given.
    energy : str, default=""
        Country, as three letters, for whose electricity energy is estimated in the cost pass; not at all if not given.
    price_per_hour : float, default=0
        Rate at which times are turned into prices; 0 for none.
    currency : str, default=""
        Of that rate.
    compress : bool, default=False
        Add pruned, distilled and quantised variants of every mixture and ensemble.

    Examples
    --------
    >>> Study(tables=(TableChoice(name="iris"),)).plan(Path()).metric
    'accuracy'
    """

    tables: tuple[TableChoice, ...]
    name: str = "study"
    task: str = ""
    models: tuple[str | ModelChoice, ...] | None = None
    metric: str = ""
    rope: float | None = None
    seed: int = 0
    folds: str = ""
    quick: bool = False
    time_limit_s: float = SECONDS
    memory_limit_mb: float = 0.0
    engine: str = LOCAL
    scheduler: str = ""
    silence: tuple[str, ...] = ()
    learning_curve: tuple[float, ...] = ()
    tune: Tuning | None = None
    energy: str = ""
    price_per_hour: float = 0.0
    currency: str = ""
    compress: bool = False

    def workers(self) -> Engine:
        """Return the workers of the accuracy pass, not connected yet.

        Returns
        -------
        Engine

        Raises
        ------
        UserError
            When there are none of that kind.

        Examples
        --------
        >>> Study(tables=(), engine="dask", scheduler="tcp://10.0.0.1:8786").workers()
        Engine(name='dask', scheduler='tcp://10.0.0.1:8786')
        """
        engine = Engine(self.engine, self.scheduler)
        engine.check()
        return engine

    def plan(self, folder: Path) -> Plan:
        """Read the tables and find the models.

        Parameters
        ----------
        folder : Path
            Where relative paths of tables start.

        Returns
        -------
        Plan

        Raises
        ------
        UserError
            When anything named is not there or makes no sense.
        """
        self.check()
        if not self.tables:
            raise UserError("the study names no table; write at least one [[tables]] section.")
        tables = _with_unique_names([choice.read(folder, self.task) for choice in self.tables])
        task = common_task(tables)
        return self.plan_with(tables, choose_models(default_models(task) if self.models is None else self.models, task))

    def check(self) -> None:
        """Refuse what makes no sense whatever the tables are.

        Raises
        ------
        UserError
            When a value is out of its range, or a name unknown.

        Examples
        --------
        >>> Study(tables=(), silence=("quick-schem",)).check()
        Traceback (most recent call last):
            ...
        ensemblekit_reports.errors.UserError: unknown check 'quick-schem': did you mean 'quick-scheme'? ...
        """
        checked(vars(self), Study, kinds=_STUDY_KINDS)
        if not self.name.strip():
            raise UserError("name must not be empty: it is the heading of the report.")
        check_task(self.task)
        self.budget.check()
        self.estimates.check()
        check_silence(self.silence)
        check_shares(self.learning_curve)

    def plan_with(self, tables: tuple[Table, ...], models: tuple[Model, ...]) -> Plan:
        """Plan this study for tables that are read and models that are found, whatever it names itself.

        Parameters
        ----------
        tables : tuple of Table
            Of one task.
        models : tuple of Model
            Of that task.

        Returns
        -------
        Plan

        Raises
        ------
        UserError
            When tables, models and numbers do not go together.

        Examples
        --------
        >>> from ensemblekit_reports.tables.table import bundled_table
        >>> models = choose_models(("logistic",), "classification")
        >>> Study(tables=(), quick=True).plan_with((bundled_table("iris"),), models).scheme
        Scheme(n_repeats=2, n_splits=5)
        """
        task = common_task(tables)
        metric = declared_metric(self.metric, task, len(tables))
        rope = declared_rope(self.rope, metric, [float(table.y.std()) for table in tables])
        check_numbers(metric, rope, self.seed, task)
        by_size = QUICK if self.quick else scheme_for(max(len(table.y) for table in tables))
        scheme = parse_scheme(self.folds) if self.folds else by_size
        tuned = with_tuning(models, self.tune, metric, self.budget)
        shown = with_compressed(tuned, compress=self.compress, tuned=self.tune is not None)
        silence, shares = check_silence(self.silence), check_shares(self.learning_curve)
        return Plan(self.name, tables, shown, metric, rope, scheme, self.seed, self.quick, self.budget, silence, shares, self.estimates)

    @property
    def budget(self) -> Budget:
        """What a model may take on a fold."""
        return Budget(self.time_limit_s, self.memory_limit_mb)

    @property
    def estimates(self) -> Estimates:
        """Energy and prices, where they are asked for."""
        return Estimates(self.energy, self.price_per_hour, self.currency)


def common_task(tables: Sequence[Table]) -> str:
    """Return what the answers of all tables are.

    Parameters
    ----------
    tables : sequence of Table
        At least one.

    Returns
    -------
    str
        ``"classification"`` or ``"regression"``.

    Raises
    ------
    UserError
        When they are classes here and amounts there.

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> common_task([bundled_table("iris"), bundled_table("wine")])
    'classification'
    """
    by_task = {task: [table.name for table in tables if table.task == task] for task in TASKS}
    if all(by_task.values()):
        raise UserError(
            f"all tables of a study have one task: the answers are classes in {', '.join(by_task['classification'])}, and amounts in "
            f'{", ".join(by_task["regression"])}. Write two studies, or say which it is: task = "regression" (or --task).'
        )
    return tables[0].task


def with_tuning(models: tuple[Model, ...], tune: Tuning | None, metric: str, budget: Budget) -> tuple[Model, ...]:
    """Return models that are tuned in each fold, where a study says so.

    Parameters
    ----------
    models : tuple of Model
        Of the study.
    tune : Tuning or None
        How much is searched; nothing if None.
    metric : str
        Primary metric, by which trials are judged.
    budget : Budget
        What a model may take on a fold.

    Raises
    ------
    UserError
        When the search cannot be run, or no model has anything to search.

    Examples
    --------
    >>> with_tuning(choose_models(("moe",), "classification"), Tuning(30), "accuracy", Budget())[0].tuning.metric
    'accuracy'
    """
    if tune is None:
        return models
    tune.check(budget.seconds)
    tuned = tuple(model.tuned_by(replace(tune, metric=metric)) for model in models)
    if not any(model.tuning for model in tuned):
        names = ", ".join(model.name for model in models)
        raise UserError(f"tune has nothing to search: no search space for {names}. The models that `ensemblekit models` lists have one.")
    return tuned


def _with_unique_names(tables: list[Table]) -> tuple[Table, ...]:
    named: list[Table] = []
    for table in tables:
        taken = {other.name for other in named}
        names = (table.name if number == 1 else f"{table.name}-{number}" for number in range(1, len(tables) + 1))
        named.append(replace(table, name=next(name for name in names if name not in taken)))
    return tuple(named)


#: The kinds of values that only a whole study has.
_STUDY_KINDS = KINDS | {
    "tuple[TableChoice, ...]": Kind(
        'a list of tables, such as [TableChoice(name="iris")]',
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(table, TableChoice) for table in value),
        tuple,
    ),
    "tuple[str | ModelChoice, ...] | None": Kind(
        "a list of names or of sections",
        lambda value: value is None or isinstance(value, (list, tuple)),
        lambda value: None if value is None else tuple(value),
    ),
    "Tuning | None": Kind("a table such as {trials = 30, time_limit_s = 600}", lambda value: value is None or isinstance(value, Tuning)),
}


def study_of(content: Mapping[str, Any], where: str = "") -> Study:
    """Make a study of values that anybody may have given.

    Parameters
    ----------
    content : mapping of str to object
        By field.
    where : str, default=""
        Where they were given, such as a study file.

    Returns
    -------
    Study

    Raises
    ------
    UserError
        When there is an unknown name among them or a value of the wrong kind.

    Examples
    --------
    >>> study_of({"tables": (), "folds": (5, 2)})
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: folds must be text such as "3x5", for three repeats of five folds; got (5, 2).
    """
    return Study(**checked(content, Study, where, kinds=_STUDY_KINDS))
