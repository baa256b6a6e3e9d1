"""Insights in plain words, with no more digits than their rows support."""

from __future__ import annotations

import math

from ensemblekit_reports import wording
from ensemblekit_reports.insights.plain import COLLAPSED, EnsembleInsight, Expert, MixtureInsight, Rule

#: A row shared by so large a part of the experts in use is not routed but averaged.
_HARDLY_CHOOSES = 0.75
#: Mean correlation of errors from which members are called alike, and similar.
_ALIKE, _SIMILAR = 0.9, 0.5
#: Odds are written up to here.
_MOST_TIMES = 1e6


def percent(share: float) -> str:
    """Write a share of the rows.

    Examples
    --------
    >>> percent(0.314), percent(0.002), percent(0.9996), percent(0.0), percent(1.0)
    ('31 %', 'under 1 %', 'over 99 %', '0 %', '100 %')
    """
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def score_text(score: float | None, n_rows: int, score_name: str) -> str:
    """Write the score of a single expert or member on so many rows.

    Examples
    --------
    >>> score_text(0.8666, 60, "accuracy"), score_text(0.86661, 4000, "accuracy"), score_text(12.345, 60, "rmse")
    ('87 %', '86.7 %', '12')
    """
    if score is None:
        return wording.NONE
    if score_name != "accuracy":
        return wording.two_digits(score) if n_rows < 1000 else f"{float(f'{score:.3g}'):,}"
    places = wording.decimals(100 * 1.96 * math.sqrt(0.25 / max(n_rows, 1)))
    return f"{100 * score:.{places}f} %"


def times(effect: float) -> str:
    """Write what log-odds do to the odds.

    Examples
    --------
    >>> times(3.64), times(-0.31), times(-0.01), times(20.0)
    ('× 38', '÷ 1.4', '× 1.0', '× over a million')
    """
    factor = math.exp(min(abs(effect), 700.0))
    sign = "÷" if effect < 0 and wording.two_digits(factor) != "1.0" else "×"
    return f"{sign} over a million" if factor > _MOST_TIMES else f"{sign} {wording.two_digits(factor)}"


def odds(log_odds: float) -> str:
    """Write odds against one.

    Examples
    --------
    >>> odds(3.64), odds(-0.7), odds(-9.0)
    ('38 : 1', '1 : 2.0', '1 : 8,100')
    """
    factor = math.exp(min(abs(log_odds), 700.0))
    text = "over a million" if factor > _MOST_TIMES else wording.two_digits(factor)
    return f"{text} : 1" if log_odds >= 0 else f"1 : {text}"


def how_it_chooses(insight: MixtureInsight) -> str:
    """Say whether the gate of a mixture chooses at all.

    Examples
    --------
    >>> experts = (Expert(0.5, 0.5, 15, 0.9, 0.4, 0.9), Expert(0.5, 0.5, 15, 0.9, 0.4, 0.9))
    >>> how_it_chooses(MixtureInsight("iris", "moe", "SoftmaxGate", "", 30, "accuracy", 0.1, 2.0, 1.1, experts, (0,), (-9.0,), True))
    'The gate divides the rows: 2.0 of 2 experts share the table in effect, 1.1 share a row.'
    """
    n = len(insight.experts)
    if n == 1:
        return "One expert: there is nothing to choose."
    shares = [expert.given for expert in insight.experts]
    used, per_row = f"{insight.effective:.1f} of {n} experts", f"{insight.effective_per_row:.1f}"
    if insight.effective < COLLAPSED:
        busiest = shares.index(max(shares))
        return (
            f"The gate has collapsed: expert {busiest} answers for {percent(shares[busiest])} of the rows, so the mixture is little else."
        )
    if insight.effective_per_row >= _HARDLY_CHOOSES * insight.effective:
        return (
            f"The gate hardly chooses: {used} share the table in effect, and {per_row} share a single row, so the mixture works like an "
            "average of its experts."
        )
    return f"The gate divides the rows: {used} share the table in effect, {per_row} share a row."


