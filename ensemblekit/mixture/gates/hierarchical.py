"""The gate of a hierarchical mixture of experts: a tree of softmax gates over the experts as its leaves."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from math import prod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.linear.design import make_design


class HierarchicalGate(BaseEstimator):
    """Nested softmax gates (Jordan and Jacobs, 1994): a leaf's probability is the product along its path.

    Every inner node is fitted on its own, with the responsibilities of its subtree as weights and those of its children as targets.

    Parameters
    ----------
    branching : tuple of int, default=(2, 2)
        Children of a node at each level from the root; the experts are the ``prod(branching)`` leaves, the last level running fastest.
    alpha : float or None, default=None
        L2 penalty on the coefficients of every node; None for the mixture's own ``alpha``.

    Attributes
    ----------
    nodes_ : list of list of SoftmaxGate
        Gates of each level, from the root.

    References
    ----------
    M. I. Jordan and R. A. Jacobs (1994). Hierarchical mixtures of experts and the EM algorithm. Neural Computation 6(2), 181-214.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(4.0)[:, None]
    >>> gate = HierarchicalGate(branching=(2, 2), alpha=0.01).fit(X, np.eye(4), np.ones(4))
    >>> np.exp(gate.log_proba(X)).argmax(axis=1)
    array([0, 1, 2, 3])
    """

    def __init__(self, branching: tuple[int, ...] = (2, 2), *, alpha: float | None = None) -> None:
        self.branching = branching
        self.alpha = alpha

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Fit every node to the responsibilities of its children.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Where the leaves are not as many as the experts.
        """
        n_experts = responsibilities.shape[1]
        if any(width < 1 for width in self.branching) or prod(self.branching) != n_experts:
            raise ValueError(
                f"HierarchicalGate(branching={self.branching}) has {prod(self.branching)} leaves, and the mixture n_experts={n_experts}; "
                "they must be equal."
            )
        design = make_design(X, sample_weight)
        before = getattr(self, "nodes_", None)
        self.nodes_: list[list[SoftmaxGate]] = []
        for level, (n_nodes, width) in enumerate(self._levels()):
            children = responsibilities.reshape(len(sample_weight), n_nodes, width, -1).sum(axis=3)
            self.nodes_.append([])
            for node in range(n_nodes):
                gate = copy(before[level][node]) if before else SoftmaxGate(alpha=self.alpha)
                mass = children[:, node].sum(axis=1)
                shares = children[:, node] / np.maximum(mass, np.finfo(float).tiny)[:, None]
                shares[mass <= 0] = 1.0 / width
                self.nodes_[level].append(gate.fit(design.reweighted(sample_weight * mass), shares, sample_weight * mass))
        return self

    def _levels(self) -> Iterator[tuple[int, int]]:
        n_nodes = 1
        for width in self.branching:
            yield n_nodes, width
            n_nodes *= width

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the leaves' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        paths = np.zeros((X.shape[0], 1))
        for level in self.nodes_:
            paths = np.hstack([paths[:, [node]] + gate.log_proba(X) for node, gate in enumerate(level)])
        return paths

    def penalty(self) -> float:
        """Return the sum of the nodes' penalties."""
        return sum(gate.penalty() for level in self.nodes_ for gate in level)
