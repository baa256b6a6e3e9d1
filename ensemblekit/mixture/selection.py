r"""How many experts: the number with the smallest criterion, on the way up and down through all of them.

With the log-likelihood :math:`L`, :math:`d` free parameters, :math:`n` rows (the sum of their weights) and responsibilities :math:`r`,

.. math:: \mathrm{BIC} = -2 L + d \log n, \qquad \mathrm{ICL} = \mathrm{BIC} - 2 \sum_i \sum_k r_{ik} \log r_{ik}

(Schwarz, 1978; Biernacki, Celeux and Govaert, 2000, section 2.3). ICL asks beside for experts that divide the rows clearly.

All free coefficients and intercepts of gate and experts count (:func:`n_free`), penalised ones too, and L is taken at the penalised fit,
without the penalty (as Fraley and Raftery, 2007, do): a strong penalty makes for fewer experts. Held-out log-likelihood ("cv") serves where
parameters cannot be counted.

References
----------
G. Schwarz (1978). Estimating the dimension of a model. Annals of Statistics 6(2), 461-464.
C. Biernacki, G. Celeux and G. Govaert (2000). Assessing a mixture model for clustering with the integrated completed likelihood. IEEE
Transactions on Pattern Analysis and Machine Intelligence 22(7), 719-725.
C. Fraley and A. E. Raftery (2007). Bayesian regularization for normal mixture estimation and model-based clustering. Journal of
Classification 24, 155-181.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.holding_out import Rows, mean_and_error, simplest_within_one_error
from ensemblekit.mixture.linear.design import Design
from ensemblekit.mixture.linear.growing import Growing
from ensemblekit.mixture.linear.namespaces import namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture, logsumexp

#: Ways to choose.
SELECTIONS = ("bic", "icl", "cv")
#: The way up ends when so many further experts have not made the criterion smaller; one is enough that leads no higher at all.
_PATIENCE = 2
#: Columns, that of ones among them, beyond which each is counted alone.
_COUNTED_ALONE = 401


@dataclass(frozen=True)
class SelectionStep:
    """What one number of experts is worth.

    Parameters
    ----------
    n_experts : int
    loss : float
        Mean negative log-likelihood of a row, in nats: of the rows fitted, or of held-out ones for "cv".
    n_parameters : int or None
        Free coefficients and intercepts of gate and experts; None where they are not counted.
    criterion : float
        What is made as small as possible: BIC or ICL, or for "cv" the loss.
    standard_error : float or None
        Of the held-out loss; None for BIC and ICL.

    Examples
    --------
    >>> SelectionStep(2, 0.31, 21, 640.2).n_experts
    2
    """

    n_experts: int
    loss: float
    n_parameters: int | None
    criterion: float
    standard_error: float | None = None


Judge = Callable[[LinearMixture, Float], SelectionStep]


def information(selection: str, log_unit: float) -> Judge:
    """Judge an optimum by BIC or ICL.

    Parameters
    ----------
    selection : {"bic", "icl"}
    log_unit : float
        Logarithm of the unit in which the problem measures the answers.

    Returns
    -------
    callable
        From a problem and its coefficients to a :class:`SelectionStep`.
    """

    def judge(problem: LinearMixture, W: Float) -> SelectionStep:
        log_joint = problem.log_joint(problem.parameters(W))
        rows = logsumexp(log_joint)
        loss = log_unit - problem.mean(rows)
        free = n_free(problem)
        criterion = 2 * loss * problem.total_weight + free * float(np.log(problem.total_weight))
        if selection == "icl":
            xp = namespace(log_joint)
            shares = xp.exp(log_joint - rows)
            unsure = xp.where(shares > 0, shares * (rows - log_joint), xp.zeros_like(shares))
            criterion += 2 * problem.mean(xp.sum(unsure, axis=0)) * problem.total_weight
        return SelectionStep(problem.n_experts, loss, free, criterion)

    return judge


def n_free(problem: LinearMixture) -> int:
    """Count coefficients and intercepts that the rows can tell apart: for each predictor the rank of the columns that it reads.

    A constant column adds nothing to an intercept, nor does the last of the columns that code one category each. Of predictors that read
    more than 400 columns only constant columns are left out.

    Parameters
    ----------
    problem : LinearMixture

    Returns
    -------
    int

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> X, y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> n_free(LinearMixture(make_design(X, np.ones(3)), Categorical(2), y, n_experts=1, alpha=1.0))  # a slope and an intercept
    2
    """
    ranks: dict[tuple[int, ...], int] = {}
    free = 0
    for group in problem.groups:
        read = tuple(group.columns.tolist())
        if read not in ranks:
            ranks[read] = _rank(take_rows(problem.design.Z, group.columns, axis=1))
        free += ranks[read] * group.shape[1]
    return free


def _rank(Z: Any) -> int:
    if Z.shape[1] > _COUNTED_ALONE:
        largest = abs(Z).max(axis=0).toarray().ravel() if sp.issparse(Z) else on_host(namespace(Z).max(abs(Z), axis=0))
        return int(np.count_nonzero(largest))
    moments = Z.T @ Z
    moments = moments.toarray() if sp.issparse(moments) else on_host(moments)
    length = np.sqrt(np.diag(moments))
    length[length == 0] = 1.0
    rounding = float(np.finfo(moments.dtype).eps) ** (2 / 3)  # above what sums over many rows leave of an eigenvalue of zero
    return int(np.linalg.matrix_rank(moments / np.outer(length, length), tol=rounding, hermitian=True))


def held_out(
    whole: Callable[[int], LinearMixture], divisions: list[tuple[Rows, Rows]], log_unit: float, *, few: Rows | None, n_init: int, seed: int
) -> Judge:
    """Judge a number of experts by rows that are left out while the rest goes the same way up and down.

    The optimum of all rows is of no use as a start: it lies in the mode that the held-out rows chose, too, and a climb does not leave it.

    Parameters
    ----------
    whole : callable
        From a number of experts to the problem on all rows.
    divisions : list of (kept, held_out)
    log_unit : float
        As in :func:`information`.
    few : ndarray of int or None
        Rows on which splits, mergers and starts are ranked, where kept; None for all.
    n_init : int
        Random starts at the largest number.
    seed : int
        Of the starts.

    Returns
    -------
    callable
        From a problem and its coefficients to a :class:`SelectionStep`. It counts on the order of calls in :func:`along_the_way`.
    """

    def on(rows: Rows) -> Callable[[int], LinearMixture]:
        return cache(lambda n_experts: _on_rows(whole(n_experts), rows))

    ways = []
    for kept, out in divisions:
        part = on(kept)
        ways.append((Growing(part, part if few is None else on(np.intersect1d(kept, few)), np.random.default_rng(seed)), out))

    def judge(problem: LinearMixture, W: Float) -> SelectionStep:  # noqa: ARG001 (told from all rows)
        n_experts = problem.n_experts
        losses, weights = [], []
        for way, out in ways:
            _go_along(way, n_experts, n_init)
            part = way.whole(n_experts)
            other = part.on(*_rows_of(problem, out), total_weight=part.total_weight)
            losses.append(log_unit - on_host(logsumexp(other.log_joint(part.parameters(way.optima[n_experts])))))
            weights.append(on_host(other.design.sample_weight))
        return scored(n_experts, np.concatenate(losses), np.concatenate(weights), n_free(problem))

    return judge


def _go_along(way: Growing, n_experts: int, n_init: int) -> None:
    """Take the step that led the path to ``n_experts``: the first or one up, one down, or new starts at the top."""
    if not way.optima:
        way.begin()
    elif n_experts not in way.optima:
        way.grow(n_experts)
    elif n_experts + 1 in way.optima:
        way.shrink(n_experts)
    else:
        way.restart(n_experts, n_init)


def scored(n_experts: int, losses: Float, sample_weight: Float, n_parameters: int | None = None) -> SelectionStep:
    """Sum up held-out losses.

    Parameters
    ----------
    n_experts : int
    losses : ndarray of shape (n_held_out,)
        Negative log-likelihood of each row.
    sample_weight : ndarray of shape (n_held_out,)
    n_parameters : int or None, default=None

    Returns
    -------
    SelectionStep

    Examples
    --------
    >>> scored(2, np.array([0.2, 0.4]), np.ones(2)).loss.__round__(2)
    0.3
    """
    loss, error = mean_and_error(losses, sample_weight)
    return SelectionStep(n_experts, loss, n_parameters, loss, error)


def _rows_of(problem: LinearMixture, rows: Rows) -> tuple[Design, Any]:
    whole = problem.design
    design = Design(take_rows(whole.Z, rows), whole.mean, whole.scale, take_rows(whole.sample_weight, rows))
    return design, take_rows(problem.targets, rows, axis=1)


def _on_rows(problem: LinearMixture, rows: Rows) -> LinearMixture:
    return problem.resized(problem.n_experts, *_rows_of(problem, rows))


def chosen(steps: Iterable[SelectionStep]) -> int:
    """Return the number of experts to take.

    Parameters
    ----------
    steps : iterable of SelectionStep

    Returns
    -------
    int
        Of the smallest criterion; by held-out loss, the smallest number within one standard error of the best.

    Examples
    --------
    >>> chosen([SelectionStep(1, 0.5, 3, 120.0), SelectionStep(2, 0.4, 7, 100.0)])
    2
    """
    ordered = sorted(steps, key=lambda step: step.n_experts)
    if ordered[0].standard_error is None:
        return min(ordered, key=lambda step: step.criterion).n_experts
    place = simplest_within_one_error([step.loss for step in ordered], [step.standard_error or 0.0 for step in ordered])
    return ordered[place].n_experts


def along_the_way(growing: Growing, judge: Judge, *, min_experts: int, max_experts: int, n_init: int) -> list[SelectionStep]:
    """Grow until further experts are no use, start anew at the largest number, and shrink to one below the best.

    They are no use when two of them have not made the criterion smaller, or one that has not is idle: its likelihood is that of one less.

    Parameters
    ----------
    growing : Growing
        Its optima are filled in.
    judge : callable
        From a problem and its coefficients to a :class:`SelectionStep`.
    min_experts, max_experts : int
    n_init : int
        Random starts at the largest number.

    Returns
    -------
    list of SelectionStep
        From ``min_experts`` to the largest number that was tried.
    """
    steps: dict[int, SelectionStep] = {}

    def note(n_experts: int) -> int:
        """Judge, and return the best number so far."""
        steps[n_experts] = judge(growing.whole(n_experts), growing.optima[n_experts])
        allowed = [step for step in steps.values() if step.n_experts >= min_experts]
        return min(allowed, key=lambda step: step.criterion).n_experts if allowed else max_experts

    growing.begin()
    top, best = 1, note(1)
    while top < max_experts and (top <= best or (top - best < _PATIENCE and growing.leads_higher(top))):
        top += 1
        growing.grow(top)
        best = note(top)
    growing.restart(top, n_init)
    best, down = note(top), top
    while down > max(min_experts, 2) and down >= best:
        down -= 1
        growing.shrink(down)
        best = note(down)
    return [steps[n_experts] for n_experts in sorted(steps) if n_experts >= min_experts]


def one_by_one(score: Callable[[int], SelectionStep], *, min_experts: int, max_experts: int) -> list[SelectionStep]:
    """Try one number after the other until two more in a row have not made the criterion smaller.

    Parameters
    ----------
    score : callable
        From a number of experts to a :class:`SelectionStep`.
    min_experts, max_experts : int

    Returns
    -------
    list of SelectionStep

    Examples
    --------
    >>> bends = {1: 3.0, 2: 1.0, 3: 2.0, 4: 4.0, 5: 0.0}
    >>> path = one_by_one(lambda k: SelectionStep(k, bends[k], None, bends[k]), min_experts=1, max_experts=5)
    >>> [step.n_experts for step in path]
    [1, 2, 3, 4]
    """
    steps: list[SelectionStep] = []
    for n_experts in range(min_experts, max_experts + 1):
        steps.append(score(n_experts))
        best = min(steps, key=lambda step: step.criterion)
        if n_experts - best.n_experts >= _PATIENCE:
            break
    return steps
