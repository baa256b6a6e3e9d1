"""Mixing chosen by held-out rows: how many experts should run for a row, and how their answers become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ensemblekit._budget import check_budget
from ensemblekit.mixture.combining import COMBINATIONS
from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.holding_out import simplest_within_one_error


@dataclass(frozen=True)
class MixingStep:
    """What one way to mix loses.

    Parameters
    ----------
    combination : {"linear", "product", "additive"}
    top_k : int or None
        Experts that run for a row; None where ``routing`` was given.
    loss : float
        Mean held-out loss: log-loss in nats, or squared error.
    standard_error : float
        Of that mean.

    Examples
    --------
    >>> MixingStep("linear", 2, 0.4, 0.01).top_k
    2
    """

    combination: str
    top_k: int | None
    loss: float
    standard_error: float


def candidates(n_experts: int, *, combination: str, any_k: bool) -> list[tuple[str, int | None]]:
    """List ways to mix, the simplest first: few experts before many, then linear, product, additive.

    Parameters
    ----------
    n_experts : int
    combination : str
        The only one, or "auto" for all.
    any_k : bool
        Whether any number of experts may run.

    Returns
    -------
    list of (str, int or None)

    Examples
    --------
    >>> candidates(2, combination="auto", any_k=True)
    [('linear', 1), ('linear', 2), ('product', 2), ('additive', 2)]
    """
    ways: Sequence[str] = COMBINATIONS if combination == "auto" else (combination,)
    if not any_k:
        return [(way, None) for way in ways]
    # one expert alone answers the same, however answers would be combined
    return [(way, k) for k in range(1, n_experts + 1) for way in (ways if k > 1 else ways[:1])]


def choose_mixing(steps: list[MixingStep]) -> MixingStep:
    """Choose the first within one standard error of the best.

    Parameters
    ----------
    steps : list of MixingStep
        In the order of :func:`candidates`.

    Returns
    -------
    MixingStep

    Examples
    --------
    >>> choose_mixing([MixingStep("linear", 1, 0.42, 0.03), MixingStep("linear", 2, 0.4, 0.03)]).top_k
    1
    """
    return steps[simplest_within_one_error([step.loss for step in steps], [step.standard_error for step in steps])]


@dataclass(frozen=True)
class RoutingStep:
    """What one routing costs and loses.

    Parameters
    ----------
    routing : {"soft", "top_k", "threshold"}
    top_k : int or None
    threshold : float or None
    cost : float
        Mean over the rows of the costs of the experts that run.
    loss : float
        Mean loss: log-loss in nats, or squared error.

    Examples
    --------
    >>> RoutingStep("top_k", 1, None, 1.0, 0.43).cost
    1.0
    """

    routing: str
    top_k: int | None
    threshold: float | None
    cost: float
    loss: float


@dataclass(frozen=True)
class RoutingPath:
    """All routings that were tried, and the one that was set.

    Parameters
    ----------
    steps : tuple of RoutingStep
        By rising cost.
    chosen : RoutingStep
        Of those within the budget the one with the smallest loss; among equals the cheaper one.
    max_cost : float
        The budget.

    Examples
    --------
    >>> step = RoutingStep("top_k", 1, None, 1.0, 0.43)
    >>> RoutingPath((step,), step, max_cost=1.5).chosen.routing
    'top_k'
    """

    steps: tuple[RoutingStep, ...]
    chosen: RoutingStep
    max_cost: float


#: Thresholds that are tried: these quantiles of the gate's probabilities, those of the rows' best experts left out.
_QUANTILES = np.arange(0.1, 0.95, 0.1)


def routings(proba: Float) -> list[tuple[str, int | None, float | None]]:
    """List routings to try: every top-k, and thresholds that leave out a tenth more of the work each.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_experts)
        Gate probabilities.

    Returns
    -------
    list of (routing, top_k, threshold)

    Examples
    --------
    >>> [kind for kind, _, _ in routings(np.array([[0.7, 0.3], [0.6, 0.4]]))][:3]
    ['top_k', 'soft', 'threshold']
    """
    n_experts = proba.shape[1]
    kept: list[tuple[str, int | None, float | None]] = [("top_k", k, None) for k in range(1, n_experts)]
    kept.append(("soft", None, None))
    rest = np.sort(proba, axis=1)[:, :-1]
    limits: Any = np.unique(np.quantile(rest, _QUANTILES)) if rest.size else []
    return kept + [("threshold", None, float(limit)) for limit in limits if limit > 0]


def within_budget(steps: list[RoutingStep], max_cost: float) -> RoutingPath:
    """Choose the routing of the smallest loss that a budget allows.

    Parameters
    ----------
    steps : list of RoutingStep
    max_cost : float

    Returns
    -------
    RoutingPath

    Raises
    ------
    ValueError
        When the budget allows none, or is NaN.
    TypeError
        When it is no number.

    Examples
    --------
    >>> cheap, dear = RoutingStep("top_k", 1, None, 1.0, 0.5), RoutingStep("soft", None, None, 3.0, 0.4)
    >>> within_budget([dear, cheap], max_cost=2.0).chosen.top_k
    1
    """
    limit = check_budget(max_cost, "the mean cost of the experts that run for a row")
    ordered = tuple(sorted(steps, key=lambda step: (step.cost, step.loss)))
    allowed = [step for step in ordered if step.cost <= limit]
    if not allowed:
        raise ValueError(f"max_cost={max_cost} allows no routing: the cheapest costs {ordered[0].cost:.4g} a row.")
    return RoutingPath(ordered, min(allowed, key=lambda step: (step.loss, step.cost)), max_cost)
