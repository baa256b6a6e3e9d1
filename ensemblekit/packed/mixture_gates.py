"""Gates of a mixture: each kind is packed by its own registered function, on the columns that it reads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import on_columns, pack_expert
from ensemblekit.packed.gates import PackedGate, constant_gate, linear_gate, spread_columns
from ensemblekit.trees.registry import Registry

Columns = list[int] | None
gate_packers: Registry[Callable[[Any, Columns, int], PackedGate]] = Registry("Packing a gate")


@gate_packers.register("ensemblekit.SoftmaxGate")
def pack_softmax_gate(gate: Any, columns: Columns, n_features: int) -> PackedGate:
    """Stack the gate's coefficients over its intercepts.

    Parameters
    ----------
    gate : fitted SoftmaxGate
        With ``coef_`` (K, number of columns that it reads) and ``intercept_`` (K,).
    columns : list of int, or None
        Columns that it reads; None for all.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    PackedGate
        With a table of shape (d + 1, K).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pack_softmax_gate(SimpleNamespace(coef_=np.ones((2, 1)), intercept_=np.zeros(2)), [2], 3).table[:, 0]
    array([0., 0., 1., 0.])
    """
    return linear_gate(_logits(gate, columns, n_features), n_features=n_features)


def _logits(gate: Any, columns: Columns, n_features: int) -> npt.NDArray[np.float64]:
    return spread_columns(np.vstack([np.asarray(gate.coef_, np.float64).T, gate.intercept_]), columns, n_features)


@gate_packers.register("ensemblekit.ConstantGate")
def pack_constant_gate(gate: Any, columns: Columns, n_features: int) -> PackedGate:  # noqa: ARG001  # it reads no column
    """Take the proportions' logarithms.

    Parameters
    ----------
    gate : fitted ConstantGate
        With ``intercept_`` (K,).
    columns, n_features
        As in `pack_softmax_gate`.

    Returns
    -------
    PackedGate
        With a table of one row.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pack_constant_gate(SimpleNamespace(intercept_=np.log([0.25, 0.75])), None, 3).table.shape
    (1, 2)
    """
    return linear_gate(np.array(gate.intercept_, np.float64)[None], n_features=n_features)


@gate_packers.register("ensemblekit.GaussianGate")
def pack_gaussian_gate(gate: Any, columns: Columns, n_features: int) -> PackedGate:
    """Take centres and whitening matrices; what does not depend on the row becomes the intercept.

    Parameters
    ----------
    gate : fitted GaussianGate
        Of any covariance type.
    columns, n_features
        As in `pack_softmax_gate`.

    Returns
    -------
    PackedGate
        With whitening matrices for "full" and "tied", diagonals for "diag" and "spherical".

    Examples
    --------
    >>> from ensemblekit.mixture.gates.gaussian import GaussianGate
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> gate = GaussianGate("diag").fit(X, np.repeat(np.eye(2), 2, axis=0), np.ones(4))
    >>> pack_gaussian_gate(gate, None, 1).factor.shape
    (2, 1, 1)
    """
    own = gate.means_.shape[1]
    places = np.arange(own) if columns is None else np.asarray(columns)
    factors = _whitening(gate)
    mean, factor = np.zeros((len(factors), n_features)), np.zeros((len(factors), 1 if factors.shape[1] == 1 else n_features, n_features))
    mean[:, places] = gate.means_ * gate.unit_
    if factors.shape[1] == 1:
        factor[:, :, places] = factors / gate.unit_
    else:
        factor[np.ix_(np.arange(len(factors)), places, places)] = factors / gate.unit_
    # the density's normaliser: the determinant of a triangular matrix is the product of its diagonal
    diagonal = factors[:, 0] if factors.shape[1] == 1 else np.diagonal(factors, axis1=1, axis2=2)
    with np.errstate(divide="ignore"):
        constant = np.log(gate.weights_) + np.log(diagonal).sum(axis=1)
    return linear_gate(constant[None], n_features=n_features)._replace(mean=mean, factor=factor)


def _whitening(gate: Any) -> npt.NDArray[np.float64]:
    """Cholesky factors of the precisions, (K, own, own), or their diagonals, (K, 1, own)."""
    factor, (n_experts, own) = np.asarray(gate.precisions_cholesky_, np.float64), gate.means_.shape
    if gate.covariance_type == "tied":
        return np.broadcast_to(factor, (n_experts, own, own))
    if gate.covariance_type == "full":
        return factor
    return np.broadcast_to(factor.reshape(n_experts, -1), (n_experts, own))[:, None]


@gate_packers.register("ensemblekit.HierarchicalGate")
def pack_hierarchical_gate(gate: Any, columns: Columns, n_features: int) -> PackedGate:
    """Lay the logits of all nodes side by side, and note each expert's way through them.

    Parameters
    ----------
    gate : fitted HierarchicalGate
        Of any branching.
    columns, n_features
        As in `pack_softmax_gate`.

    Returns
    -------
    PackedGate
        With as many logits as the tree of gates has branches.

    Examples
    --------
    >>> from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
    >>> gate = HierarchicalGate((2, 2), alpha=1.0).fit(np.arange(4.0)[:, None], np.eye(4), np.ones(4))
    >>> pack_hierarchical_gate(gate, None, 1).path
    array([[0, 2],
           [0, 3],
           [1, 4],
           [1, 5]], dtype=int32)
    """
    nodes = [node for level in gate.nodes_ for node in level]
    table = np.hstack([_logits(node, columns, n_features) for node in nodes])
    widths = [len(node.intercept_) for node in nodes]
    per_level = [len(level) * width for level, width in zip(gate.nodes_, gate.branching, strict=True)]
    n_experts, first = per_level[-1], [0, *accumulate(per_level)]
    expert = np.arange(n_experts)
    path = np.stack([first[level] + expert * count // n_experts for level, count in enumerate(per_level)], axis=1)
    flat = linear_gate(table, n_features=n_features)
    return flat._replace(
        node=np.repeat(np.arange(len(nodes)), widths).astype(np.int32), path=path.astype(np.int32), offset=np.zeros(n_experts)
    )


@gate_packers.register("ensemblekit.ClassifierGate")
def pack_classifier_gate(gate: Any, columns: Columns, n_features: int) -> PackedGate:
    """Pack the classifier as a model whose classes are the experts.

    Parameters
    ----------
    gate : fitted ClassifierGate
        Of a classifier that `ensemblekit.packed.experts.pack_expert` knows: trees or a logistic regression.
    columns, n_features
        As in `pack_softmax_gate`.

    Returns
    -------
    PackedGate
        With a model, where there are several experts.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.mixture.gates.classifier import ClassifierGate
    >>> gate = ClassifierGate(DecisionTreeClassifier()).fit(np.array([[0.0], [1.0]]), np.eye(2), np.ones(2))
    >>> pack_classifier_gate(gate, None, 1).model.n_trees
    1
    """
    experts = np.arange(gate.n_experts_)
    always = linear_gate(np.zeros((1, gate.n_experts_)), n_features=n_features)
    if gate.n_experts_ == 1:
        return always
    model = assemble(
        constant_gate([1.0]),
        [on_columns(pack_expert(gate.estimator_, experts), columns, n_features)],
        kind=type(gate.estimator_).__name__,
        classes=experts,
        n_features=n_features,
    )
    return always._replace(model=model)
