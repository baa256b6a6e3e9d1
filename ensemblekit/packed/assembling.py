"""From a gate and experts to the arrays of a packed model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.experts import Expert, LinearExpert, TreeExpert
from ensemblekit.packed.model import IDENTITY, LINEAR, ONE_VS_ALL, PERFECT, SOFTMAX, SPARSE, Combination, PackedModel
from ensemblekit.packed.perfect_layout import is_worth_padding, perfect_trees
from ensemblekit.packed.sparse_layout import CATEGORICAL, LEAF, sparse_trees
from ensemblekit.trees.flat import TreeEnsemble, freeze

LINKS = {"identity": IDENTITY, "softmax": SOFTMAX, "sigmoid": SOFTMAX, "one-vs-all": ONE_VS_ALL}


class _Part(NamedTuple):
    """One expert's share of the arrays; indices count from its own beginning."""

    form: int
    link: int
    scale: float
    base: npt.NDArray[np.float64]
    vector: int
    depth: int
    linear: npt.NDArray[np.float64]
    trees_per_column: npt.NDArray[np.int64]
    node_start: npt.NDArray[np.int64]
    leaf_start: npt.NDArray[np.int64]
    perfect_nodes: npt.NDArray[np.int32]
    sparse_nodes: npt.NDArray[np.int32]
    leaf_values: npt.NDArray[np.float32]
    category_words: npt.NDArray[np.uint32]


def constant_gate(weights: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Write fixed weights as the logits of a gate that looks at no column.

    Parameters
    ----------
    weights : array-like of shape (K,)
        Not negative, not all zero; an expert of weight zero never runs.

    Returns
    -------
    ndarray of float64, shape (1, K)
        Logarithms of the normalised weights.

    Examples
    --------
    >>> np.exp(constant_gate([1, 3, 0]))
    array([[0.25, 0.75, 0.  ]])
    """
    share = np.asarray(weights, np.float64) / np.sum(weights)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(share)[None])


def assemble(
    gate: npt.NDArray[np.float64],
    experts: Sequence[Expert],
    *,
    kind: str,
    classes: npt.NDArray[Any],
    n_features: int,
    top_k: int | None = None,
    combination: Combination = "mean",
) -> PackedModel:
    """Join the experts' arrays and freeze them.

    Parameters
    ----------
    gate : ndarray of float64, shape (d + 1, K) or (1, K)
        Logits, see `PackedModel`.
    experts : sequence of LinearExpert or TreeExpert
        K of them.
    kind, classes, n_features, combination
        As in `PackedModel`.
    top_k : int, default=None
        Experts that run; None for all.

    Returns
    -------
    PackedModel
        The model.

    Examples
    --------
    >>> expert = LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2))
    >>> assemble(constant_gate([1]), [expert], kind="demo", classes=np.arange(2), n_features=3).n_experts
    1
    """
    n_classes = len(classes)
    parts = [_part(expert, n_classes, n_features) for expert in experts]
    trees = [expert.trees for expert in experts if isinstance(expert, TreeExpert)]
    is_linear = np.array([part.form == LINEAR for part in parts])
    model = PackedModel(
        kind=kind,
        classes=_plain_labels(classes),
        n_features=n_features,
        top_k=len(experts) if top_k is None else top_k,
        combination=combination,
        accepts_missing=all(t.accepts_missing for t in trees) and not is_linear.any() and len(gate) == 1,
        preprocessing=(),
        gate=np.ascontiguousarray(gate, np.float64),
        form=np.array([part.form for part in parts], np.int32),
        link=np.array([part.link for part in parts], np.int32),
        scale=np.array([part.scale for part in parts]),
        base=np.stack([part.base for part in parts]),
        vector=np.array([part.vector for part in parts], np.int32),
        depth=np.array([part.depth for part in parts], np.int32),
        linear_slot=np.where(is_linear, np.cumsum(is_linear) - 1, -1).astype(np.int32),
        linear=np.stack([*(part.linear for part in parts if part.form == LINEAR)])
        if is_linear.any()
        else np.empty((0, n_features + 1, n_classes)),
        **_joined(parts),
        categorical_features=np.unique(np.concatenate([np.empty(0, np.int32), *(t.categorical_features for t in trees)])),
    )
    freeze(vars(model))
    return model


def _plain_labels(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    labels = np.array(classes.tolist()) if classes.dtype == object else np.array(classes)
    if labels.dtype == object:
        raise ValueError(f"Labels must be numbers, booleans or strings; received {classes.tolist()}.")
    return labels


def _joined(parts: Sequence[_Part]) -> dict[str, npt.NDArray[Any]]:
    """Concatenate, moving each expert's indices behind those before it."""
    perfect, sparse, leaf, word = (
        np.cumsum([0, *(len(getattr(part, name)) for part in parts)])
        for name in ("perfect_nodes", "sparse_nodes", "leaf_values", "category_words")
    )
    if max(perfect[-1], sparse[-1], leaf[-1], word[-1]) > np.iinfo(np.int32).max:
        raise ValueError("The model is too large to pack: node indices do not fit in 32 bits.")
    node_start = [part.node_start + (perfect if part.form == PERFECT else sparse)[i] for i, part in enumerate(parts)]
    return {
        "tree_start": np.cumsum([0, *np.concatenate([part.trees_per_column for part in parts])]).astype(np.int32),
        "node_start": np.concatenate(node_start).astype(np.int32),
        "leaf_start": np.concatenate([part.leaf_start + leaf[i] for i, part in enumerate(parts)]).astype(np.int32),
        "perfect_nodes": np.concatenate([part.perfect_nodes for part in parts]),
        "sparse_nodes": np.concatenate([_moved(part.sparse_nodes, sparse[i], leaf[i], word[i]) for i, part in enumerate(parts)]),
        "leaf_values": np.concatenate([part.leaf_values for part in parts]),
        "category_words": np.concatenate([part.category_words for part in parts]),
    }


