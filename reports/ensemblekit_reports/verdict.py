"""The one question of the project, answered in words: is the mixture worth it here.

Sentences are made from the comparisons and say nothing that these do not carry: a tie is called a tie, a loss a loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ensemblekit_reports import wording
from ensemblekit_reports.comparisons import BETTER, EQUAL, UNDECIDED, UNTESTED, WORSE, Comparison, facing
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.standings import Standing, best
from ensemblekit_reports.statistics.several_tables import MIN_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.results import Results

_RIVALS = {"ensemble": "the best plain ensemble", "single": "the best single model"}


@dataclass(frozen=True)
class Statement:
    """One sentence of the verdict and the comparison it rests on.

    Parameters
    ----------
    against : str
        What the rival is, such as ``"the best plain ensemble"``.
    sentence : str
        Plain text.
    comparison : Comparison
        Seen from the model the verdict is about.
    on_tables : tuple of (str, Comparison)
        The same pair table by table.
    """

    against: str
    sentence: str
    comparison: Comparison
    on_tables: tuple[tuple[str, Comparison], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer and what it rests on.

    Parameters
    ----------
    question, answer : str
        Plain text.
    focus : str
        Name of the model that the verdict is about; empty when no model finished a fold.
    statements : tuple of Statement
        One for each rival.
    rule : str
        How the models named were chosen.
    """

    question: str
    answer: str
    focus: str = ""
    statements: tuple[Statement, ...] = ()
    rule: str = ""

    @property
    def text(self) -> str:
        """Return the whole verdict as one paragraph."""
        return " ".join([*(statement.sentence for statement in self.statements), self.answer])


