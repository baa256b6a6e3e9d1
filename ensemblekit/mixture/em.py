r"""Expectation-maximisation for any gate and any bank of experts.

The penalised log-likelihood is

.. math:: \sum_i w_i \log \sum_k g_k(x_i)\, p_k(y_i \mid x_i) - \text{penalty}.

The E-step gives each expert its responsibility for each row, :math:`r_{ik} \propto g_k(x_i)\, p_k(y_i \mid x_i)`; the M-step
refits gate and experts to them (Jordan and Jacobs, 1994, section 3). With M-steps that only climb, the penalised log-likelihood never falls
(Dempster, Laird and Rubin, 1977, theorem 1).

References
----------
M. I. Jordan and R. A. Jacobs (1994). Hierarchical mixtures of experts and the EM algorithm. Neural Computation 6(2), 181-214.
A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data via the EM algorithm. JRSS B 39(1), 1-38.
N. Ueda and R. Nakano (1998). Deterministic annealing EM algorithm. Neural Networks 11(2), 271-282.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import NamedTuple

import numpy as np

from ensemblekit.mixture.contracts import Data, ExpertBank, Float, Gate
from ensemblekit.mixture.linear.namespaces import namespace, on_host
from ensemblekit.mixture.linear.objective import logsumexp


class EMState(NamedTuple):
    """Where the loop stands.

    Parameters
    ----------
    gate : Gate
    experts : ExpertBank
    responsibilities : ndarray of shape (n_samples, n_experts)
        Those of this gate and these experts.
    lower_bound : float
        Penalised log-likelihood of this gate and these experts.
    """

    gate: Gate
    experts: ExpertBank
    responsibilities: Float
    lower_bound: float


class EMInfo(NamedTuple):
    """What one step did.

    Parameters
    ----------
    rise : float
        Change of the penalised log-likelihood.
    load : ndarray of shape (n_experts,)
        Weighted share of the rows that each expert is responsible for.
    """

    rise: float
    load: Float


class EMRun(NamedTuple):
    """A finished loop: the best state, every accepted lower bound, and whether the tolerance was met."""

    state: EMState
    lower_bounds: list[float]
    converged: bool
    fell: bool


def e_step(gate: Gate, experts: ExpertBank, data: Data, sharpness: float = 1.0) -> EMState:
    """Compute the responsibilities and the penalised log-likelihood of a gate and its experts for the rows that they were fitted to.

    Parameters
    ----------
    gate : Gate
    experts : ExpertBank
    data : Data
    sharpness : float, default=1.0
        Power of g_k p_k in the responsibilities; below one they are more even, and the likelihood becomes the free energy of deterministic
        annealing (Ueda and Nakano, 1998).

    Returns
    -------
    EMState
    """
    log_joint = gate.log_proba(data.X_gate) + experts.judge(data.X, data.y)
    log_likelihood, responsibilities = posterior(log_joint * sharpness)
    bound = float(data.sample_weight @ log_likelihood) / sharpness - gate.penalty() - experts.penalty()
    return EMState(gate, experts, responsibilities, bound)


def posterior(log_joint: Float) -> tuple[Float, Float]:
    """Split log g_k p_k into the log-likelihood of each row and the responsibilities.

    Parameters
    ----------
    log_joint : ndarray of shape (n_samples, n_experts)

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
    responsibilities : ndarray of shape (n_samples, n_experts)
        Rows sum to one; a row that no expert can explain is shared evenly.

    Examples
    --------
    >>> posterior(np.log([[0.1, 0.3]]))[1]
    array([[0.25, 0.75]])
    """
    xp = namespace(log_joint)
    log_likelihood = logsumexp(log_joint.T)
    possible = xp.isfinite(log_likelihood)
    responsibilities = xp.exp(log_joint - xp.where(possible, log_likelihood, xp.zeros_like(log_likelihood))[:, None])
    even = xp.full_like(responsibilities, 1.0 / log_joint.shape[1])
    return log_likelihood, xp.where(possible[:, None], responsibilities, even)


def em_step(state: EMState, data: Data, sharpness: float = 1.0) -> tuple[EMState, EMInfo]:
    """Refit gate and experts to the responsibilities, then take the responsibilities anew; ``state`` is left as it is.

    Parameters
    ----------
    state : EMState
    data : Data
    sharpness : float, default=1.0
        As in :func:`e_step`.

    Returns
    -------
    state : EMState
    info : EMInfo
    """
    gate = copy(state.gate).fit(data.X_gate, state.responsibilities, data.sample_weight)
    experts = copy(state.experts).fit(data.X, data.y, state.responsibilities, data.sample_weight)
    new = e_step(gate, experts, data, sharpness)
    load = on_host(data.sample_weight @ new.responsibilities)
    load = load / load.sum()
    return new, EMInfo(new.lower_bound - state.lower_bound, load)


def begin(gate: Gate, experts: ExpertBank, data: Data, responsibilities: Float) -> EMState:
    """First state: gate and experts fitted to given responsibilities.

    Parameters
    ----------
    gate, experts
        Not fitted, or fitted and then refined.
    data : Data
    responsibilities : ndarray of shape (n_samples, n_experts)

    Returns
    -------
    EMState
    """
    return em_step(EMState(gate, experts, responsibilities, -np.inf), data)[0]


def run(
    state: EMState,
    data: Data,
    *,
    max_iter: int,
    tol: float,
    sharpness: float = 1.0,
    report: Callable[[int, EMState, EMInfo], None] | None = None,
) -> EMRun:
    """Repeat :func:`em_step` until the rise of the mean log-likelihood is below ``tol``.

    Parameters
    ----------
    state : EMState
    data : Data
    max_iter : int
        Steps at most.
    tol : float
        Rise per unit of weight, natural logarithm, below which the loop stops.
    sharpness : float, default=1.0
        As in :func:`e_step`.
    report : callable, optional
        Called with (step, state, info) after each step.

    Returns
    -------
    EMRun
        The best state; where an inexact M-step made the bound fall, ``fell`` is True and the state before the fall is kept.
    """
    bounds = [state.lower_bound]
    total = float(namespace(data.sample_weight).sum(data.sample_weight))
    for step in range(1, max_iter + 1):
        new, info = em_step(state, data, sharpness)
        if report is not None:
            report(step, new, info)
        if info.rise < -max(tol * total, 1e-9 * abs(new.lower_bound)):  # more than the tolerance, and than rounding
            return EMRun(state, bounds, converged=False, fell=True)
        if info.rise > 0 or not np.isfinite(bounds[-1]):
            state = new
            bounds.append(new.lower_bound)
        if info.rise <= tol * total:
            return EMRun(state, bounds, converged=True, fell=False)
    return EMRun(state, bounds, converged=False, fell=False)
