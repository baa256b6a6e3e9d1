"""From a gate and experts to the arrays of a packed model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.experts import Expert, LinearExpert, TreeExpert
from ensemblekit.packed.gates import PackedGate, constant_gate, linear_gate
from ensemblekit.packed.model import IDENTITY, LINEAR, ONE_VS_ALL, PERFECT, SOFTMAX, SPARSE, Combination, PackedModel
from ensemblekit.packed.perfect_layout import is_worth_padding, perfect_trees
from ensemblekit.packed.sparse_layout import CATEGORICAL, LEAF, sparse_trees
from ensemblekit.trees.flat import TreeEnsemble, freeze

__all__ = ["assemble", "constant_gate"]

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


def assemble(
    gate: npt.NDArray[np.float64] | PackedGate,
    experts: Sequence[Expert],
    *,
    kind: str,
    classes: npt.NDArray[Any] | None,
    n_features: int,
    top_k: int | None = None,
    threshold: float = 0.0,
    combination: Combination = "mean",
    precision: npt.ArrayLike = 1.0,
) -> PackedModel:
    """Join the experts' arrays and freeze them.

    Parameters
    ----------
    gate : PackedGate, or ndarray of float64, shape (d + 1, K) or (1, K)
        A gate, or the logits of a softmax gate with the intercepts in the last row.
    experts : sequence of LinearExpert or TreeExpert
        K of them.
    kind, n_features, threshold, combination, precision
        As in `PackedModel`; `precision` is broadcast to the experts.
    classes : ndarray, shape (C,), or None
        Labels; None for regression.
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
    n_outputs = 1 if classes is None else len(classes)
    parts = [_part(expert, n_outputs, n_features) for expert in experts]
    gate = gate if isinstance(gate, PackedGate) else linear_gate(gate, n_features=n_features)
    is_linear = np.array([part.form == LINEAR for part in parts])
    model = PackedModel(
        kind=kind,
        classes=np.empty(0) if classes is None else _plain_labels(classes),
        n_features=n_features,
        top_k=len(experts) if top_k is None else top_k,
        threshold=float(threshold),
        combination=combination,
        accepts_missing=_accepts_missing(gate, experts),
        preprocessing=(),
        gate=gate.table,
        gate_node=gate.node,
        gate_path=gate.path,
        gate_mean=gate.mean,
        gate_factor=gate.factor,
        gate_offset=gate.offset,
        gate_model=gate.model,
        precision=np.broadcast_to(np.asarray(precision, np.float64), (len(experts),)).copy(),
        form=np.array([part.form for part in parts], np.int32),
        link=np.array([part.link for part in parts], np.int32),
        scale=np.array([part.scale for part in parts]),
        base=np.stack([part.base for part in parts]),
        vector=np.array([part.vector for part in parts], np.int32),
        depth=np.array([part.depth for part in parts], np.int32),
        linear_slot=np.where(is_linear, np.cumsum(is_linear) - 1, -1).astype(np.int32),
        linear=np.stack([*(part.linear for part in parts if part.form == LINEAR)])
        if is_linear.any()
        else np.empty((0, n_features + 1, n_outputs)),
        **_joined(parts),
        categorical_features=_categorical_features(gate, experts),
    )
    freeze(vars(model))
    return model


def _accepts_missing(gate: PackedGate, experts: Sequence[Expert]) -> bool:
    if len(gate.table) > 1 or len(gate.mean) or (gate.model is not None and not gate.model.accepts_missing):
        return False
    return all(isinstance(expert, TreeExpert) and expert.trees.accepts_missing for expert in experts)


def _categorical_features(gate: PackedGate, experts: Sequence[Expert]) -> npt.NDArray[np.int32]:
    named = [expert.trees.categorical_features for expert in experts if isinstance(expert, TreeExpert)]
    named += [] if gate.model is None else [gate.model.categorical_features]
    return np.unique(np.concatenate([np.empty(0, np.int32), *named]))


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


def _part(expert: Expert, n_outputs: int, n_features: int) -> _Part:
    if isinstance(expert, LinearExpert):
        return _linear_part(expert, n_outputs, n_features)
    return _tree_part(expert, n_outputs, n_features)