def what_it_looks_at(insight: MixtureInsight) -> str:
    """Name the columns that drive the gate, over all its experts; empty where none does.

    Examples
    --------
    >>> what_it_looks_at(MixtureInsight("iris", "moe", "SoftmaxGate", "", 30, "accuracy", 0.1, 1.0, 1.0, (), (0,), (-9.0,), True))
    ''
    """
    totals = driving_columns(insight)
    if not totals:
        return ""
    names = sorted(totals, key=lambda name: -totals[name])
    strong = [name for name in names if totals[name] >= 0.25 * totals[names[0]]][:3]
    # a probability that one expert loses another one gains: half of the sum is what changes hands
    moved = totals[names[0]] / 2
    return (
        f"It looks mostly at {wording.listing([wording.name(name, 40) for name in names], most=len(strong))}: shuffling "
        f"{wording.name(names[0], 40)} alone would send {percent(moved)} of the rows' weight to other experts."
    )


def driving_columns(insight: MixtureInsight) -> dict[str, float]:
    """Return the summed effect of each column that drives any expert, by the reader's name.

    Examples
    --------
    >>> driving_columns(MixtureInsight("iris", "moe", "SoftmaxGate", "", 30, "accuracy", 0.1, 1.0, 1.0, (), (0,), (-9.0,), True))
    {}
    """
    totals: dict[str, float] = {}
    for expert in insight.experts:
        for driver in expert.drivers:
            totals[driver.column] = totals.get(driver.column, 0.0) + driver.effect
    return totals


def top_columns(insight: MixtureInsight) -> list[str]:
    """Return the three columns that drive the gate most, by the reader's names.

    Examples
    --------
    >>> top_columns(MixtureInsight("iris", "moe", "SoftmaxGate", "", 30, "accuracy", 0.1, 1.0, 1.0, (), (0,), (-9.0,), True))
    []
    """
    totals = driving_columns(insight)
    return sorted(totals, key=lambda name: -totals[name])[:3]


def expert_sentence(number: int, expert: Expert, score_name: str, n_rows: int) -> str:
    r"""Say what one expert does.

    Examples
    --------
    >>> expert = Expert(0.31, 0.31, 60, 0.92, 0.25, 0.92, rule=Rule("age", "above", "44", 0.94, 0.09))
    >>> print(expert_sentence(2, expert, "accuracy", 200).replace(". ", "\n"))
    Expert 2 answers for 31 % of the rows, mainly where age is above 44
    On the 60 rows that it leads it is right in 92 %, on the others it would be in 25 %.
    """
    taken = f"Expert {number} answers for {percent(expert.taken)} of the rows"
    if not expert.leads:
        return f"{taken} and leads in none."
    where = f", mainly where {condition(expert.rule)}" if expert.rule else "; no single column tells which"
    led = f"On the {wording.count(expert.leads, 'row')} that it leads"
    own, elsewhere = (score_text(s, n, score_name) for s, n in ((expert.own, expert.leads), (expert.elsewhere, n_rows - expert.leads)))
    right, would = ("it is right in", "it would be in") if score_name == "accuracy" else ("its error is", "it would be")
    others = "" if expert.elsewhere is None else f", on the others {would} {elsewhere}"
    return f"{taken}{where}. {led} {right} {own}{others}."


def condition(rule: Rule) -> str:
    """Write a rule as a clause.

    Examples
    --------
    >>> condition(Rule("colour", "is", "red", 0.9, 0.1))
    'colour is red'
    """
    relation = "is" if rule.relation == "is" else f"is {rule.relation}"
    return f"{wording.name(rule.column, 40)} {relation} {wording.name(rule.value, 30)}"


