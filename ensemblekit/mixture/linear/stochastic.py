"""Stochastic gradient ascent on the penalised log-likelihood: for teaching, for tables that arrive in pieces, and for very long ones.

The gradient of a batch is the same sum of responsibilities as that of the whole table. Steps are taken in the preconditioned parameters
of the objective, where curvature is near one, so that one learning rate serves all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import Solution

#: Epochs without a new best value after which a run ends.
_PATIENCE = 5
#: Epochs after which the learning rate has halved.
_HALVING = 10.0


@dataclass
class Stepper:
    """Momentum of one ascent, from batch to batch.

    Parameters
    ----------
    method : {"sgd", "adam"}
        Plain gradient steps with momentum, or Adam (Kingma and Ba, 2015, algorithm 1).
    learning_rate : float
        Length of a step in preconditioned parameters.

    References
    ----------
    D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization. ICLR.

    Examples
    --------
    >>> Stepper("sgd", 0.5).step(np.ones(1))
    array([0.5])
    """

    method: str
    learning_rate: float
    first: Float = field(default_factory=lambda: np.zeros(0))
    second: Float = field(default_factory=lambda: np.zeros(0))
    n_steps: int = 0

    def step(self, gradient: Float) -> Float:
        """Return what to add to the parameters."""
        if self.n_steps == 0:
            self.first, self.second = np.zeros_like(gradient), np.zeros_like(gradient)
        self.n_steps += 1
        if self.method == "sgd":
            self.first = 0.9 * self.first + gradient
            return self.learning_rate * self.first
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * np.square(gradient)
        mean = self.first / (1 - 0.9**self.n_steps)
        square = self.second / (1 - 0.999**self.n_steps)
        return self.learning_rate * mean / (np.sqrt(square) + 1e-8)


def one_pass(problem: LinearMixture, theta: Float, stepper: Stepper, order: NDArray[np.intp], batch_size: int) -> Float:
    """Go through the rows once, batch by batch.

    Parameters
    ----------
    problem : LinearMixture
    theta : ndarray of shape (problem.size,)
    stepper : Stepper
    order : ndarray of int
        Rows in the order in which they are visited.
    batch_size : int

    Returns
    -------
    ndarray of shape (problem.size,)
        Parameters after the last batch.
    """
    for start in range(0, order.size, batch_size):
        _, gradient = problem.value_and_gradient(theta, order[start : start + batch_size])
        theta = theta + stepper.step(gradient)
    return theta


def ascend(
    problem: LinearMixture,
    theta: Float,
    stepper: Stepper,
    *,
    batch_size: int,
    max_iter: int,
    tol: float,
    rng: np.random.Generator,
) -> Solution:
    """Pass over the table until five passes bring no more than ``tol``; the best iterate is kept.

    Parameters
    ----------
    problem : LinearMixture
    theta : ndarray of shape (problem.size,)
    stepper : Stepper
        Its learning rate halves every ten passes.
    batch_size : int
    max_iter : int
        Passes at most.
    tol : float
        Rise of the mean penalised log-likelihood that counts as one.
    rng : numpy.random.Generator
        Shuffles the rows before each pass.

    Returns
    -------
    Solution
        Its values hold one entry for each pass that was better than all before.
    """
    best, values, idle = theta, [problem.value(theta)], 0
    rate = stepper.learning_rate
    for epoch in range(max_iter):
        stepper.learning_rate = rate * 0.5 ** (epoch / _HALVING)
        theta = one_pass(problem, theta, stepper, rng.permutation(problem.design.Z.shape[0]), batch_size)
        value = problem.value(theta)
        idle = 0 if value > values[-1] + tol else idle + 1
        if value > values[-1]:
            best = theta
            values.append(value)
        if idle == _PATIENCE:
            return Solution(best, values, converged=True)
    return Solution(best, values, converged=False)
