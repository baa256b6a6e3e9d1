"""Members dropped one after the other, so that the ensemble fits a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ensemblekit._budget import check_budget

Float = NDArray[np.float64]
Learner = Callable[[Float], Float]
Judge = Callable[[Float, Float], float]


class CostStep(NamedTuple):
    """One ensemble on the way from all members to one.

    Attributes
    ----------
    weights : ndarray of shape (n_members,), float64
        Of all members; zero for those that are not asked.
    cost : float
        Sum over the members that are asked, in the unit of the cost.
    held_out_loss : float
        Loss of the weighted mean on the held-out rows.

    Examples
    --------
    >>> CostStep(np.array([1.0, 0.0]), cost=12.0, held_out_loss=0.3).cost
    12.0
    """

    weights: Float
    cost: float
    held_out_loss: float


def cost_path(answers: Float, costs: Float, learn: Learner, judge: Judge) -> list[CostStep]:
    """Drop members one by one, each time the one that is missed least for what it costs.

    Weights are learned anew after each drop. The path starts with all members and ends with a single one; the other
    single members follow it, so that every budget that some member fits is met.

    Parameters
    ----------
    answers : ndarray of shape (n_members, n_held_out, ...), float64
        Held-out probabilities or predictions.
    costs : ndarray of shape (n_members,), float64
        Cost of asking each member.
    learn : callable
        From answers of some members to their weights.
    judge : callable
        From weights and answers of some members to a loss; smaller is better.

    Returns
    -------
    list of CostStep
        From all members to single ones.

    Examples
    --------
    >>> answers, costs = np.array([[0.9], [0.8]]), np.array([10.0, 1.0])
    >>> path = cost_path(answers, costs, lambda a: np.full(len(a), 1 / len(a)), lambda w, a: 1 - float(w @ a[:, 0]))
    >>> [(step.cost, round(step.held_out_loss, 2)) for step in path]
    [(11.0, 0.15), (10.0, 0.1), (1.0, 0.2)]
    """
    members = np.arange(len(answers))

    def step_with(asked: NDArray[np.intp]) -> CostStep:
        weights = np.zeros(len(members))
        weights[asked] = learn(answers[asked])
        return CostStep(weights, float(costs[weights > 0].sum()), judge(weights[asked], answers[asked]))

    asked = members
    path = [step_with(asked)]
    while len(asked) > 1:
        steps = [step_with(asked[asked != member]) for member in asked]
        missed = [
            (step.held_out_loss - path[-1].held_out_loss) / max(costs[member], np.finfo(float).tiny)
            for member, step in zip(asked, steps, strict=True)
        ]
        least = int(np.argmin(missed))
        asked = asked[asked != asked[least]]
        path.append(steps[least])
    return path + [step_with(members[[member]]) for member in members if member != asked[0]]


def best_within(path: list[CostStep], max_cost: float) -> CostStep:
    """Ensemble of the smallest loss that the budget allows.

    Parameters
    ----------
    path : list of CostStep
        From `cost_path`.
    max_cost : float
        Budget, in the unit of the cost. May be infinite.

    Returns
    -------
    CostStep
        One of the path; of equal losses the cheaper one.

    Raises
    ------
    ValueError
        If nothing is that cheap, and for NaN.
    TypeError
        For a budget that is no number.

    Examples
    --------
    >>> steps = [CostStep(np.ones(1), 5.0, 0.1), CostStep(np.ones(1), 2.0, 0.3)]
    >>> best_within(steps, max_cost=3).cost
    2.0
    """
    limit = check_budget(max_cost, "the budget for the sum of the asked members' costs")
    allowed = [step for step in path if step.cost <= limit]
    if not allowed:
        cheapest = min(step.cost for step in path)
        raise ValueError(f"max_cost={max_cost} allows no member: the cheapest costs {cheapest:.4g}.")
    return min(allowed, key=lambda step: (step.held_out_loss, step.cost))