def _moved(nodes: npt.NDArray[np.int32], node: int, leaf: int, word: int) -> npt.NDArray[np.int32]:
    moved = nodes.copy()
    flags = nodes[:, 2].view(np.uint32)
    moved[:, 1] += node
    moved[:, 3] += np.where(flags & LEAF, leaf, np.where(flags & CATEGORICAL, word, 0)).astype(np.int32)
    return moved


def _part(expert: Expert, n_classes: int, n_features: int) -> _Part:
    if isinstance(expert, LinearExpert):
        return _linear_part(expert, n_classes, n_features)
    return _tree_part(expert, n_classes, n_features)


def _linear_part(expert: LinearExpert, n_classes: int, n_features: int) -> _Part:
    _check_width(expert.coef.shape[1], n_features)
    table = np.zeros((n_features + 1, n_classes))
    table[-1] = -np.inf  # a class that the expert never saw has probability zero
    table[:-1, expert.columns], table[-1, expert.columns] = expert.coef.T, expert.intercept
    return _empty_part(n_classes)._replace(linear=table)


def _empty_part(n_classes: int) -> _Part:
    no_index, no_nodes = np.empty(0, np.int64), np.empty((0, 4), np.int32)
    return _Part(
        form=LINEAR,
        link=SOFTMAX,
        scale=1.0,
        base=np.zeros(n_classes),
        vector=0,
        depth=0,
        linear=np.empty((0, 0)),
        trees_per_column=np.zeros(n_classes, np.int64),
        node_start=no_index,
        leaf_start=no_index,
        perfect_nodes=no_nodes[:, :2],
        sparse_nodes=no_nodes,
        leaf_values=np.empty(0, np.float32),
        category_words=np.empty(0, np.uint32),
    )


def _tree_part(expert: TreeExpert, n_classes: int, n_features: int) -> _Part:
    trees = expert.trees
    _check_width(trees.n_features, n_features)
    vector = bool(trees.outputs[0] < 0)
    # The sigmoid of a margin is the softmax of (0, margin): it adds to the second class.
    columns = expert.columns[1:] if trees.link == "sigmoid" else expert.columns
    outputs = np.zeros(trees.n_trees, np.int64) if vector else columns[trees.outputs]
    order = np.argsort(outputs, kind="stable")
    part = _empty_part(n_classes)._replace(
        link=LINKS[trees.link],
        scale=trees.scale,
        base=_base(expert, n_classes),
        vector=int(vector),
        depth=trees.max_depth,
        trees_per_column=np.bincount(outputs, minlength=n_classes),
    )
    width = n_classes if vector else 1
    leaves = np.zeros((len(trees.leaf_values), width))
    leaves[:, columns if vector else [0]] = trees.leaf_values
    return _perfect(part, trees, leaves, order) if is_worth_padding(trees) else _sparse(part, trees, leaves, order)


def _base(expert: TreeExpert, n_classes: int) -> npt.NDArray[np.float64]:
    trees = expert.trees
    base = np.full(n_classes, 0.0 if trees.link == "identity" else -np.inf)
    base[expert.columns] = np.append(0.0, trees.base) if trees.link == "sigmoid" else trees.base
    return base


def _perfect(part: _Part, trees: TreeEnsemble, leaves: npt.NDArray[np.float64], order: npt.NDArray[np.intp]) -> _Part:
    heaps = perfect_trees(trees, leaves)
    slots = 1 << heaps.depth
    start = np.arange(trees.n_trees) * slots
    return part._replace(
        form=PERFECT,
        node_start=start,
        leaf_start=start * leaves.shape[1],
        perfect_nodes=heaps.nodes[order].reshape(-1, 2),
        leaf_values=heaps.leaves[order].astype(np.float32).ravel(),
    )


def _sparse(part: _Part, trees: TreeEnsemble, leaves: npt.NDArray[np.float64], order: npt.NDArray[np.intp]) -> _Part:
    linked = sparse_trees(trees)
    nodes = linked.nodes
    is_leaf = (nodes[:, 2].view(np.uint32) & LEAF) > 0
    nodes[is_leaf, 3] *= leaves.shape[1]
    return part._replace(
        form=SPARSE,
        node_start=linked.roots[order].astype(np.int64),
        leaf_start=np.zeros(trees.n_trees, np.int64),
        sparse_nodes=nodes,
        leaf_values=leaves.astype(np.float32).ravel(),
        category_words=linked.words,
    )


def _check_width(own: int, n_features: int) -> None:
    if own != n_features:
        raise ValueError(f"A member was fitted on {own} columns, the model on {n_features}. Members must share them.")