def how_it_was_fitted(insight: MixtureInsight) -> str:
    """Say how the fit went.

    Examples
    --------
    >>> how_it_was_fitted(MixtureInsight("iris", "moe", "SoftmaxGate", "", 30, "accuracy", 0.1, 1.0, 1.0, (), (0, 9), (-9.0, -4.0), True))
    'The fit took 9 steps and converged.'
    """
    if insight.bank == "BoostedExperts":
        return f"It was boosted for {wording.count(insight.steps[-1], 'round')}; rows held out said when to stop."
    if insight.steps[-1] == 0:
        return "No step of the fit was better than its start, which was kept."
    ended = "converged" if insight.converged else "was stopped before it converged: a larger max_iter may change it"
    return f"The fit took {wording.count(insight.steps[-1], 'step')} and {ended}."


def correlation(insight: EnsembleInsight) -> float | None:
    """Return the mean correlation of the errors of two members; None where it is not defined.

    Examples
    --------
    >>> correlation(EnsembleInsight("iris", "averaging", 30, "accuracy", 0.9, "equal", (), ((1.0, 0.9), (0.9, 1.0))))
    0.9
    """
    n = len(insight.correlation)
    pairs = [value for i in range(n) for value in insight.correlation[i][i + 1 :] if value is not None]
    return sum(pairs) / len(pairs) if pairs else None


def how_members_err(insight: EnsembleInsight) -> str:
    """Say how alike the members' errors are.

    Examples
    --------
    >>> how_members_err(EnsembleInsight("iris", "averaging", 30, "accuracy", 0.9, "equal", (), ((1.0, 0.95), (0.95, 1.0))))
    'The members make nearly the same errors (mean correlation 0.95): there is little for an ensemble to even out.'
    """
    mean = correlation(insight)
    if mean is None:
        return ""
    said = f"(mean correlation {mean:.2f})"
    if mean >= _ALIKE:
        return f"The members make nearly the same errors {said}: there is little for an ensemble to even out."
    if mean >= _SIMILAR:
        return f"The members make similar errors {said}: an ensemble evens out some of them."
    return f"The members err differently {said}: an ensemble evens out much of it."


def how_it_weighs(insight: EnsembleInsight, label: str) -> str:
    """Say what the members of an ensemble count.

    Examples
    --------
    >>> from ensemblekit_reports.insights.plain import Member
    >>> members = (Member("a", 0.97, 0.9), Member("b", 0.03, 0.8))
    >>> how_it_weighs(EnsembleInsight("iris", "weighted", 30, "accuracy", 0.9, "learned", members, ()), "Weighted")
    'Weighted leaves nearly everything to a (97 %).'
    """
    first = max(insight.members, key=lambda member: member.weight)
    if insight.weighing == "equal":
        return f"{label} counts all members alike."
    if insight.effective < COLLAPSED:
        return f"{label} leaves nearly everything to {wording.name(first.name, 30)} ({percent(first.weight)})."
    parts = [f"{wording.name(member.name, 30)} {percent(member.weight)}" for member in sorted(insight.members, key=lambda m: -m.weight)]
    learned = "By the coefficients of its last model " if insight.weighing == "influence" else ""
    return f"{learned}{label} gives {wording.listing(parts, most=6)}: {insight.effective:.1f} of {len(parts)} members in effect."


def what_it_gains(insight: EnsembleInsight, label: str) -> str:
    """Compare an ensemble with its best member.

    Examples
    --------
    >>> from ensemblekit_reports.insights.plain import Member
    >>> members = (Member("a", 0.5, 0.9), Member("b", 0.5, 0.8))
    >>> what_it_gains(EnsembleInsight("iris", "averaging", 30, "accuracy", 0.93, "equal", members, ()), "Averaging")
    'Averaging is right in 93 % of 30 rows, its best member alone, a, in 90 %.'
    """
    right = insight.score_name == "accuracy"
    best = (max if right else min)(insight.members, key=lambda member: member.score)
    own, alone = (score_text(score, insight.n_rows, insight.score_name) for score in (insight.score, best.score))
    name = wording.name(best.name, 30)
    if right:
        return f"{label} is right in {own} of {wording.count(insight.n_rows, 'row')}, its best member alone, {name}, in {alone}."
    return f"The error of {label} is {own} over {wording.count(insight.n_rows, 'row')}, that of its best member, {name}, {alone}."
