"""From random starts to one optimum: many short climbs, a few long ones, and the winner polished on the whole table.

The climbs follow the marginal likelihood at once rather than through EM steps: its gradient is made of the same responsibilities, and
on generated mixtures (2,000 rows, 4 columns, 3 experts) a few EM steps before it cost more and found the best optimum no more often.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.solve import Solution, climb, maximise

#: Steps of a short climb. Ten rank the starts of generated mixtures as well as thirty do.
_SHORT = 10
#: The best of the short climbs go on: (how many, for how many steps more).
_ROUNDS = ((8, 20), (3, 150))
#: Standard deviation over the table of each predictor's first departure.
_DEPARTURE = 2.0


def best_of_starts(
    whole: LinearMixture,
    part: LinearMixture,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    rng: np.random.Generator,
    annealing: float = 1.0,
) -> Solution:
    """Find the best of ``n_init`` random starts.

    Parameters
    ----------
    whole : LinearMixture
        The problem.
    part : LinearMixture
        The same on fewer rows, on which starts are ranked; may be ``whole`` itself.
    n_init : int
        Random starts.
    max_iter : int
        Steps at most of the last climb.
    tol : float
        See :func:`~ensemblekit.mixture.linear.solve.maximise`.
    rng : numpy.random.Generator
    annealing : float, default=1.0
        Sharpness of the responsibilities in all climbs but the last two.

    Returns
    -------
    Solution
        On ``whole``; its values begin at the winner's start, or at the first step on all rows where starts were ranked on a part.

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 1.0, 0.0]])
    >>> problem = LinearMixture(make_design(X, np.ones(3)), Categorical(2), y, n_experts=2, alpha=0.1)
    >>> rng = np.random.default_rng(0)
    >>> best_of_starts(problem, problem, n_init=3, max_iter=100, tol=1e-4, rng=rng).converged
    True
    """
    if whole.n_experts == 1:
        return maximise(whole, np.zeros(whole.size), max_iter=max_iter, tol=tol)
    common, rough = one_expert_each(part), part.annealed(annealing)
    runs = [climb(rough, depart(part, common, rng), max_iter=_SHORT, tol=tol) for _ in range(n_init)]
    (n_second, steps), (n_third, further) = _ROUNDS
    runs = [_go_on(rough, solution, steps, tol) for solution in _best(runs, n_second)]
    if annealing < 1:
        runs = [Solution(run.theta, [part.value(run.theta)], converged=False) for run in runs]
    runs = [_go_on(part, solution, further, tol) for solution in _best(runs, n_third)]
    (winner,) = _best(runs, 1)
    final = maximise(whole, whole.parameters(part.coefficients(winner.theta)), max_iter=max_iter, tol=tol)
    return final._replace(values=winner.values + final.values[1:]) if part is whole else final


def _go_on(problem: LinearMixture, run: Solution, steps: int, tol: float) -> Solution:
    further = climb(problem, run.theta, max_iter=steps, tol=tol)
    return further._replace(values=run.values + further.values[1:])


def _best(runs: list[Solution], n_kept: int) -> list[Solution]:
    """Return the highest; the sort is stable, so that ties fall to the earlier start everywhere."""
    return sorted(runs, key=lambda solution: -solution.values[-1])[:n_kept]


def one_expert_each(problem: LinearMixture) -> Float:
    """Coefficients under which every expert is the plain regression on its own columns, and the gate is even.

    Parameters
    ----------
    problem : LinearMixture

    Returns
    -------
    ndarray of shape (n_features + 1, n_predictors)
    """
    W = np.zeros((problem.design.n_features + 1, problem.n_predictors))
    per_expert = problem.family.n_predictors
    solved: dict[tuple[int, ...], Float] = {}
    for k, columns in enumerate(problem.expert_columns):
        key = tuple(range(problem.design.n_features) if columns is None else columns)
        if key not in solved:
            alone = LinearMixture(
                problem.design,
                problem.family,
                problem.targets,
                n_experts=1,
                alpha=problem.alpha,
                expert_columns=[columns],
            )
            solution = maximise(alone, np.zeros(alone.size), max_iter=50, tol=1e-3)
            solved[key] = alone.coefficients(solution.theta)
        start = problem.n_experts - 1 + k * per_expert
        W[:, start : start + per_expert] = solved[key]
    return W


def depart(problem: LinearMixture, common: Float, rng: np.random.Generator) -> Float:
    """Add a random direction to every predictor that reads columns, scaled to the same spread over the table.

    Parameters
    ----------
    problem : LinearMixture
    common : ndarray of shape (n_features + 1, n_predictors)
        Coefficients to depart from.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (problem.size,)
        Parameters.
    """
    W = common.copy()
    share = problem.design.sample_weight / problem.total_weight
    for group in problem.groups:
        slopes = group.columns[:-1]
        if not slopes.size:
            continue
        Z = take_rows(problem.design.Z, slopes, axis=1)
        largest = abs(Z).max(axis=0).toarray().ravel() if sp.issparse(Z) else on_host(namespace(Z).max(abs(Z), axis=0))
        directions = rng.normal(size=(slopes.size, group.shape[1])) * (largest > 0)[:, None]
        moved = Z @ beside(directions, Z)
        moved = moved - share @ moved
        spread = np.sqrt(on_host(share @ (moved * moved)))
        W[slopes, group.positions] += directions * (_DEPARTURE / np.where(spread > 0, spread, 1.0))
    return problem.parameters(W)
