"""A packed model back as the parts that it was assembled from, so that a part can be changed and the model put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.assembling import assemble
from ensemblekit.packed.experts import Expert, LinearExpert, TreeExpert
from ensemblekit.packed.gates import PackedGate
from ensemblekit.packed.model import IDENTITY, ONE_VS_ALL, SOFTMAX
from ensemblekit.packed.onnx_trees import plain_tree
from ensemblekit.packed.reference import trees_of
from ensemblekit.trees.flat import Link, Tree, TreeEnsemble, flatten

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

LINK_NAMES: dict[int, Link] = {IDENTITY: "identity", SOFTMAX: "softmax", ONE_VS_ALL: "one-vs-all"}


def experts_of(model: PackedModel) -> list[Expert]:
    """Take the experts out.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    list of LinearExpert and TreeExpert
        K experts, over all of the model's classes.

    Raises
    ------
    ValueError
        For categorical splits.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> (expert,) = experts_of(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
    >>> expert.trees.leaf_values
    array([[1., 0.],
           [0., 1.]])
    """
    return [_linear(model, k) if model.linear_slot[k] >= 0 else _trees(model, k) for k in range(model.n_experts)]


def gate_of(model: PackedModel) -> PackedGate:
    """Take the gate out.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    PackedGate
        The same arrays.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> gate_of(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))).path
    array([[0]], dtype=int32)
    """
    return PackedGate(model.gate, model.gate_node, model.gate_path, model.gate_mean, model.gate_factor, model.gate_offset, model.gate_model)


def put_together(
    model: PackedModel, gate: PackedGate, experts: Sequence[Expert], *, precision: npt.NDArray[np.float64] | None = None
) -> PackedModel:
    """Assemble changed parts under the model's header.

    Parameters
    ----------
    model : PackedModel
        Where kind, classes, routing and combination come from.
    gate : PackedGate
        For as many experts.
    experts : sequence of LinearExpert and TreeExpert
        Of the model's classes and columns.
    precision : ndarray of float64, shape (len(experts),), or None
        None for the model's own.

    Returns
    -------
    PackedModel
        No more experts run for a row than there are.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> put_together(stump, gate_of(stump), experts_of(stump)).predict([[0.9]])
    array([1])
    """
    assembled = assemble(
        gate,
        experts,
        kind=model.kind,
        classes=model.classes if model.is_classifier else None,
        n_features=model.n_features,
        top_k=min(model.top_k, len(experts)),
        threshold=model.threshold,
        combination=model.combination,
        precision=model.precision if precision is None else precision,
    )
    return replace(assembled, accepts_missing=model.accepts_missing, preprocessing=model.preprocessing)


def _linear(model: PackedModel, k: int) -> LinearExpert:
    table = model.linear[model.linear_slot[k]]
    return LinearExpert(table[:-1].T, table[-1], np.arange(model.n_outputs), "identity" if model.link[k] == IDENTITY else "softmax")


def _trees(model: PackedModel, k: int) -> TreeExpert:
    trees = [_tree(model, k, tree, -1 if model.vector[k] else column) for tree, column in trees_of(model, k)]
    link = LINK_NAMES[int(model.link[k])]
    joined: TreeEnsemble = flatten(
        trees,
        n_features=model.n_features,
        n_outputs=model.n_outputs,
        link=link,
        scale=float(model.scale[k]),
        base=model.base[k],
        accepts_missing=model.accepts_missing,
    )
    return TreeExpert(joined, np.arange(model.n_outputs))


def _tree(model: PackedModel, k: int, tree: int, output: int) -> Tree:
    plain = plain_tree(model, k, tree)
    is_leaf = plain.value_index >= 0
    width = model.n_outputs if output < 0 else 1
    first = np.where(is_leaf, plain.value_index, 0)
    return Tree(
        feature=plain.feature,
        threshold=plain.threshold,
        left=np.where(is_leaf, -1, plain.left),
        right=np.where(is_leaf, -1, plain.right),
        missing_left=plain.missing_left,
        value=model.leaf_values[first[:, None] + np.arange(width)].astype(np.float64),
        output=output,
    )
