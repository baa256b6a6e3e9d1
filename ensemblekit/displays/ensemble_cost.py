"""What an ensemble loses as it gets cheaper, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit._extras import require
from ensemblekit.ensembles.budget import CostStep

UNITS = {"node_visits": "node visits a row", "latency": "seconds a row", "size": "bytes"}


class EnsembleCostDisplay:
    """Held-out loss against cost, from all members down to single ones; the one in use is marked.

    Parameters
    ----------
    path : list of CostStep
        From `cost_path_` of a weighted ensemble.
    used : ndarray of shape (n_members,)
        Weights in use.
    unit : str
        Label of the cost.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    points_, front_, used_ : matplotlib artists
        All ensembles, those that no other one beats in both, and the one in use.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.ensembles import WeightedEnsembleClassifier
    >>> members = [(str(depth), DecisionTreeClassifier(max_depth=depth, random_state=0)) for depth in (1, 2, 3)]
    >>> ensemble = WeightedEnsembleClassifier(members, max_cost=5, random_state=0).fit(*load_iris(return_X_y=True))
    >>> EnsembleCostDisplay.from_estimator(ensemble).ax_.get_xlabel()
    'node visits a row'
    """

    def __init__(self, *, path: list[CostStep], used: Any, unit: str) -> None:
        self.path = path
        self.used = used
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> EnsembleCostDisplay:
        """Draw the path that a weighted ensemble took under a budget.

        Parameters
        ----------
        estimator : WeightedEnsembleClassifier or WeightedEnsembleRegressor
            Fitted with a `max_cost`; ``max_cost=numpy.inf`` notes the path and keeps all.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EnsembleCostDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the ensemble was fitted without a budget.
        """
        if not hasattr(estimator, "cost_path_"):
            raise ValueError("There is no cost path: fit the ensemble with a max_cost, such as max_cost=numpy.inf.")
        display = cls(path=estimator.cost_path_, used=estimator.weights_, unit=UNITS[estimator.cost])
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> EnsembleCostDisplay:
        """Draw all ensembles of the path, their front, and the one in use.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EnsembleCostDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots()
        costs = np.array([step.cost for step in self.path])
        losses = np.array([step.held_out_loss for step in self.path])
        by_cost = np.lexsort((losses, costs))
        best_so_far = np.minimum.accumulate(losses[by_cost])
        front = by_cost[losses[by_cost] < np.append(np.inf, best_so_far[:-1])]
        in_use = [np.array_equal(step.weights, self.used) for step in self.path]
        self.points_ = ax.scatter(costs, losses, color="0.7")
        (self.front_,) = ax.plot(costs[front], losses[front], marker="o", drawstyle="steps-post")
        self.used_ = ax.scatter(costs[in_use], losses[in_use], s=120, facecolors="none", edgecolors="black")
        ax.set(xlabel=self.unit, ylabel="held-out loss")
        self.ax_, self.figure_ = ax, ax.figure
        return self
