"""Who faces whom, and the answer to the one question of the project: is the mixture worth it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.reporting.comparisons import ALPHA, UNDECIDED, Comparison, facing
from ensemblekit_reports.reporting.conclusion import conclude, conclude_leader
from ensemblekit_reports.reporting.sentences import Statement, evidence, sentence
from ensemblekit_reports.reporting.standings import Standing, best
from ensemblekit_reports.statistics.several_tables import MIN_TABLES, tables_to_tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.results import Results

_RIVALS = {"ensemble": "the best plain ensemble", "single": "the best single model"}


@dataclass(frozen=True)
class Verdict:
    """The answer and what it rests on.

    Parameters
    ----------
    question, answer, detail : str
        Plain text; the answer is short, the detail may be empty.
    focus : str
        Name of the model that the verdict is about; empty when no model finished a fold.
    statements : tuple of Statement
        One for each rival.
    rule : str
        How the models named were chosen.
    """

    question: str
    answer: str
    detail: str = ""
    focus: str = ""
    statements: tuple[Statement, ...] = ()
    rule: str = ""

    @property
    def text(self) -> str:
        """Return the whole verdict as one paragraph."""
        return " ".join(filter(None, [self.answer, self.detail, *(s.sentence for s in self.statements)]))


def reach_verdict(
    results: Results,
    standings: tuple[Standing, ...],
    overall: tuple[Comparison, ...],
    by_table: Sequence[tuple[str, tuple[Comparison, ...]]],
) -> Verdict:
    """Answer whether the mixture is worth it against the best plain ensemble and the best single model.

    Without a mixture the two best models face each other.

    Parameters
    ----------
    results : Results
    standings : tuple of Standing
        Over all tables.
    overall : tuple of Comparison
        Over all tables; on one table that table's.
    by_table : sequence of (str, tuple of Comparison)
        Table name and its comparisons.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> build(example_results()).answer.answer
    'So far only for its price: no difference shown to Averaging, and 13× cheaper per row.'
    """
    scored = [standing for standing in standings if standing.n_finished]
    if not scored:
        return _nothing(standings)
    if len(scored) == 1:
        return _alone(results, scored[0], standings)
    mixture = best([s for s in scored if s.model.family == "mixture"], results.metric)
    judge = _Judge(results, overall, tuple(by_table))
    if mixture is None or all(s.model.family == "mixture" for s in scored):
        return judge.two_best(scored, _unjudged_mixtures(standings))
    return judge.mixture(mixture, scored)


def _nothing(standings: tuple[Standing, ...]) -> Verdict:
    reason = next((standing.failure for standing in standings if standing.failure), "no fold was run")
    return Verdict("Which model is best here?", "No model finished a single fold.", f"First reason: {wording.name(reason, 200)}.")


def _alone(results: Results, only: Standing, standings: tuple[Standing, ...]) -> Verdict:
    quantity = QUANTITIES[results.metric]
    value = wording.score(only.scores[quantity.name], quantity) + (" %" if wording.is_share(quantity) else "")
    others = "No other model finished a fold" if len(standings) > 1 else "It is the only model"
    return Verdict(
        "How good is the model here?",
        f"{wording.name(only.model.label)}: {wording.metric(quantity)} {value}.",
        f"{others}, so there is nothing to compare it with.",
        only.model.name,
    )


def _unjudged_mixtures(standings: tuple[Standing, ...]) -> str:
    missing = [wording.name(s.model.label) for s in standings if s.model.family == "mixture" and not s.n_finished]
    return f"{wording.listing(missing)} finished no fold and cannot be judged." if missing else ""


@dataclass(frozen=True)
class _Judge:
    """Puts models against each other, with all that was found about their pairs at hand."""

    results: Results
    overall: tuple[Comparison, ...]
    by_table: tuple[tuple[str, tuple[Comparison, ...]], ...]

    def mixture(self, mixture: Standing, scored: list[Standing]) -> Verdict:
        metric = self.results.metric
        rivals = {against: best([s for s in scored if s.model.family == family], metric) for family, against in _RIVALS.items()}
        statements = tuple(self.statement(mixture, rival, against) for against, rival in rivals.items() if rival is not None)
        answer, detail = conclude(statements, self.results.rope, few_tables=self.few_tables or self.cannot_tell(statements))
        question = f"Is {wording.name(mixture.model.label)} worth it on {self.here}?"
        return Verdict(question, answer, detail, mixture.model.name, statements, self.mixture_rule())

    def mixture_rule(self) -> str:
        several = sum(model.family == "mixture" for model in self.results.models) > 1
        picked = "The mixture and its rivals were" if several else "The rivals were"
        return (
            f"Best means the {self.top} among the models that finished the most folds. {picked} picked on the same "
            "folds that compare them, which flatters whoever is picked a little; p is adjusted over every pair of a "
            "mixture and another model."
        )

    def two_best(self, scored: list[Standing], note: str) -> Verdict:
        ranked = sorted(scored, key=scored.index)
        first = best(ranked, self.results.metric)
        second = best([s for s in ranked if s is not first], self.results.metric)
        if first is None or second is None:
            raise ValueError("two models that finished a fold are needed to compare two")
        statement = self.statement(first, second, "the runner-up")
        answer, detail = conclude_leader(statement, few_tables=self.few_tables)
        rule = (
            f"The two models with the {self.top} were picked on the same folds that compare them, which favours the "
            "first a little; p is adjusted over every pair of models."
        )
        question = f"Which model is best on {self.here}?"
        return Verdict(question, answer, f"{detail} {note}".strip(), first.model.name, (statement,), rule)

    def statement(self, first: Standing, second: Standing, against: str) -> Statement:
        names = first.model.name, second.model.name
        labels = wording.name(first.model.label), wording.name(second.model.label)
        comparison = facing(self.overall, *names)
        if comparison is None:
            raise ValueError(f"{names[0]} and {names[1]} were not compared; compare_pairs must hold every rival")
        on_tables = tuple((table, c) for table, judged in self.by_table if (c := facing(judged, *names)) is not None)
        quantity, few = QUANTITIES[self.results.metric], self.few_tables
        text = sentence(*labels, comparison, quantity, self.results.rope, few=few)
        return Statement(against, *labels, text, evidence(comparison, quantity, few=few), comparison, on_tables)

    @property
    def few_tables(self) -> bool:
        return 1 < len(self.by_table) < MIN_TABLES

    def cannot_tell(self, statements: tuple[Statement, ...]) -> bool:
        """Whether the tables are so few that a pair without a call could have none but "practically equal"."""
        needed = tables_to_tell(len(self.overall), ALPHA)
        return 1 < len(self.by_table) < needed and any(statement.comparison.call == UNDECIDED for statement in statements)

    @property
    def here(self) -> str:
        return "this table" if len(self.by_table) == 1 else f"these {len(self.by_table)} tables"

    @property
    def top(self) -> str:
        quantity = QUANTITIES[self.results.metric]
        return f"{'highest' if quantity.higher_is_better else 'lowest'} mean {wording.metric(quantity)} over {self.here}"
