"""What stays takes over from what went: leaves of cut trees fitted anew to what their expert said before.

A branch that goes leaves a mean in its place. Where many go, experts say less than they did: margins of boosters shrink, and answers lose
their edge. The leaves that are left can carry most of it: all leaves of an expert together are a linear model whose columns say which leaf
a row reaches, and ridge regression towards the expert's own old margins moves them as little as needed (Ren, Cao, Wei and Sun, 2015).
Labels take no part, so that nothing is learnt by heart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsmr

from ensemblekit.compression.combined import Asked, Floats, ask, leaf_sums
from ensemblekit.packed import PackedModel, reference
from ensemblekit.packed.experts import Expert, TreeExpert
from ensemblekit.packed.taking_apart import experts_of
from ensemblekit.trees.flat import TreeEnsemble, freeze
from ensemblekit.trees.walk import leaf_nodes

#: A leaf moves as if so many rows of average weight, beside those that reach it, wanted it where it is.
ROWS_THAT_HOLD = 9.0
#: Steps of the solver: leaves of boosters are far from collinear, and what further steps gain is below what pruning may lose.
STEPS = 30
#: Rows that an expert is sure of count little, but they count.
LEAST_CURVATURE = 1e-3


class Wanted(NamedTuple):
    """What an expert said to some rows, and how much each row counts.

    Attributes
    ----------
    margins : ndarray of float64, shape (n, C)
        Before the link.
    weights : ndarray of float64, shape (n, C)
        The gate's weight times the curvature of the loss in that margin.

    Examples
    --------
    >>> Wanted(np.zeros((2, 1)), np.ones((2, 1))).margins.shape
    (2, 1)
    """

    margins: Floats
    weights: Floats


def wanted_of(model: PackedModel, rows: npt.NDArray[np.float32]) -> list[Wanted | None]:
    """Ask all experts whose leaves can be fitted.

    Parameters
    ----------
    model : PackedModel
        Before anything goes.
    rows : ndarray of float32, shape (n, d)
        Rows; no labels are needed.

    Returns
    -------
    list of Wanted or None
        One for each expert; None for linear ones and for forests of classes.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.packed import pack
    >>> model = pack(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0]))
    >>> wanted_of(model, np.array([[0.0], [1.0]], np.float32))[0].margins
    array([[3.],
           [5.]])
    """
    gate = reference.gate_proba(model, rows)
    found: list[Wanted | None] = []
    for k, expert in enumerate(experts_of(model)):
        if not isinstance(expert, TreeExpert) or expert.trees.outputs[0] < 0:
            found.append(None)
            continue
        asked = ask(expert, rows)
        found.append(Wanted(asked.margins, gate[:, [k]] * _curvature(expert, asked)))
    return found


def _curvature(expert: TreeExpert, asked: Asked) -> Floats:
    if expert.trees.link == "identity":
        return np.ones_like(asked.answers)
    return np.asarray(np.maximum(asked.answers * (1 - asked.answers), LEAST_CURVATURE))


def restored(expert: Expert, rows: npt.NDArray[np.float32], wanted: Wanted | None) -> Expert:
    """Fit the leaves of an expert to what it said before.

    Parameters
    ----------
    expert : LinearExpert or TreeExpert
        After branches went; a linear one is given back as it is.
    rows : ndarray of float32, shape (n, d)
        Those of `wanted`.
    wanted : Wanted or None
        From `wanted_of`, before they went.

    Returns
    -------
    LinearExpert or TreeExpert
        With the same trees and other leaves; a forest of classes is given back as it is, too: its leaves must hold shares, and on generated
        tables they came hardly any nearer.

    References
    ----------
    S. Ren, X. Cao, Y. Wei, J. Sun (2015). Global refinement of random forest. CVPR.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.packed import pack
    >>> rows = np.repeat(np.array([[0.0], [1.0]], np.float32), 5000, axis=0)
    >>> tree = DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0])
    >>> (expert,) = experts_of(pack(tree))
    >>> restored(expert, rows, Wanted(rows * 2.0, np.ones((10000, 1)))).trees.leaf_values.ravel().round(1) + 4.0
    array([0., 2.])
    """
    if wanted is None or not isinstance(expert, TreeExpert):
        return expert
    trees = expert.trees
    leaves = leaf_nodes(trees, rows)
    short = wanted.margins - (trees.scale * leaf_sums(trees, leaves) + trees.base)
    values = trees.leaf_values.copy()
    for c in np.unique(trees.outputs):
        of_output = leaves[:, trees.outputs == c]
        values[:, 0] += _moves(trees, of_output, short[:, c], wanted.weights[:, c])
    moved = replace(trees, leaf_values=values)
    freeze(vars(moved))
    return expert._replace(trees=moved)


def _moves(trees: TreeEnsemble, leaves: npt.NDArray[np.int32], short: Floats, weights: Floats) -> Floats:
    """Say by how much each leaf moves, so that rows miss less of what their margins are short of."""
    counting = np.flatnonzero(weights > 0)
    if not len(counting):
        return np.zeros(len(trees.leaf_values))
    root = np.sqrt(weights[counting] / weights[counting].mean())
    reached = trees.leaf[leaves[counting]]
    begin = np.arange(len(counting) + 1) * reached.shape[1]
    of_leaves = csr_array((np.repeat(root, reached.shape[1]), reached.ravel(), begin), shape=(len(counting), len(trees.leaf_values)))
    return np.asarray(lsmr(of_leaves, root * short[counting] / trees.scale, damp=np.sqrt(ROWS_THAT_HOLD), maxiter=STEPS)[0])
