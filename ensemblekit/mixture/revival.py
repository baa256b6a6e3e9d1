"""Experts that answer for no row, and how such a one begins anew: with the rows that the busiest expert explains worst.

That is for mixtures fitted by EM, whose starts are few. A linear mixture has many: of 15 that ended with idle experts in spite of 20
starts, one gained by revival, which cost as much as the fit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.contracts import Data, Float
from ensemblekit.mixture.em import EMState, begin, run
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host

#: An expert that answers for less than this many rows is idle.
IDLE = 0.01
#: EM steps after which an attempt that has gained nothing is given up, or fewer where the fit itself may take no more.
_ATTEMPT = 50


def idle_experts(responsibilities: Float, sample_weight: Float) -> NDArray[np.intp]:
    """Return the indices of the experts that answer for less than a hundredth of an average row.

    Parameters
    ----------
    responsibilities : array of shape (n_samples, n_experts)
    sample_weight : array of shape (n_samples,)

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> idle_experts(np.array([[1.0, 0.0], [0.999, 0.001]]), np.ones(2))
    array([1])
    """
    weight = on_host(sample_weight)
    return np.flatnonzero(on_host(sample_weight @ responsibilities) < IDLE * weight.mean())


class Revival(NamedTuple):
    """What the attempts came to.

    Parameters
    ----------
    state : EMState
    converged : bool
        Whether the last run that was kept met its tolerance; True where none was kept.
    """

    state: EMState
    converged: bool


def revive(state: EMState, data: Data, *, max_iter: int, tol: float, alike: bool = True) -> Revival:
    """Let each idle expert begin anew, one after the other, and keep what raises the penalised log-likelihood.

    Parameters
    ----------
    state : EMState
        Of a finished run.
    data : Data
    max_iter : int
        EM steps at most, of an attempt and again once it has gained.
    tol : float
        Rise per unit of weight that makes an attempt worth keeping.
    alike : bool, default=True
        Whether all experts are of one kind: where one cannot be revived, no other can.

    Returns
    -------
    Revival
        With ``state`` itself where no attempt was worth it: then so many experts are not needed.
    """
    converged = True
    total = float(namespace(data.sample_weight).sum(data.sample_weight))
    for k in idle_experts(state.responsibilities, data.sample_weight):
        start = begin(state.gate, state.experts, data, _shared_out(state, data, int(k)))
        found = run(start, data, max_iter=min(_ATTEMPT, max_iter), tol=tol).state
        if found.lower_bound > state.lower_bound + tol * total:
            ended = run(found, data, max_iter=max_iter, tol=tol)
            state, converged = ended.state, ended.converged or ended.fell
        elif alike:
            break
    return Revival(state, converged)


def _shared_out(state: EMState, data: Data, idle: int) -> Float:
    """Responsibilities under which an idle expert takes the worse half of the busiest one's rows."""
    shares = on_host(state.responsibilities).copy()
    weight = on_host(data.sample_weight)
    busiest = int(np.argmax(weight @ shares))
    rows = np.flatnonzero(shares.argmax(axis=1) == busiest)
    if not rows.size:  # the busiest leads nowhere: it has a part of every row
        rows = np.arange(len(shares))
    fit = on_host(state.experts.judge(data.X, data.y))[rows, busiest]
    order = np.argsort(fit, kind="stable")
    so_far = np.cumsum(weight[rows][order])
    # equal rows go together, so that a row of weight two is treated as two rows
    limit = fit[order][np.searchsorted(so_far, so_far[-1] / 2)]
    worse = rows[fit <= limit]
    shares[worse, idle] += shares[worse, busiest]
    shares[worse, busiest] = 0.0
    moved: Float = beside(shares, data.sample_weight)
    return moved
