"""What is to be run: tables read, models found, folds dealt; nothing in it depends on where or how fast it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.results import TableFacts
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.grouped_folds import divides_groups
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.estimates import Estimates
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.scheme import Scheme, assign_folds, distinct_repeats, model_seed
from ensemblekit_reports.tables.table import Table

#: A thousand single rows through a forest take a quarter of a minute; more folds would add patience, not knowledge.
MOST_TIMED_FOLDS = 5


@dataclass(frozen=True)
class Plan:
    """A study whose tables are read and whose models are found.

    Parameters
    ----------
    name : str
        Name of the study.
    tables : tuple of Table
        With names of their own.
    models : tuple of Model
        With names of their own.
    metric : str
        Primary metric.
    rope : float
        Half-width of practical equivalence, in units of the metric.
    scheme : Scheme
        Folds, the same for every table.
    seed : int
        Study seed.
    quick : bool
        Whether the scheme and the number of timed calls are cut short.
    budget : Budget
        What each model may take on each fold.
    silence : tuple of str
        Codes of checks that the report leaves out.
    shares : tuple of float
        Points of learning curves, in parts of the training rows; empty for none.
    estimates : Estimates
        Energy and prices, where they are asked for.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 3), 0, True)
    >>> plan.fold(plan.tables[0], 0, 2).tested.sum()
    np.int64(50)
    """

    name: str
    tables: tuple[Table, ...]
    models: tuple[Model, ...]
    metric: str
    rope: float
    scheme: Scheme
    seed: int
    quick: bool
    budget: Budget = field(default_factory=Budget)
    silence: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    estimates: Estimates = field(default_factory=Estimates)

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``, of all tables."""
        return self.tables[0].task

    @cached_property
    def assignments(self) -> dict[str, NDArray[np.int16]]:
        """Name of a table -> the fold in which each row is tested, of shape (n_repeats, n_rows)."""
        return {table.name: assign_folds(table.y, self.scheme, self.seed, table.name, table.groups) for table in self.tables}

    def folds(self, table: Table) -> list[tuple[int, int]]:
        """Return every (repeat, fold) of a table, in order.

        A repeat that divides the rows as an earlier one does, as it must where there are as many groups as folds, is left out: it
        would be counted as news and be none.
        """
        return [(repeat, fold) for repeat in distinct_repeats(self.assignments[table.name]) for fold in range(self.scheme.n_splits)]

    def facts(self, table: Table) -> TableFacts:
        """Return what the report says of a table, with what only the plan knows."""
        return replace(table.facts(), notes=table.notes + self._say_repeats(table) + self._say_groups(table))

    def _say_repeats(self, table: Table) -> tuple[str, ...]:
        distinct, asked = len(distinct_repeats(self.assignments[table.name])), self.scheme.n_repeats
        if distinct == asked:
            return ()
        return (f"Only {distinct} of {asked} repeats were run: the others divide the groups in the same way, since there are so few.",)

    def _say_groups(self, table: Table) -> tuple[str, ...]:
        divided = [model.label for model in self.models if table.groups is not None and _divides(model)]
        if not divided:
            return ()
        return (f"Inside the training rows, {', '.join(divided)} hold rows out without regard to groups; test rows are not concerned.",)

    def fold(self, table: Table, repeat: int, number: int, share: float = 1.0) -> Fold:
        """Return one fold of a table: its test rows and its seed, and the part of its training rows that is learnt from."""
        tested = self.assignments[table.name][repeat] == number
        return Fold(table, repeat, number, tested, model_seed(self.seed, repeat, number), share)

    def timed_folds(self) -> list[tuple[int, int]]:
        """Return the folds of the cost pass: the first of the first repeat, at most five, or one when quick."""
        first = [(0, fold) for fold in range(self.scheme.n_splits)]
        return first[: 1 if self.quick else MOST_TIMED_FOLDS]


def _divides(model: Model) -> bool:
    try:
        return divides_groups(model.factory(0))
    except ImportError:  # a row with its reason will say so
        return False
