"""What is known of a fitted mixture or ensemble, as plain data: numbers, names and nothing that could be asked again.

Experts are numbered from 0, as in ``gate_proba``. All of it is about one fold of a table, the first of the first repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Below this many experts or members in effect, one of them does nearly everything.
COLLAPSED = 1.2


@dataclass(frozen=True)
class Driver:
    """How much a column decides whether an expert is asked.

    Parameters
    ----------
    column : str
        The reader's name.
    effect : float
        Mean absolute change of the expert's gate probability when the column's values are shuffled among the rows, from 0 to 1.
    direction : float
        Spearman's correlation of a numeric column with that probability, from -1 to 1; 0 for a categorical one.
    coefficient : float or None
        Of a softmax gate and a numeric column: what the expert's log-odds against the mean of all experts gain by one standard
        deviation of the column.
    level : str
        Of a categorical column: where the expert is most probable.

    Examples
    --------
    >>> Driver("age", 0.2, 0.9).level
    ''
    """

    column: str
    effect: float
    direction: float
    coefficient: float | None = None
    level: str = ""


@dataclass(frozen=True)
class Rule:
    """The one condition on one column that tells an expert's rows best from all others.

    Parameters
    ----------
    column : str
        The reader's name.
    relation : str
        ``"above"``, ``"up to"`` or ``"is"``.
    value : str
        Threshold or category, as a reader is to see it.
    own, others : float
        Share of the rows that the expert leads which fulfil it, and of all others.

    Examples
    --------
    >>> Rule("age", "above", "44", 0.9, 0.1).relation
    'above'
    """

    column: str
    relation: str
    value: str
    own: float
    others: float


@dataclass(frozen=True)
class Expert:
    """One expert on the test rows.

    Parameters
    ----------
    given : float
        Mean of its gate probabilities.
    taken : float
        Mean of its shares after routing.
    leads : int
        Rows in which its gate probability is the largest.
    own : float or None
        Its own score on the rows that it leads; None where there are none.
    elsewhere : float or None
        Its own score on all other rows.
    mixture : float or None
        The whole mixture's score on the rows that it leads.
    drivers : tuple of Driver
        Columns that decide whether it is asked, the strongest first.
    rule : Rule or None
        None where no single condition tells its rows from the others.

    Examples
    --------
    >>> Expert(0.5, 0.5, 10, 0.9, 0.4, 0.9).drivers
    ()
    """

    given: float
    taken: float
    leads: int
    own: float | None
    elsewhere: float | None
    mixture: float | None
    drivers: tuple[Driver, ...] = ()
    rule: Rule | None = None


@dataclass(frozen=True)
class GateMap:
    """Gate probabilities over two numeric columns, all others held at their median or most frequent value.

    Parameters
    ----------
    columns : tuple of str
        The reader's names of the two.
    first, second : tuple of float
        Grid values, in the reader's units.
    proba : tuple of shape (len(second), len(first), n_experts)
        As ``GateDisplay`` has it.
    rows : tuple of (float, float)
        Some rows of the table.
    answers : tuple of shape (len(second), len(first), n_classes)
        Class probabilities of the mixture at the same points; empty for numbers and for many classes.

    Examples
    --------
    >>> GateMap(("a", "b"), (0.0, 1.0), (0.0,), (((1.0,), (1.0,)),), ()).columns
    ('a', 'b')
    """

    columns: tuple[str, str]
    first: tuple[float, ...]
    second: tuple[float, ...]
    proba: tuple[tuple[tuple[float, ...], ...], ...]
    rows: tuple[tuple[float, float], ...]
    answers: tuple[tuple[tuple[float, ...], ...], ...] = ()


@dataclass(frozen=True)
class Contribution:
    """What one value of a row did to the odds of the expert that it went to.

    Parameters
    ----------
    column, value : str
        As a reader is to see them.
    effect : float
        Log-odds of the expert against the next one, less what they were if the column had its typical value.

    Examples
    --------
    >>> Contribution("age", "71", 2.0).effect
    2.0
    """

    column: str
    value: str
    effect: float


@dataclass(frozen=True)
class ExplainedRow:
    """Why a test row went to its expert.

    Parameters
    ----------
    row : int
        Its position in the table, from 0.
    kind : str
        ``"typical"`` of its expert, or ``"doubtful"``.
    expert, rival : int
        The most probable expert and the next.
    proba : tuple of float
        The gate's probabilities.
    start : float
        Log-odds of the two in a row that is typical in every column.
    contributions : tuple of Contribution
        The largest first.
    rest : float
        What all other columns, and columns together, did.
    truth, answer : str
        The true answer and the mixture's.

    Examples
    --------
    >>> ExplainedRow(7, "doubtful", 0, 1, (0.5, 0.5), 0.0, (), 0.0, "yes", "no").odds
    0.0
    """

    row: int
    kind: str
    expert: int
    rival: int
    proba: tuple[float, ...]
    start: float
    contributions: tuple[Contribution, ...]
    rest: float
    truth: str
    answer: str

    @property
    def odds(self) -> float:
        """Log-odds of the expert against the next one."""
        return self.start + sum(part.effect for part in self.contributions) + self.rest


@dataclass(frozen=True)
class MixtureInsight:
    """What a fitted mixture tells about itself.

    Parameters
    ----------
    dataset, model : str
        Whose it is.
    gate, bank : str
        Kinds of the gate and of the experts, such as ``"SoftmaxGate"`` and ``"LogisticExperts"``.
    n_rows : int
        Test rows.
    score_name : str
        ``"accuracy"`` or ``"rmse"``: the score of single experts.
    entropy : float
        Mean entropy of the gate over the rows, in nats.
    effective, effective_per_row : float
        Experts that share the work in effect: over all rows, and for one row (``ExpertLoadDisplay``).
    experts : tuple of Expert
    steps : tuple of int
        Steps of the fit that ``bounds`` are of; all of them where they are not too many.
    bounds : tuple of float
        Penalised log-likelihood after these.
    converged : bool
    maps : tuple of GateMap
        Over pairs of the columns that drive the gate most, the strongest pair first; empty with fewer than two numeric columns.
    rows : tuple of ExplainedRow

    Examples
    --------
    >>> MixtureInsight("iris", "moe", "SoftmaxGate", "LogisticExperts", 30, "accuracy", 0.1, 1.9, 1.1, (), (0,), (-9.0,), True).maps
    ()
    """

    dataset: str
    model: str
    gate: str
    bank: str
    n_rows: int
    score_name: str
    entropy: float
    effective: float
    effective_per_row: float
    experts: tuple[Expert, ...]
    steps: tuple[int, ...]
    bounds: tuple[float, ...]
    converged: bool
    maps: tuple[GateMap, ...] = field(default=(), metadata={"json": False})
    rows: tuple[ExplainedRow, ...] = ()


@dataclass(frozen=True)
class Member:
    """One member of an ensemble.

    Parameters
    ----------
    name : str
        Its name in the ensemble.
    weight : float
        What it counts, shares of one.
    score : float
        Its own score on the test rows.

    Examples
    --------
    >>> Member("forest", 0.5, 0.9).weight
    0.5
    """

    name: str
    weight: float
    score: float


@dataclass(frozen=True)
class SmallerEnsemble:
    """How ensembles of fewer members would have done: all choices of that many, without a fit.

    Parameters
    ----------
    n_members : int
    mean, worst, best : float
        Score over the choices.

    Examples
    --------
    >>> SmallerEnsemble(2, 0.9, 0.88, 0.92).n_members
    2
    """

    n_members: int
    mean: float
    worst: float
    best: float


@dataclass(frozen=True)
class EnsembleInsight:
    """What a fitted ensemble tells about itself.

    Parameters
    ----------
    dataset, model : str
        Whose it is.
    n_rows : int
        Test rows.
    score_name : str
        ``"accuracy"`` or ``"rmse"``.
    score : float
        Of the ensemble on the test rows.
    weighing : str
        ``"equal"``, ``"given"``, ``"learned"``, or ``"influence"``: share of a last model's coefficients, each times the spread of
        what it reads.
    members : tuple of Member
    correlation : tuple of shape (n_members, n_members)
        Pearson's correlation of the members' errors over the test rows; None where a member makes the same error in every row. A
        classifier's error in a row is one minus the probability that it gives the true class, a regressor's its residual.
    smaller : tuple of SmallerEnsemble
        By size; empty where members do not simply add up, or are too many.

    Examples
    --------
    >>> EnsembleInsight("iris", "averaging", 30, "accuracy", 0.9, "equal", (Member("a", 1.0, 0.9),), ((1.0,),)).effective
    1.0
    """

    dataset: str
    model: str
    n_rows: int
    score_name: str
    score: float
    weighing: str
    members: tuple[Member, ...]
    correlation: tuple[tuple[float | None, ...], ...]
    smaller: tuple[SmallerEnsemble, ...] = ()

    @property
    def effective(self) -> float:
        """Members in effect: the inverse of the sum of squared weights (Hill, 1973, order 2)."""
        return 1.0 / sum(member.weight**2 for member in self.members)


Insight = MixtureInsight | EnsembleInsight
