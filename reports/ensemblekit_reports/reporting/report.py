"""From results to all that the page says, as plain data: pictures, words and numbers are made from the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ensemblekit_reports.quantities import QUANTITIES, Quantity
from ensemblekit_reports.reporting.advice import Advice, advise
from ensemblekit_reports.reporting.checks import Finding, findings, silenced
from ensemblekit_reports.reporting.comparisons import Comparison, compare_on_table, compare_over_tables, compared_pairs, facing
from ensemblekit_reports.reporting.learning import LearningCurve, learning_curves
from ensemblekit_reports.reporting.rebuilding import rebuild
from ensemblekit_reports.reporting.standings import Standing, on_table, over_tables
from ensemblekit_reports.reporting.verdict import Verdict, reach_verdict
from ensemblekit_reports.statistics.several_tables import MIN_TABLES, Friedman, friedman

if TYPE_CHECKING:
    import pandas as pd

    from ensemblekit_reports.insights.plain import Insight
    from ensemblekit_reports.reporting.answers import Answers
    from ensemblekit_reports.results import Environment, ModelFacts, Results, TableFacts


@dataclass(frozen=True)
class TableSection:
    """What the report says of one table.

    Parameters
    ----------
    facts : TableFacts
    standings : tuple of Standing
        Best first.
    comparisons : tuple of Comparison
        Every judged pair.
    answers : tuple of Answers
        What each model answered, in the order of the standings; only of the models that the verdict names in full, of the others the
        recall alone.
    """

    facts: TableFacts
    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    answers: tuple[Answers, ...] = ()


@dataclass(frozen=True)
class Report:
    """All that the page says.

    Parameters
    ----------
    name : str
        Name of the study.
    quantity : Quantity
        Primary metric.
    rope : float
        Half-width of the region of practical equivalence, in units of the metric.
    n_repeats, n_splits : int
        Fold scheme.
    quick : bool
        Whether the scheme was cut short.
    answer : Verdict
    models : tuple of ModelFacts
        In the order of the study, which also fixes their colours.
    leaderboard : tuple of Standing
        Over all tables.
    comparisons : tuple of Comparison
        Every judged pair, over all tables.
    friedman : Friedman or None
        Test over the complete models; None below six tables or three models.
    tables : tuple of TableSection
    advice : tuple of Advice
        Which model to take within a budget, one for each cost.
    rebuild : str
        Python that fits the first of the leaderboard again, on the first table; empty where that is not known.
    warnings : tuple of Finding
    reproducibility : Environment
    notes : tuple of str
        What else the run says of itself.
    cells : DataFrame
        As in `Results`.
    insights : tuple of MixtureInsight or EnsembleInsight
        What mixtures and ensembles tell about themselves.
    learning : tuple of LearningCurve
        Empty where no learning curve was asked for.
    silence : tuple of str
        Codes of the checks that were silenced.
    silenced : tuple of Finding
        What these would have said.
    """

    name: str
    quantity: Quantity
    rope: float
    n_repeats: int
    n_splits: int
    quick: bool
    answer: Verdict
    models: tuple[ModelFacts, ...]
    leaderboard: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    friedman: Friedman | None
    tables: tuple[TableSection, ...]
    advice: tuple[Advice, ...]
    rebuild: str
    warnings: tuple[Finding, ...]
    reproducibility: Environment
    notes: tuple[str, ...]
    cells: pd.DataFrame = field(compare=False, repr=False)
    insights: tuple[Insight, ...] = ()
    learning: tuple[LearningCurve, ...] = ()
    silence: tuple[str, ...] = ()
    silenced: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> str:
        """Return the verdict as one paragraph of plain text."""
        return self.answer.text

    def against_focus(self, comparisons: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
        """Return the comparisons of the model in question with each other model, in the order of the leaderboard."""
        others = [s.model.name for s in self.leaderboard if s.model.name != self.answer.focus]
        found = (facing(comparisons, self.answer.focus, other) for other in others)
        return tuple(comparison for comparison in found if comparison is not None)


def build(results: Results) -> Report:
    """Turn results into a report.

    Parameters
    ----------
    results : Results
        What a study found; at least one table has cells.

    Returns
    -------
    Report
        Plain data, equal for equal results.

    Raises
    ------
    ValueError
        When the primary metric is unknown or no table has cells.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> report = build(example_results())
    >>> print(report.verdict)
    So far only for its price: no difference shown to Averaging, ...
    """
    _refuse_unusable(results)
    ran = [facts for facts in results.tables if (results.cells["dataset"] == facts.name).any()]
    finished = set(results.cells.loc[results.cells["status"] == "ok", "model"])
    pairs = compared_pairs([model for model in results.models if model.name in finished])
    sections = tuple(TableSection(facts, on_table(results, facts.name), compare_on_table(results, facts.name, pairs)) for facts in ran)
    by_table = [(section.facts.name, section.comparisons) for section in sections]
    leaderboard = over_tables(results, [section.standings for section in sections])
    overall = compare_over_tables(results, by_table) if len(sections) > 1 else sections[0].comparisons
    answer = reach_verdict(results, leaderboard, overall, by_table)
    return Report(
        name=results.name,
        quantity=QUANTITIES[results.metric],
        rope=results.rope,
        n_repeats=results.n_repeats,
        n_splits=results.n_splits,
        quick=results.quick,
        answer=answer,
        models=results.models,
        leaderboard=leaderboard,
        comparisons=overall,
        friedman=_friedman(results.metric, leaderboard, sections),
        tables=tuple(replace(section, answers=_answers(results, section, named_models(answer))) for section in sections),
        advice=advise(leaderboard, overall, results.metric, results.rope),
        rebuild=rebuild(leaderboard[0].model, sections[0].facts) if leaderboard[0].complete else "",
        warnings=findings(results),
        reproducibility=results.environment,
        notes=results.notes,
        cells=results.cells,
        learning=learning_curves(results),
        silence=results.silence,
        silenced=silenced(results),
        insights=tuple(insight for insight in results.insights if insight.dataset in {facts.name for facts in ran}),
    )


def named_models(answer: Verdict) -> tuple[str, ...]:
    """Return the models that the verdict is about, the one in question first.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> named_models(build(example_results()).answer)
    ('moe', 'averaging', 'logistic')
    """
    return tuple(filter(None, (answer.focus, *(statement.comparison.second for statement in answer.statements))))


def _answers(results: Results, section: TableSection, in_full: tuple[str, ...]) -> tuple[Answers, ...]:
    here = {found.model: found for found in results.answers if found.dataset == section.facts.name}
    ordered = [here[standing.model.name] for standing in section.standings if standing.model.name in here]
    return tuple(found if found.model in in_full else replace(found, confusion=(), reliability=(), groups=()) for found in ordered)


def _refuse_unusable(results: Results) -> None:
    if results.metric not in QUANTITIES or results.metric not in results.cells:
        raise ValueError(f"unknown primary metric {results.metric!r}; the cells have {', '.join(results.cells.columns)}")
    if not results.cells["dataset"].isin([facts.name for facts in results.tables]).any():
        raise ValueError("no cell belongs to any of the tables: run the study before reporting on it")


def _friedman(metric: str, leaderboard: tuple[Standing, ...], sections: tuple[TableSection, ...]) -> Friedman | None:
    complete = [standing.model.name for standing in leaderboard if standing.complete]
    if len(sections) < MIN_TABLES or len(complete) < 3:
        return None
    sign = 1.0 if QUANTITIES[metric].higher_is_better else -1.0
    means = [{s.model.name: sign * s.scores[metric].value for s in section.standings} for section in sections]
    return friedman(np.array([[table[name] for name in complete] for table in means]))
