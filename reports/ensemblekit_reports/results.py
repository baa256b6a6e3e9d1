"""The plain data between running and reporting: everything the statistics, figures and pages may know.

Nothing downstream of this file fits a model, reads a table or takes a time; nothing upstream draws or words anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ensemblekit_reports.insights.plain import Insight
    from ensemblekit_reports.reporting.answers import Answers

#: First columns of ``results.csv``, in this order.
KEY_COLUMNS = ("dataset", "model", "repeat", "fold")
#: Values of the ``status`` column; any but ``ok`` comes with a sentence in ``reason``.
STATUSES = ("ok", "failed", "timeout", "out-of-memory")


@dataclass(frozen=True)
class TableFacts:
    """What the report says of one table.

    Parameters
    ----------
    name : str
        Unique name within the study.
    source : str
        File name or origin; licence where known.
    licence : str
        SPDX name, or ``"unknown"``.
    target : str
        Name of the answer column.
    checksum : str
        SHA-256 (hex) of the parsed content.
    n_rows, n_columns : int
        Rows used, feature columns used.
    column_kinds : dict of str to int
        Number of columns by kind: ``numeric``, ``categorical``, ``boolean``.
    class_counts : dict of str to int
        Rows by class label (as text), in the order of the labels; empty for amounts.
    notes : tuple of str
        What was left out or changed on reading, one sentence each.
    task : str
        ``"classification"`` or ``"regression"``.
    answers : dict of str to float
        For amounts their ``min``, ``median``, ``max``, ``mean`` and ``std``; empty for classes.
    origin : str
        What it was read from: ``"bundled"``, ``"file"``, ``"openml"`` or ``"memory"``; ``""`` in runs of earlier versions.
    groups, weights : str
        Names of the columns that say which group a row belongs to, and how much it counts; ``""`` for none.
    """

    name: str
    source: str
    licence: str
    target: str
    checksum: str
    n_rows: int
    n_columns: int
    column_kinds: dict[str, int]
    class_counts: dict[str, int]
    notes: tuple[str, ...] = ()
    task: str = "classification"
    answers: dict[str, float] = field(default_factory=dict)
    origin: str = ""
    groups: str = ""
    weights: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """What the report says of one model.

    Parameters
    ----------
    name : str
        Registry name, such as ``"moe"``.
    label : str
        Reader's name, such as ``"Mixture of experts"``.
    family : str
        ``"mixture"``, ``"ensemble"`` or ``"single"``.
    definition : str
        The estimator as Python text.
    imports : str
        The import lines that the definition needs.
    preprocessing : str
        What stands before it: ``"linear"`` or ``"trees"``.
    parent : str
        Name of the model that this one is a compressed variant of; ``""`` for none.
    tuned : bool
        Whether its parameters were searched in each fold; then ``definition`` is where the search began.
    seeded : str
        The estimator with the study's seed, where ``definition``, which has the seed 0 in every study, is another.
    """

    name: str
    label: str
    family: str
    definition: str
    imports: str = ""
    preprocessing: str = ""
    parent: str = ""
    tuned: bool = False
    seeded: str = ""


@dataclass(frozen=True)
class Leak:
    """A column that alone predicts the target.

    Parameters
    ----------
    table, column : str
        Their names.
    skill : float
        On rows that were not learnt from: 0 is no better than guessing, 1 is never wrong.
    """

    table: str
    column: str
    skill: float


@dataclass(frozen=True)
class Environment:
    """Where and how the study ran.

    Parameters
    ----------
    command : str
        The exact command or call that makes the results again.
    seed : int
        Study seed.
    versions : dict of str to str
        Package name to version, Python included.
    machine : dict of str to str
        Processor, logical cores, memory, operating system.
    fingerprint : str
        Short hash of ``machine``; timings of different fingerprints are never merged.
    threads : int
        Threads each timed process may use.
    started_at : str
        ISO 8601, UTC.
    elapsed_s : float
        Wall-clock seconds of the whole run.
    """

    command: str
    seed: int
    versions: dict[str, str]
    machine: dict[str, str]
    fingerprint: str
    threads: int
    started_at: str
    elapsed_s: float


@dataclass(frozen=True)
class Results:
    """All that a run found.

    Parameters
    ----------
    name : str
        Name of the study.
    metric : str
        Primary metric, declared before the run; a name in ``quantities.METRICS``.
    rope : float
        Half-width of the region of practical equivalence, in units of the primary metric.
    n_repeats, n_splits : int
        Fold scheme.
    quick : bool
        Whether the fold scheme and the number of timed calls were cut short.
    tables : tuple of TableFacts
    models : tuple of ModelFacts
    environment : Environment
    cells : DataFrame
        One row per (dataset, model, repeat, fold): ``KEY_COLUMNS``, then ``status``, ``reason``, ``n_train``,
        ``n_test``, then one column per metric of the task, then one per cost, ``predict_single_calls`` and ``contended``. Costs
        are NaN on rows where none was measured.
    notes : tuple of str
        What a reader should know of how it ran, one sentence each: which folds were timed, what could not be measured,
        what the libraries complained about.
    task : str
        ``"classification"`` or ``"regression"``, of all tables.
    curve : DataFrame or None
        Learning curves: as ``cells``, without costs, with ``share``: the part of the training rows that was learnt from. None where
        none was asked for.
    leaks : tuple of Leak
        Columns that alone predict the target.
    silence : tuple of str
        Codes of the checks that the reader does not want to hear of.
    insights : tuple of MixtureInsight or EnsembleInsight
        What fitted mixtures and ensembles tell about themselves, on the first fold of each table.
    answers : tuple of Answers
        What each model answered on each table, all test folds together; empty where no predictions were kept.
    """

    name: str
    metric: str
    rope: float
    n_repeats: int
    n_splits: int
    quick: bool
    tables: tuple[TableFacts, ...]
    models: tuple[ModelFacts, ...]
    environment: Environment
    cells: pd.DataFrame
    notes: tuple[str, ...] = ()
    task: str = "classification"
    curve: pd.DataFrame | None = None
    leaks: tuple[Leak, ...] = ()
    silence: tuple[str, ...] = ()
    insights: tuple[Insight, ...] = ()
    answers: tuple[Answers, ...] = ()
