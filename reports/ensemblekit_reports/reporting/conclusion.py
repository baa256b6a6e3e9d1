"""From statements to an answer: yes, no, it depends, or nothing shown. A tie is called a tie, a loss a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.reporting.comparisons import BETTER, EQUAL, UNDECIDED, UNTESTED, WORSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.reporting.sentences import Statement

_TOO_FEW = "{} are too few to say more than that."


def conclude(statements: tuple[Statement, ...], rope: float, *, few_tables: bool) -> tuple[str, str]:
    """Answer whether the first model is worth it against all its rivals.

    Parameters
    ----------
    statements : tuple of Statement
        One for each rival, at least one.
    rope : float
        Gains below it are called slight, and losses above it are named although nothing is shown.
    few_tables : bool
        Whether there are several tables, but too few to tell models apart over them.

    Returns
    -------
    answer, detail : str
        A short answer and a sentence or two, perhaps empty.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> statements = build(example_results(tables=("moons", "rings"))).answer.statements
    >>> conclude(statements[1:], 0.01, few_tables=True)[0]
    'Yes: better on all 2 tables.'
    """
    if few_tables:
        return _by_table(statements, rope)
    lost = [s for s in statements if s.comparison.call == WORSE]
    won = [s for s in statements if s.comparison.call == BETTER]
    tied = [s for s in statements if s.comparison.call in {EQUAL, UNDECIDED}]
    if lost:
        return f"No: {_rivals(lost)} {'is' if len(lost) == 1 else 'are'} better.", _costs(lost)
    if tied:
        answer, detail = _tie(tied, rope)
        return answer, " ".join(filter(None, [f"It is better than {_rivals(won)}." if won else "", detail]))
    if not won:
        return "Not tested: one fold, or none in common, allows no answer.", ""
    if any(s.comparison.gain < 0 for s in won):  # many small gains carry the ranks, and a large loss the mean
        return f"It depends: better than {_rivals(won)} by the ranks over the tables, and behind by the mean.", _costs(won)
    slightly = ", slightly" if any(s.comparison.gain < rope for s in won) else ""
    return f"Yes{slightly}: better than {_rivals(won)}.", _costs(won)


def conclude_leader(statement: Statement, *, few_tables: bool) -> tuple[str, str]:
    """Answer which model is best when the two best ones face each other.

    Parameters
    ----------
    statement : Statement
        The best by mean against the runner-up.
    few_tables : bool
        Whether there are several tables, but too few to test over them.

    Returns
    -------
    answer, detail : str

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> statement = build(example_results()).answer.statements[0]
    >>> conclude_leader(statement, few_tables=False)[0]
    'Mixture of experts leads, but is not shown to differ from Averaging.'
    """
    call, leads = statement.comparison.call, f"{statement.first} leads"
    if few_tables:
        won, lost, n = _outcomes((statement,))
        answer = f"{leads} on average: better than {statement.second} on {len(won)} of {n} tables, worse on {len(lost)}."
        return answer, _TOO_FEW.format(wording.count(n, "table"))
    if call == BETTER:
        return f"{statement.first}: better than the runner-up, {statement.second}.", _costs([statement])
    if call == EQUAL:
        return f"{leads}, but is practically equal to {statement.second}.", _costs([statement])
    if call == WORSE:
        # One large gain carries a mean, and many small losses carry the ranks.
        ahead = f", ahead on {statement.comparison.behind} of {len(statement.on_tables)} tables" if len(statement.on_tables) > 1 else ""
        return f"{leads} on average, but the test favours {statement.second}{ahead}.", _costs([statement])
    shown = "was not tested against" if call != UNDECIDED else "is not shown to differ from"
    return f"{leads}, but {shown} {statement.second}.", _costs([statement])


def _tie(tied: list[Statement], rope: float) -> tuple[str, str]:
    behind = [s for s in tied if _falls_behind(s, rope)]
    if behind:
        return f"Not so far: {_rivals(behind)} {'is' if len(behind) == 1 else 'are'} ahead by the mean, without proof.", _costs(tied)
    alike = all(s.comparison.call == EQUAL for s in tied)
    if all(s.comparison.cost_ratio >= wording.CHEAP for s in tied):
        found = "Yes, for its price: practically equal to" if alike else "So far only for its price: no difference shown to"
        return f"{found} {_rivals(tied)}, and {_cheapness(tied)}.", _costs(tied) if len(tied) > 1 else ""
    if alike:  # with a rival that costs about as little, there is no reason to take it
        return f"No: practically equal to {_rivals(tied)}.", _costs(tied)
    return f"Not so far: no gain shown over {_rivals(tied)}.", _costs(tied)


def _falls_behind(statement: Statement, rope: float) -> bool:
    """Whether its mean lags by more than does not matter, and no test has said that it does or does not."""
    return statement.comparison.call in {UNDECIDED, UNTESTED} and statement.comparison.gain < -rope


def _by_table(statements: tuple[Statement, ...], rope: float) -> tuple[str, str]:
    won, lost, n = _outcomes(statements)
    all_rivals = _rivals(statements)
    parts = [f"Better than {all_rivals} on {_tables(won)}."] if won else []
    parts += [f"Worse than {s.second} on {_tables(worse)}." for s in statements if (worse := _lost_to(s))]
    if not won and not lost:
        parts += [_costs(statements), _largest(statements, rope)]
    elif len(won) + len(lost) < n:
        parts.append("No clear difference elsewhere.")
    parts += [_TOO_FEW.format(wording.count(n, "table"))]
    cheaper = all(s.comparison.cost_ratio >= wording.CHEAP and not _falls_behind(s, rope) for s in statements)
    return _headline(len(won), len(lost), n, _cheapness(statements) if cheaper else ""), " ".join(filter(None, parts))


def _largest(statements: tuple[Statement, ...], rope: float) -> str:
    """Name a difference that would matter if it were real: that none is shown does not say that there is none."""
    open_cases = [
        (abs(c.gain), c.gain > 0, name, s.second)
        for s in statements
        for name, c in s.on_tables
        if c.call == UNDECIDED and abs(c.gain) > rope
    ]
    if not open_cases:
        return ""
    _, ahead, name, rival = max(open_cases)
    direction = "ahead of" if ahead else "behind"
    return f"What is least settled: it is {direction} {rival} on {wording.name(name, 30)}, and more folds are needed to tell."


def _headline(won: int, lost: int, n: int, cheapness: str) -> str:
    if won == n:
        return f"Yes: better on all {n} tables."
    if won and lost:
        return f"It depends: better on {won} of {n} tables, worse on {lost}."
    if won:
        return f"Sometimes: better on {won} of {n} tables, worse on none."
    if lost:
        return f"No: worse on {lost} of {n} tables, better on none."
    if cheapness:
        return f"So far only for its price: no clear difference on any of {n} tables, and {cheapness}."
    return f"Not so far: no gain shown on any of {n} tables."


def _outcomes(statements: Sequence[Statement]) -> tuple[list[str], list[str], int]:
    """Return the tables where it beats every rival, those where any rival beats it, and how many there are."""
    calls: dict[str, list[str]] = {}
    for statement in statements:
        for name, comparison in statement.on_tables:
            calls.setdefault(name, []).append(comparison.call)
    won = [name for name, found in calls.items() if set(found) == {BETTER}]
    lost = [name for name, found in calls.items() if WORSE in found]
    return won, lost, len(calls)


def _lost_to(statement: Statement) -> list[str]:
    return [name for name, comparison in statement.on_tables if comparison.call == WORSE]


def _rivals(statements: Sequence[Statement]) -> str:
    return wording.listing([s.second for s in statements])


def _tables(names: list[str]) -> str:
    return wording.listing([wording.name(name, 30) for name in names], most=3)


def _cheapness(statements: Sequence[Statement]) -> str:
    ratios = [s.comparison.cost_ratio for s in statements]
    least = "at least " if len(ratios) > 1 else ""
    return f"{least}{wording.cheaper(min(ratios))}"


def _costs(statements: Sequence[Statement]) -> str:
    parts = []
    for statement in statements:
        ratio = statement.comparison.cost_ratio
        if ratio >= wording.SAME_COST or ratio <= 1 / wording.SAME_COST:
            times = f"{wording.two_digits(max(ratio, 1 / ratio))}{wording.TIMES}"
            parts.append(f"{times} {'cheaper' if ratio > 1 else 'dearer'} per row than {statement.second}")
    return f"It is {wording.listing(parts)}." if parts else ""
