"""What "auto" stands for, settled on the table that is fitted: the number of experts, and how their answers are mixed.

The criteria are in :mod:`~ensemblekit.mixture.selection`, the ways to mix in :mod:`~ensemblekit.mixture.mixing`. Here a mixture is
fitted as often as they ask for it: gates and experts that are linear grow from one number to the next, others are fitted anew for each,
and what held-out rows are to judge is fitted without them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ensemblekit._budget import prices
from ensemblekit.mixture import mixing
from ensemblekit.mixture.contracts import Data, Float
from ensemblekit.mixture.em import posterior
from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
from ensemblekit.mixture.holding_out import folds, mean_and_error, part_of
from ensemblekit.mixture.linear.growing import Growing
from ensemblekit.mixture.linear.kinds import LinearBank, LinearGate
from ensemblekit.mixture.linear.namespaces import on_host
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import Solution
from ensemblekit.mixture.selection import SelectionStep, along_the_way, chosen, held_out, information, n_free, one_by_one, scored
from ensemblekit.mixture.start import thin

if TYPE_CHECKING:
    from ensemblekit.mixture.base import BaseMixture

_Mixture = TypeVar("_Mixture", bound="BaseMixture")


class Mixing(NamedTuple):
    """What was chosen; the routing is None where it was given."""

    routing: Any
    top_k: int | None
    combination: str


# ---- the number of experts -----------------------------------------------------------------------------------------------------


def choose_n_experts(mixture: BaseMixture, data: Data) -> bool:
    """Settle ``n_experts_`` with ``selection_path_`` and ``selection_``; tell whether gate and experts of so many are fitted already.

    Parameters
    ----------
    mixture : BaseMixture
    data : Data

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        For a range that is empty, parts with a number of their own, and criteria that count parameters which cannot be counted.
    """
    if mixture.min_experts > mixture.max_experts:
        raise ValueError(f"min_experts={mixture.min_experts} is larger than max_experts={mixture.max_experts}.")
    own_number = isinstance(mixture.experts, (list, tuple)), isinstance(mixture.gate, HierarchicalGate)
    if any(own_number):
        raise ValueError("A list of experts and a HierarchicalGate have a number of their own: give it as n_experts, not 'auto'.")
    mixture.n_experts_ = 1
    gate, experts = mixture._make_gate(), mixture._make_experts()
    if isinstance(gate, LinearGate) and isinstance(experts, LinearBank):
        _grow_and_choose(mixture, data, gate, experts)
        return True
    if mixture.selection != "cv":
        raise ValueError(
            f"selection={mixture.selection!r} counts parameters, which is possible for softmax or constant gates with logistic or linear "
            "experts. Use selection='cv' for others."
        )
    path = one_by_one(partial(_held_out_score, mixture, data), min_experts=mixture.min_experts, max_experts=mixture.max_experts)
    mixture.selection_path_, mixture.selection_, mixture.n_experts_ = path, mixture.selection, chosen(path)
    return False


def _grow_and_choose(mixture: BaseMixture, data: Data, gate: LinearGate, experts: LinearBank) -> None:
    """Linear gate and experts: one optimum for every number, each begun from its neighbour."""
    one, rows = mixture._problem(data, gate, experts), thin(data.X, data.y)
    few = one if rows is None else mixture._problem(part_of(data, rows), gate, experts)

    def sized(problem: LinearMixture) -> Callable[[int], LinearMixture]:
        return cache(lambda n_experts: mixture._placed(problem.resized(n_experts, problem.design, problem.targets)))

    whole = sized(one)
    growing = Growing(whole, whole if rows is None else sized(few), np.random.default_rng(mixture._seed))
    unit = experts.log_unit
    n_init = mixture._n_starts("restart")
    if mixture.selection == "cv":
        judge = held_out(whole, list(folds(data.X, data.y)), unit, few=rows, n_init=n_init, seed=mixture._seed)
    else:
        _check_weights_as_rows(mixture.selection, one)
        judge = information(mixture.selection, unit)
    path = along_the_way(growing, judge, min_experts=mixture.min_experts, max_experts=mixture.max_experts, n_init=n_init)
    mixture.selection_path_, mixture.selection_, mixture.n_experts_ = path, mixture.selection, chosen(path)
    best = whole(mixture.n_experts_)
    theta = best.parameters(growing.optima[mixture.n_experts_])
    mixture._take_over(best, Solution(theta, [best.value(theta)], converged=True), gate, experts)


def _check_weights_as_rows(selection: str, alone: LinearMixture) -> None:
    """BIC and ICL read the sum of the weights as the number of rows."""
    if alone.total_weight < min(free := n_free(alone), alone.design.sample_weight.shape[0]):
        warnings.warn(
            f"selection={selection!r} counts rows by their weights. These sum to {alone.total_weight:.3g}, and one expert has "
            f"{free} parameters: the criterion hardly asks for few experts. Scale sample_weight to sum to the number of rows, or use "
            "selection='cv'.",
            UserWarning,
            stacklevel=6,
        )


def _held_out_score(mixture: BaseMixture, data: Data, n_experts: int) -> SelectionStep:
    """Fit so many experts without some rows, and judge them by these."""
    losses, weights = [], []
    for kept, out in folds(data.X, data.y):
        trial, rows = _refitted(mixture, part_of(data, kept), n_experts), part_of(data, out)
        losses.append(-posterior(trial.gate_.log_proba(rows.X_gate) + trial.experts_.log_likelihood(rows.X, rows.y))[0])
        weights.append(rows.sample_weight)
    return scored(n_experts, np.concatenate(losses), np.concatenate(weights))


def _refitted(mixture: _Mixture, data: Data, n_experts: int) -> _Mixture:
    """Return a copy that is fitted to other rows, from the start: the present optimum knows the rows that are to be held out."""
    trial = copy(mixture)
    trial.n_experts_, trial.verbose = n_experts, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of a fit that no one keeps; the one that is kept warns for itself
        trial._fit_parts(data, again=False)
    return trial


# ---- how answers are mixed -----------------------------------------------------------------------------------------------------


def choose_mixing(mixture: BaseMixture, data: Data) -> tuple[Mixing, list[mixing.MixingStep]]:
    """Choose what is "auto" of routing and combination by held-out rows.

    Parameters
    ----------
    mixture : BaseMixture
        Fitted.
    data : Data
        What it was fitted to.

    Returns
    -------
    Mixing
        The choice.
    list of MixingStep
        What was tried.
    """
    ways = mixing.candidates(mixture.n_experts_, combination=mixture.combination, any_k=mixture.routing == "auto")
    losses: list[list[Float]] = [[] for _ in ways]
    weights = []
    for kept, out in folds(data.X, data.y) if len(ways) > 1 else []:
        trial, rows = _refitted(mixture, part_of(data, kept), mixture.n_experts_), part_of(data, out)
        weights.append(on_host(rows.sample_weight))
        for place, (combination, top_k) in enumerate(ways):
            trial.combination = combination
            if top_k is not None:
                trial.routing, trial.top_k = "top_k", top_k
            losses[place].append(trial._row_losses(rows.X, rows.y))
    weight = np.concatenate(weights) if weights else np.ones(1)
    told = [mean_and_error(np.concatenate(each), weight) if weights else (0.0, 0.0) for each in losses]
    path = [mixing.MixingStep(*way, *loss) for way, loss in zip(ways, told, strict=True)]
    best = mixing.choose_mixing(path)
    routing = None if best.top_k is None else "soft" if best.top_k == mixture.n_experts_ else "top_k"
    return Mixing(routing, best.top_k, best.combination), path


def routing_path(
    mixture: BaseMixture, X: Any, targets: NDArray[Any], sample_weight: Float, *, max_cost: float, costs: Any
) -> mixing.RoutingPath:
    """Try every top-k and a range of thresholds on rows that were not fitted.

    Parameters
    ----------
    mixture : BaseMixture
        Fitted; it is left as it is.
    X, targets
        Rows and answers, checked.
    sample_weight : ndarray of shape (n_samples,)
    max_cost : float
        Budget.
    costs : array-like of shape (n_experts,) or None
        Ones when None.

    Returns
    -------
    RoutingPath

    Raises
    ------
    ValueError
        When the budget allows no routing, or costs are negative or not one for each expert.
    TypeError
        When the budget is no number.
    """
    price = prices(mixture.n_experts_, np.ones(mixture.n_experts_) if costs is None else costs)
    steps, trial = [], copy(mixture)
    for routing, top_k, limit in mixing.routings(on_host(mixture._gate_proba(X))):
        trial.routing, trial.top_k, trial.threshold = routing, top_k, mixture.threshold if limit is None else limit
        cost = float(sample_weight @ ((on_host(trial._shares(X)) > 0) @ price) / sample_weight.sum())
        loss = mean_and_error(trial._row_losses(X, targets), sample_weight)[0]
        steps.append(mixing.RoutingStep(routing, top_k, limit, cost, loss))
    return mixing.within_budget(steps, max_cost)
