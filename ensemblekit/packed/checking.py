"""What must hold for a packed model to be safe: compiled code follows its indices without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ensemblekit.packed import perfect_layout as perfect
from ensemblekit.packed import sparse_layout as sparse

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

DTYPES = {
    "gate": np.float64, "gate_node": np.int32, "gate_path": np.int32, "gate_mean": np.float64, "gate_factor": np.float64,
    "gate_offset": np.float64, "precision": np.float64, "form": np.int32, "link": np.int32, "scale": np.float64, "base": np.float64,
    "vector": np.int32, "depth": np.int32, "linear_slot": np.int32, "linear": np.float64, "tree_start": np.int32,
    "node_start": np.int32, "leaf_start": np.int32, "perfect_nodes": np.int32, "sparse_nodes": np.int32,
    "leaf_values": np.float32, "category_words": np.uint32, "categorical_features": np.int32,
}  # fmt: skip


def check(model: PackedModel) -> None:
    """Raise unless every index of the model stays inside of its arrays and every walk ends.

    Parameters
    ----------
    model : PackedModel
        The model, typically just read from a file.

    Raises
    ------
    ValueError
        Naming what is wrong.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> check(replace(stump, node_start=stump.node_start + 100))
    Traceback (most recent call last):
    ValueError: node_start is damaged
    """
    _check_header(model)
    _check_shapes(model)
    _require("tree_start", _is_range_table(model.tree_start, len(model.node_start)))
    for k in range(model.n_experts):
        _check_expert(model, k)
    _check_sparse(model)
    if model.gate_model is not None:
        check(model.gate_model)
        fits = (model.gate_model.n_outputs, model.gate_model.n_features) == (model.n_experts, model.n_features)
        _require("gate_model", fits and model.gate_model.is_classifier)


def _require(name: str, holds: bool | np.bool_) -> None:
    if not holds:
        raise ValueError(f"{name} is damaged")


def _check_header(model: PackedModel) -> None:
    for name, dtype in DTYPES.items():
        _require(name, isinstance(getattr(model, name), np.ndarray) and getattr(model, name).dtype == dtype)
    _require("classes", model.classes.ndim == 1 and model.classes.dtype != object)
    _require("base", model.base.ndim == 2 and model.n_outputs == (len(model.classes) or 1))
    _require("combination", model.combination in {"mean", "vote", "product", "additive"})
    _require("threshold", isinstance(model.threshold, float) and 0 <= model.threshold <= 1)
    _require("n_features", isinstance(model.n_features, int) and model.n_features > 0)
    _require("top_k", isinstance(model.top_k, int) and 1 <= model.top_k <= model.n_experts)


def _check_shapes(model: PackedModel) -> None:
    n_experts, n_outputs, d = model.n_experts, model.n_outputs, model.n_features
    expected = {
        "form": (n_experts,), "link": (n_experts,), "scale": (n_experts,), "base": (n_experts, n_outputs),
        "vector": (n_experts,), "depth": (n_experts,), "linear_slot": (n_experts,),
        "linear": (int((model.linear_slot >= 0).sum()), d + 1, n_outputs),
        "tree_start": (n_experts * n_outputs + 1,), "leaf_start": model.node_start.shape,
        "gate_offset": (n_experts,), "precision": (n_experts,),
        "perfect_nodes": (len(model.perfect_nodes), 2), "sparse_nodes": (len(model.sparse_nodes), 4),
    }  # fmt: skip
    for name, shape in expected.items():
        _require(name, getattr(model, name).shape == shape)
    _check_gate(model)
    _require("linear_slot", np.isin(model.linear_slot, [-1, *range(len(model.linear))]).all())
    _require("categorical_features", _inside(model.categorical_features, d))


def _check_gate(model: PackedModel) -> None:
    n_experts, d, branches = model.n_experts, model.n_features, model.gate.shape[1] if model.gate.ndim == 2 else 0
    _require("gate", model.gate.shape in {(d + 1, branches), (1, branches)} and not np.isnan(model.gate).any())
    _require("gate_node", model.gate_node.shape == (branches,) and _inside(model.gate_node, branches))
    _require("gate_path", model.gate_path.ndim == 2 and len(model.gate_path) == n_experts and _inside(model.gate_path, branches))
    _require("gate_path", 1 <= model.gate_path.shape[1] <= branches)
    _require("gate_mean", model.gate_mean.shape in {(n_experts, d), (0, d)})
    centres = len(model.gate_mean)
    _require("gate_mean", centres in {0, branches})
    _require("gate_factor", model.gate_factor.shape in {(centres, d, d), (centres, 1, d)})
    _require("precision", (model.precision > 0).all())


def _is_range_table(start: npt.NDArray[np.int32], end: int) -> bool:
    return bool(start[0] == 0 and start[-1] == end and (np.diff(start) >= 0).all())


def _inside(index: npt.NDArray[np.integer], size: int) -> bool:
    return not len(index) or bool(index.min() >= 0 and index.max() < size)


def _check_expert(model: PackedModel, k: int) -> None:
    _require("form", model.form[k] in {0, 1, 2} and (model.form[k] == 0) == (model.linear_slot[k] >= 0))
    _require("link", model.link[k] in {0, 1, 2})
    _require("vector", model.vector[k] in {0, 1})
    first = k * model.n_outputs
    trees = slice(model.tree_start[first], model.tree_start[first + model.n_outputs])
    start = model.node_start[trees]
    if model.form[k] == 1:
        _check_perfect(model, k, start, model.leaf_start[trees])
    elif model.form[k] == 2:
        _require("node_start", _inside(start, len(model.sparse_nodes)))
        _require("depth", 0 <= model.depth[k] <= len(model.sparse_nodes))
        _require("leaf_values", _leaves_fit(model, k, start))


def _check_perfect(model: PackedModel, k: int, start: npt.NDArray[np.int32], leaf_start: npt.NDArray[np.int32]) -> None:
    _require("depth", 0 <= model.depth[k] <= perfect.MAX_DEPTH)
    slots = 1 << int(model.depth[k])
    width = model.n_outputs if model.vector[k] else 1
    _require("node_start", _inside(start, len(model.perfect_nodes) - slots + 1) and (np.diff(start) == slots).all())
    _require("leaf_start", _inside(leaf_start, len(model.leaf_values) - slots * width + 1))
    feature = model.perfect_nodes[:, 1].view(np.uint32) & perfect.FEATURE
    _require("perfect_nodes", _inside(feature, model.n_features))


def _leaves_fit(model: PackedModel, k: int, roots: npt.NDArray[np.int32]) -> bool:
    """Follow every path of the expert: it must end, at a depth that the engine walks, with its values inside."""
    nodes = model.sparse_nodes
    width = model.n_outputs if model.vector[k] else 1
    level, words = np.asarray(roots, np.int64), nodes[:, 2].view(np.uint32)
    for _ in range(int(model.depth[k]) + 1):
        is_leaf = (words[level] & sparse.LEAF) > 0
        if not _inside(nodes[level[is_leaf], 3], len(model.leaf_values) - width + 1):
            return False
        split = nodes[level[~is_leaf], 1].astype(np.int64)
        if len(split) > len(nodes) or not _inside(split, len(nodes) - 1):
            return False
        level = np.concatenate([split, split + 1])
    return not len(level)


def _check_sparse(model: PackedModel) -> None:
    nodes, words = model.sparse_nodes, model.sparse_nodes[:, 2].view(np.uint32)
    is_leaf = (words & sparse.LEAF) > 0
    here = np.arange(len(nodes))
    _require("sparse_nodes", _inside((words & sparse.FEATURE)[~is_leaf], model.n_features))
    _require("sparse_nodes", (nodes[is_leaf, 1] == here[is_leaf]).all() and (nodes[~is_leaf, 1] > here[~is_leaf]).all())
    _require("sparse_nodes", (words[is_leaf] == (sparse.LEAF | sparse.MISSING_LEFT)).all())
    _require("sparse_nodes", np.isposinf(nodes[is_leaf, 0].view(np.float32)).all())
    begin = nodes[(words & sparse.CATEGORICAL) > 0, 3]
    _require("category_words", _inside(begin, len(model.category_words)))
    end = begin + model.category_words[begin].astype(np.int64)
    _require("category_words", _inside(end, len(model.category_words)))