@dataclass(frozen=True)
class _Scene:
    """What every sentence needs to know."""

    results: Results
    standings: tuple[Standing, ...]
    overall: tuple[Comparison, ...]
    by_table: tuple[tuple[str, tuple[Comparison, ...]], ...]
    quantity: Quantity = field(init=False)
    labels: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantity", QUANTITIES[self.results.metric])
        object.__setattr__(self, "labels", {m.name: wording.name(m.label) for m in self.results.models})

    @property
    def few_tables(self) -> bool:
        return 1 < len(self.by_table) < MIN_TABLES

    def here(self) -> str:
        """Name what was looked at."""
        return "this table" if len(self.by_table) == 1 else f"these {len(self.by_table)} tables"


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
    >>> from ensemblekit_reports.report import build
    >>> build(example_results()).answer.answer
    'Better than Logistic regression, but not shown to differ from Averaging, and 13× cheaper per row or more: ...'
    """
    scene = _Scene(results, standings, overall, tuple(by_table))
    scored = [standing for standing in standings if standing.n_finished]
    if not scored:
        reason = next((standing.failure for standing in standings if standing.failure), "no fold was run")
        return Verdict("Which model is best here?", f"No model finished a single fold ({wording.name(reason, 200)}).")
    if len(scored) == 1:
        return _alone(scene, scored[0])
    mixture = best([s for s in scored if s.model.family == "mixture"], results.metric)
    if mixture is None or all(s.model.family == "mixture" for s in scored):
        return _best_two(scene, scored)
    return _mixture_against_rest(scene, mixture, scored)


def _alone(scene: _Scene, only: Standing) -> Verdict:
    summary, quantity = only.scores[scene.results.metric], scene.quantity
    value = wording.score(summary, quantity) + (" %" if wording.is_share(quantity) else "")
    answer = (
        f"Only {scene.labels[only.model.name]} finished: {quantity.label.lower()} {value} on {scene.here()}; "
        "there is nothing to compare it with."
    )
    return Verdict("Which model is best here?", answer, only.model.name)


def _best_two(scene: _Scene, scored: list[Standing]) -> Verdict:
    first = best(scored, scene.results.metric)
    second = best([s for s in scored if s is not first], scene.results.metric)
    assert first is not None  # noqa: S101  # at least two models finished a fold
    assert second is not None  # noqa: S101
    statement = _statement(scene, first.model.name, second.model.name, "the runner-up")
    missing = [s for s in scene.standings if s.model.family == "mixture" and not s.n_finished]
    note = f" {scene.labels[missing[0].model.name]} finished no fold, so it cannot be judged." if missing else ""
    rule = (
        f"The two models with the highest mean {scene.quantity.label.lower()} were picked on the same folds that compare "
        "them, which favours the first a little; p is adjusted over all pairs of models."
    )
    answer = _conclusion(scene, (statement,)) + note
    return Verdict(f"Which model is best on {scene.here()}?", answer, first.model.name, (statement,), rule)


def _mixture_against_rest(scene: _Scene, mixture: Standing, scored: list[Standing]) -> Verdict:
    metric = scene.results.metric
    rivals = {
        against: best([s for s in scored if s.model.family == family], metric) for family, against in _RIVALS.items()
    }
    statements = tuple(
        _statement(scene, mixture.model.name, rival.model.name, against)
        for against, rival in rivals.items()
        if rival is not None
    )
    several = "the mixture, the ensemble and the single model" if _several_mixtures(scene) else "the best of each kind"
    rule = (
        f"Best means highest mean {scene.quantity.label.lower()} over {scene.here()} among the models that finished the "
        f"most folds. {several[0].upper()}{several[1:]} were picked on the same folds that compare them, which flatters the "
        "picked ones a little; p is adjusted over every pair of a mixture and another model."
    ).replace("highest", "highest" if scene.quantity.higher_is_better else "lowest")
    question = f"Is the mixture worth it on {scene.here()}?"
    return Verdict(question, _conclusion(scene, statements), mixture.model.name, statements, rule)


def _several_mixtures(scene: _Scene) -> bool:
    return sum(model.family == "mixture" for model in scene.results.models) > 1


def _statement(scene: _Scene, first: str, second: str, against: str) -> Statement:
    comparison = facing(scene.overall, first, second)
    assert comparison is not None  # noqa: S101  # every pair that a verdict names is judged
    on_tables = tuple((name, c) for name, judged in scene.by_table if (c := facing(judged, first, second)) is not None)
    evidence = _over_few_tables if scene.few_tables else _tested
    sentence = (
        f"{scene.labels[first]}: {_amount(scene, comparison)} {scene.labels[second]}, {evidence(scene, comparison)}; "
        f"{wording.cheaper(comparison.cost_ratio)}."
    )
    return Statement(against, sentence, comparison, on_tables)


def _amount(scene: _Scene, c: Comparison) -> str:
    quantity = scene.quantity
    if np.isnan(c.gain):
        return "no fold in common with"
    low, high = (c.smallest, c.largest) if scene.few_tables else (c.low, c.high)
    text = wording.number(abs(c.gain) * wording.scale(quantity), wording.places_of(low, high, quantity))
    if not text.strip("0."):
        return "level with"
    # Of a metric of which less is better, a gain lies below.
    above = (c.gain > 0) == quantity.higher_is_better
    return f"{text} {wording.unit(quantity, text)} {'above' if above else 'below'}"


def _tested(scene: _Scene, c: Comparison) -> str:
    if c.call == UNTESTED:
        return "not tested, since " + ("they share no fold" if c.n == 0 else "one fold allows no test")
    within = f"P(equal within {wording.rope(scene.results.rope, scene.quantity)}) {wording.probability(c.equal)}"
    if c.call == EQUAL:
        return f"practically equal ({within})"
    places = wording.places_of(c.low, c.high, scene.quantity)
    span = f"95 % interval {wording.interval(*_signed(scene, c), scene.quantity, places)}"
    if c.call == UNDECIDED:
        return f"not distinguishable ({span}; {within})"
    return f"distinguishable ({span}; p {wording.p_value(c.p_holm)})"


def _signed(scene: _Scene, c: Comparison) -> tuple[float, float]:
    # Intervals carry the sign of the metric itself, so that "below" and a negative interval agree.
    return (c.low, c.high) if scene.quantity.higher_is_better else (-c.high, -c.low)


def _over_few_tables(scene: _Scene, c: Comparison) -> str:
    n = c.n
    if not n:
        return "not compared"
    ahead = f"ahead on {c.ahead} and behind on {c.behind} of {wording.count(n, 'table')}"
    found = [
        f"{word} on {wording.listing([wording.name(name, 30) for name in tables])}"
        for word, tables in (("better", c.better_on), ("worse", c.worse_on))
        if tables
    ]
    return f"on average: {ahead}, distinguishably {' and '.join(found) if found else 'on none'}"


def _conclusion(scene: _Scene, statements: tuple[Statement, ...]) -> str:
    if not statements:
        return "There is nothing to compare it with."
    if scene.few_tables:
        return _conclusion_by_table(scene, statements)
    label = scene.labels[statements[0].comparison.first]
    lost = [s for s in statements if s.comparison.call == WORSE]
    won = [s for s in statements if s.comparison.call == BETTER]
    if lost:
        rivals = _named(scene, lost)
        return f"No: {rivals} {'is' if len(lost) == 1 else 'are'} better on {scene.here()}{_but_cheaper(lost)}."
    if len(won) == len(statements):
        return f"Yes: {label} is better than {_named(scene, won)} on {scene.here()}{_but_dearer(won)}."
    tied = [s for s in statements if s.comparison.call in {EQUAL, UNDECIDED}]
    if not tied:
        return "Not tested: one fold, or none in common, allows no answer."
    return _tie(scene, won, tied)


def _tie(scene: _Scene, won: list[Statement], tied: list[Statement]) -> str:
    label = scene.labels[tied[0].comparison.first]
    equal = all(s.comparison.call == EQUAL for s in tied)
    ratios = [s.comparison.cost_ratio for s in tied]
    beaten = f"Better than {_named(scene, won)}, but " if won else ""
    level = f"{'practically equal to' if equal else 'not shown to differ from'} {_named(scene, tied)}"
    opening = f"{beaten}{level}" if won else f"{level[0].upper()}{level[1:]}"
    if all(ratio >= wording.SAME_COST for ratio in ratios):
        return f"{opening}, and {wording.two_digits(min(ratios))}{wording.TIMES} cheaper per row or more: {label} is the thrifty choice."
    dearer = [s for s in tied if s.comparison.cost_ratio <= 1 / wording.SAME_COST]
    if dearer:
        rival = min(dearer, key=lambda s: s.comparison.cost_ratio)
        times = wording.two_digits(1 / rival.comparison.cost_ratio)
        return f"{opening}: no gain shown that pays for it, {scene.labels[rival.comparison.second]} is {times}{wording.TIMES} cheaper per row."
    return f"{opening}, at about the same cost per row: no gain shown."


def _conclusion_by_table(scene: _Scene, statements: tuple[Statement, ...]) -> str:
    outcomes = _outcomes(statements)
    n = len(outcomes)
    won = [name for name, outcome in outcomes.items() if outcome == BETTER]
    lost = [name for name, outcome in outcomes.items() if outcome == WORSE]
    rivals = _named(scene, statements)
    pays = f"better than {rivals} on {_tables(won, n)}"
    loses = f"worse than {'one of them' if len(statements) > 1 and won else 'it' if won else rivals if len(statements) == 1 else 'one of ' + rivals} on {_tables(lost, n)}"
    rest = "" if len(won) + len(lost) == n else ", no clear difference elsewhere" if won or lost else ""
    few = f" {wording.count(n, 'table')} are too few to say more than that."
    if won and lost:
        return f"It depends on the table: {pays}, {loses}{rest}.{few}"
    if won:
        return f"{'Yes' if len(won) == n else 'Sometimes'}: {pays}{rest}{_but_dearer(statements)}.{few}"
    if lost:
        return f"No: {loses}{rest}{_but_cheaper(statements)}.{few}"
    return f"No gain shown: on none of {wording.count(n, 'table')} is it clearly better or worse than {rivals}{_but_cheaper(statements)}.{few}"


def _outcomes(statements: tuple[Statement, ...]) -> dict[str, str]:
    """Return by table: worse than any rival, better than all, or neither."""
    calls: dict[str, list[str]] = {}
    for statement in statements:
        for name, comparison in statement.on_tables:
            calls.setdefault(name, []).append(comparison.call)
    return {
        name: WORSE if WORSE in found else BETTER if set(found) == {BETTER} else UNDECIDED
        for name, found in calls.items()
    }


def _tables(names: list[str], n: int) -> str:
    shown = wording.listing([wording.name(name, 30) for name in names], most=3)
    return f"all {n} tables" if len(names) == n else f"{len(names)} of {n} tables ({shown})"


def _named(scene: _Scene, statements: Sequence[Statement]) -> str:
    return wording.listing([scene.labels[s.comparison.second] for s in statements])


def _but_cheaper(statements: Sequence[Statement]) -> str:
    ratio = min((s.comparison.cost_ratio for s in statements), default=np.nan)
    if not ratio >= wording.SAME_COST:
        return ""
    return f"; the mixture is only {wording.two_digits(ratio)}{wording.TIMES} cheaper per row"


def _but_dearer(statements: Sequence[Statement]) -> str:
    ratio = min((s.comparison.cost_ratio for s in statements), default=np.nan)
    if not ratio <= 1 / wording.SAME_COST:
        return ""
    return f", at up to {wording.two_digits(1 / ratio)}{wording.TIMES} the cost per row"