def _linear_part(expert: LinearExpert, n_outputs: int, n_features: int) -> _Part:
    _check_width(expert.coef.shape[1], n_features)
    table = np.zeros((n_features + 1, n_outputs))
    table[-1] = 0.0 if expert.link == "identity" else -np.inf  # a class that the expert never saw has probability zero
    table[:-1, expert.columns], table[-1, expert.columns] = expert.coef.T, expert.intercept
    return _empty_part(n_outputs)._replace(linear=table, link=LINKS[expert.link])


def _empty_part(n_outputs: int) -> _Part:
    no_index, no_nodes = np.empty(0, np.int64), np.empty((0, 4), np.int32)
    return _Part(
        form=LINEAR,
        link=SOFTMAX,
        scale=1.0,
        base=np.zeros(n_outputs),
        vector=0,
        depth=0,
        linear=np.empty((0, 0)),
        trees_per_column=np.zeros(n_outputs, np.int64),
        node_start=no_index,
        leaf_start=no_index,
        perfect_nodes=no_nodes[:, :2],
        sparse_nodes=no_nodes,
        leaf_values=np.empty(0, np.float32),
        category_words=np.empty(0, np.uint32),
    )


def _tree_part(expert: TreeExpert, n_outputs: int, n_features: int) -> _Part:
    trees = expert.trees
    _check_width(trees.n_features, n_features)
    vector = bool(trees.outputs[0] < 0)
    # The sigmoid of a margin is the softmax of (0, margin): it adds to the second class.
    columns = expert.columns[1:] if trees.link == "sigmoid" else expert.columns
    outputs = np.zeros(trees.n_trees, np.int64) if vector else columns[trees.outputs]
    order = np.argsort(outputs, kind="stable")
    part = _empty_part(n_outputs)._replace(
        link=LINKS[trees.link],
        scale=trees.scale,
        base=_base(expert, n_outputs),
        vector=int(vector),
        depth=trees.max_depth,
        trees_per_column=np.bincount(outputs, minlength=n_outputs),
    )
    width = n_outputs if vector else 1
    leaves = np.zeros((len(trees.leaf_values), width))
    leaves[:, columns if vector else [0]] = trees.leaf_values
    if expert.is_regression:  # float32 leaves: what those of a tree have in common stays in float64
        common = _mean_leaf(trees, leaves[:, 0])
        leaves[:, 0] -= common[_tree_of_leaf(trees)]
        part = part._replace(base=part.base + trees.scale * common.sum())
    return _perfect(part, trees, leaves, order) if is_worth_padding(trees) else _sparse(part, trees, leaves, order)


def _tree_of_leaf(trees: TreeEnsemble) -> npt.NDArray[np.intp]:
    node = np.flatnonzero(trees.leaf >= 0)  # leaves are numbered in the order of their nodes
    return np.searchsorted(trees.roots, node, side="right") - 1


def _mean_leaf(trees: TreeEnsemble, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    owner = _tree_of_leaf(trees)
    return np.bincount(owner, values, trees.n_trees) / np.bincount(owner, minlength=trees.n_trees)


def _base(expert: TreeExpert, n_outputs: int) -> npt.NDArray[np.float64]:
    trees = expert.trees
    base = np.full(n_outputs, 0.0 if trees.link == "identity" else -np.inf)
    base[expert.columns] = np.append(0.0, trees.base) if trees.link == "sigmoid" else trees.base
    return base


def _single(leaves: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        rounded = leaves.astype(np.float32).ravel()
    if not np.isfinite(rounded).all():
        raise ValueError(
            f"Packed leaves are float32, up to 3.4e38 around their tree's mean; this model has {abs(leaves).max():.1e}: "
            "divide the answers by a constant before fitting."
        )
    return rounded


def _perfect(part: _Part, trees: TreeEnsemble, leaves: npt.NDArray[np.float64], order: npt.NDArray[np.intp]) -> _Part:
    heaps = perfect_trees(trees, leaves)
    slots = 1 << heaps.depth
    start = np.arange(trees.n_trees) * slots
    return part._replace(
        form=PERFECT,
        node_start=start,
        leaf_start=start * leaves.shape[1],
        perfect_nodes=heaps.nodes[order].reshape(-1, 2),
        leaf_values=_single(heaps.leaves[order]),
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
        leaf_values=_single(leaves),
        category_words=linked.words,
    )


def _check_width(own: int, n_features: int) -> None:
    if own != n_features:
        raise ValueError(f"A member was fitted on {own} columns, the model on {n_features}. Members must share them.")
