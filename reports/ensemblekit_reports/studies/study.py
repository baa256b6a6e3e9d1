"""A study as its author writes it, in flags, in a TOML file or in Python: names and numbers, nothing read yet."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ensemblekit.datasets import BUNDLED
from ensemblekit_reports.engines.engine import LOCAL, Engine
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.quantities import TASKS
from ensemblekit_reports.reporting.check_codes import check_silence
from ensemblekit_reports.studies.budget import SECONDS, Budget
from ensemblekit_reports.studies.compressed import with_compressed
from ensemblekit_reports.studies.declared import check_numbers, check_task, declared_metric, declared_rope
from ensemblekit_reports.studies.estimates import Estimates
from ensemblekit_reports.studies.learning_rows import check_shares
from ensemblekit_reports.studies.model_choice import ModelChoice, choose_models
from ensemblekit_reports.studies.models import Model, default_models
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.scheme import QUICK, parse_scheme, scheme_for
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.studies.values import KINDS, Kind, checked
from ensemblekit_reports.tables.table import Table, bundled_table, table_from_file

#: The study that runs when none is named.
DEFAULT_STUDY = Path(__file__).with_name("default.toml")


@dataclass(frozen=True)
class TableChoice:
    """A table that a study names: a file with its answer column, a table of OpenML, or a bundled one.

    Parameters
    ----------
    path : str
        A CSV or Parquet file, relative to the study file; ``""`` for others.
    target : str
        The answer column; ``""`` for a bundled table, and for the one that OpenML names.
    name : str
        Name of a bundled table, or what the report calls another one (a file's name without ending, or OpenML's, if ``""``).
    groups : str
        Column that says which rows belong together; ``""`` for none.
    weights : str
        Column that says how much a row counts; ``""`` for none.
    openml : int or str
        OpenML's number of the table, or its name; ``""`` for others.
    version : int
        Of a table that OpenML knows by name; 0 is the oldest active one.
    checksum : str
        SHA-256 of the parsed content, as reports show it; a table with another one is refused. ``""`` takes what there is.

    Examples
    --------
    >>> TableChoice(name="iris").name
    'iris'
    """

    path: str = ""
    target: str = ""
    name: str = ""
    groups: str = ""
    weights: str = ""
    openml: int | str = ""
    version: int = 0
    checksum: str = ""

    def read(self, folder: Path, task: str = "") -> Table:
        """Read the table.

        Parameters
        ----------
        folder : Path
            Where a relative path starts.
        task : str, default=""
            Of the study; ``""`` goes by the answers.

        Raises
        ------
        UserError
            When it is not there, makes no sense, or is another one than the checksum says.
        """
        checked(vars(self), TableChoice)
        table = self._content(folder, task)
        expected = self.checksum.removeprefix("sha256:").lower()
        if expected and expected != table.checksum:
            raise UserError(
                f"table {table.name!r} is not the one that the study means: its checksum is {table.checksum}, the study says {expected}."
            )
        return table

    def _content(self, folder: Path, task: str) -> Table:
        if self.path and self.openml != "":
            raise UserError(f"a table is a file or one of OpenML, not both: {self.path!r} and {self.openml!r}.")
        if self.openml != "":
            from ensemblekit_reports.tables.openml import openml_table  # noqa: PLC0415 - most studies need none

            columns = {"target": self.target, "groups": self.groups, "weights": self.weights}
            return openml_table(self.openml, version=self.version, name=self.name, task=task, **columns)
        if self.path:
            beside = {"groups": self.groups or None, "weights": self.weights or None}
            return table_from_file(folder / self.path, self.target or None, name=self.name or None, task=task, **beside)
        if not self.name:
            raise UserError("a table needs a path with its target, the name of a bundled table, or an OpenML number.")
        if self.name not in BUNDLED:
            raise unknown_name("bundled table", self.name, BUNDLED)
        table = bundled_table(self.name)
        if task and table.task != task:
            raise UserError(f"the bundled table {self.name!r} is one of {table.task}, not of {task}.")
        return table


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


def study_from_toml(file: Path) -> Study:
    """Read a study file.

    Parameters
    ----------
    file : Path
        TOML: the fields of ``Study`` as keys, for each table a ``[[tables]]`` section with those of ``TableChoice``, and either a list of
        names as ``models`` or for each model a ``[[models]]`` section with those of ``ModelChoice``.

    Returns
    -------
    Study

    Raises
    ------
    UserError
        When the file is missing, is no TOML, has an unknown key or a value of the wrong kind.

    Examples
    --------
    >>> [table.name for table in study_from_toml(DEFAULT_STUDY).tables]
    ['iris', 'wine', 'breast_cancer', 'election', 'travel', 'regimes']
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no study file {file}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"the study file {file} cannot be read: {error}") from None
    sections = content.get("tables", [])
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        raise UserError(f"{file}: write one [[tables]] section, with two brackets, for each table.")
    tables = tuple(TableChoice(**checked(section, TableChoice, f"{file}, [[tables]]")) for section in sections)
    models = content.get("models")
    if isinstance(models, list):
        content["models"] = [_read_choice(section, str(file)) for section in models]
    if isinstance(content.get("tune"), dict):
        content["tune"] = Tuning(**checked(content["tune"], Tuning, f"{file}, tune", leave_out=("metric",)))
    return study_of(content | {"tables": tables}, str(file))


def _read_choice(section: Any, where: str) -> Any:
    return ModelChoice(**checked(section, ModelChoice, f"{where}, [[models]]")) if isinstance(section, dict) else section


#: The kinds of values that only a whole study has.
_STUDY_KINDS = KINDS | {
    "tuple[TableChoice, ...]": Kind("a list of tables", lambda value: isinstance(value, (list, tuple)), tuple),
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
