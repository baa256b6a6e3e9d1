"""Maximise the penalised log-likelihood: L-BFGS towards the optimum, Newton onto it where its Hessian is cheap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.objective import LinearMixture

#: Multiply-adds of one Newton step up to which exact curvature pays: the Hessian, and solving with it as often as a trust region asks.
_NEWTON_WORK = 2e9
_FACTORISATIONS = 3
#: Gradient at which Newton takes over from L-BFGS in a mixture: near enough for the region to be concave.
_NEAR = 3e-3


class Solution(NamedTuple):
    """Where a maximisation ended.

    Parameters
    ----------
    theta : ndarray
        Parameters.
    values : list of float
        Mean penalised log-likelihood at the start and after every accepted step; never falls.
    converged : bool
        Whether the tolerance was met.
    """

    theta: Float
    values: list[float]
    converged: bool


def maximise(objective: LinearMixture, theta: Float, *, max_iter: int, tol: float) -> Solution:
    """Climb from ``theta`` until the gradient is below ``tol`` or ``max_iter`` steps are done.

    Parameters
    ----------
    objective : LinearMixture
    theta : ndarray of shape (objective.size,)
    max_iter : int
        Steps at most.
    tol : float
        Norm of the gradient of the mean log-likelihood, in preconditioned parameters, at which to stop. Curvature there is of order
        one, so that what is left to gain is of order ``tol ** 2`` a row; L-BFGS stops also when a step gains less than that. Where
        Newton ends the climb it goes on to a gradient of ``tol ** 2``, for one or two steps more.

    Returns
    -------
    Solution

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> objective = LinearMixture(make_design(X, np.ones(3)), Categorical(2), y, n_experts=1, alpha=1.0)
    >>> maximise(objective, np.zeros(objective.size), max_iter=50, tol=1e-4).converged
    True
    """
    if objective.size**2 * (objective.design.Z.shape[0] + _FACTORISATIONS * objective.size) > _NEWTON_WORK:
        return climb(objective, theta, max_iter=max_iter, tol=tol)
    if objective.n_experts == 1:  # concave: Newton from anywhere
        return _newton(objective, theta, max_iter=max_iter, tol=tol)
    near = climb(objective, theta, max_iter=max_iter, tol=max(tol, _NEAR))
    polished = _newton(objective, near.theta, max_iter=max_iter - len(near.values) + 1, tol=tol)
    return Solution(polished.theta, near.values + polished.values[1:], polished.converged)


def climb(objective: LinearMixture, theta: Float, *, max_iter: int, tol: float) -> Solution:
    """Climb by L-BFGS alone.

    Parameters
    ----------
    objective, theta, max_iter, tol
        As in :func:`maximise`.

    Returns
    -------
    Solution

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> objective = LinearMixture(make_design(X, np.ones(3)), Categorical(2), y, n_experts=2, alpha=1.0)
    >>> solution = climb(objective, np.linspace(-1, 1, objective.size), max_iter=5, tol=1e-4)
    >>> bool(np.all(np.diff(solution.values) >= 0))
    True
    """
    options = {
        "gtol": tol / np.sqrt(theta.size),
        "ftol": tol**2,
        "maxiter": max_iter,
        "maxfun": 2 * max_iter + 20,
        "maxcor": 10,
    }
    return _minimise(objective, theta, max_iter, method="L-BFGS-B", options=options)


def _newton(objective: LinearMixture, theta: Float, *, max_iter: int, tol: float) -> Solution:
    def hessian(at: Float) -> Float:
        return -objective.hessian(at)

    # Beyond the tolerance as far as rounding lets it: the last steps are quadratic, and free two fits of the same table from their paths.
    # Short steps, since the likelihood is flat in the parameters of an expert that answers for no row, and long ones would lose them.
    options = {"gtol": tol**2, "maxiter": max_iter, "initial_trust_radius": 1.0, "max_trust_radius": 4.0}
    solution = _minimise(objective, theta, max_iter, method="trust-exact", hess=hessian, options=options)
    return solution._replace(converged=bool(np.linalg.norm(objective.value_and_gradient(solution.theta)[1]) <= tol))


def _minimise(objective: LinearMixture, theta: Float, max_iter: int, **how: object) -> Solution:
    """Run scipy's minimiser on the negative objective and keep the best value at the end of every step."""
    if max_iter <= 0:
        return Solution(theta, [objective.value(theta)], converged=False)
    values: list[float] = []

    def loss(at: Float) -> tuple[float, Float]:
        value, gradient = objective.value_and_gradient(at)
        if not values:  # the start, which is asked for first
            values.append(value)
        return -value, -gradient

    def record(intermediate_result: OptimizeResult) -> None:
        values.append(max(values[-1], -float(intermediate_result.fun)))

    found = minimize(loss, theta, jac=True, callback=record, **how)
    values[-1] = max(values[-1], -float(found.fun))
    return Solution(found.x, values, converged=bool(found.success))
