"""Packed models as ONNX graphs, for those who deploy where there is no Python.

Trees become the standard's tree operator, with the same leaves for float32 rows; everything else is computed in float64, as the CPU
engine does. A graph has no routing: experts that a row does not need run all the same, and get the weight zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.gates import FLOOR
from ensemblekit.packed.model import LINEAR, ONE_VS_ALL, SOFTMAX, PackedModel
from ensemblekit.packed.onnx_graph import ML_DOMAIN, Graph
from ensemblekit.packed.onnx_trees import tree_attributes

DOUBLE, FLOAT = 11, 1  # numbers of the types in the ONNX standard


def to_onnx(model: PackedModel) -> Any:
    """Write a packed model as an ONNX model.

    Its input ``X`` is float32 of shape (n, d). A classifier has the outputs ``label`` (n,) and ``probabilities`` (n, C), float32; a
    regressor has ``prediction`` (n,), float64. The graph does not refuse what `PackedModel` refuses: give it no NaN unless
    `accepts_missing`. Save it with ``onnx.save(model, path)``.

    Parameters
    ----------
    model : PackedModel
        Without categorical splits.

    Returns
    -------
    onnx.ModelProto
        For operator sets 17 and ai.onnx.ml 3, checked. The steps of `preprocessing`, which stay outside, are named in its description.

    Raises
    ------
    ImportError
        When onnx (extra ``onnx``) is not installed.
    ValueError
        For categorical splits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> exported = to_onnx(pack(DecisionTreeClassifier().fit(*load_iris(return_X_y=True))))
    >>> [output.name for output in exported.graph.output]
    ['label', 'probabilities']
    """
    graph = Graph()
    answer = _answer(graph, model, graph.add("Cast", "X", to=DOUBLE))
    steps = f"; apply first: {', '.join(model.preprocessing)}" if model.preprocessing else ""
    description = f"{model.kind}, packed by ensemblekit{steps}"
    if not model.is_classifier:
        prediction = graph.add("Squeeze", answer, graph.constant(np.array([1])))
        return graph.finish(model.n_features, {"prediction": (prediction, np.float64, ("n",))}, description)
    best = graph.add("ArgMax", answer, axis=1, keepdims=0)
    label = graph.add("Gather", graph.constant(model.classes), best)
    results: dict[str, tuple[str, npt.DTypeLike, tuple[int | str, ...]]] = {
        "label": (label, model.classes.dtype, ("n",)),
        "probabilities": (graph.add("Cast", answer, to=FLOAT), np.float32, ("n", model.n_outputs)),
    }
    return graph.finish(model.n_features, results, description)


def _answer(graph: Graph, model: PackedModel, rows: str) -> str:
    """Weighted answers of all experts, (n, C)."""
    weights = _weights(graph, model, _gate_logits(graph, model, rows))
    terms = [_term(graph, model, _expert(graph, model, k, rows), _columns(graph, weights, [k])) for k in range(model.n_experts)]
    total = graph.add("Sum", *terms)
    if model.combination != "product":
        return total
    top = graph.add("ReduceMax", total, axes=[1], keepdims=1)
    impossible = graph.add("Equal", top, graph.constant(-np.inf))  # no class is possible: all alike
    return graph.add("Softmax", graph.add("Where", impossible, graph.constant(0.0), total), axis=1)


def _term(graph: Graph, model: PackedModel, answer: str, weight: str) -> str:
    if model.combination == "vote":
        answer = _one_hot(graph, graph.add("ArgMax", answer, axis=1, keepdims=1), model.n_outputs)
    if model.combination != "product":
        return graph.add("Mul", weight, answer)
    runs = graph.add("Greater", weight, graph.constant(0.0))
    return graph.add("Where", runs, graph.add("Mul", weight, graph.add("Log", answer)), graph.constant(0.0))


def _expert(graph: Graph, model: PackedModel, k: int, rows: str) -> str:
    if model.form[k] == LINEAR:
        margins = _linear(graph, model.linear[model.linear_slot[k]], rows)
    else:
        sums = graph.add("TreeEnsembleRegressor", "X", domain=ML_DOMAIN, **tree_attributes(model, k))
        scaled = graph.add("Mul", graph.add("Cast", sums, to=DOUBLE), graph.constant(model.scale[k]))
        margins = graph.add("Add", scaled, graph.constant(model.base[k]))
    if model.link[k] == SOFTMAX:
        return graph.add("Softmax", margins, axis=1)
    return graph.add("Sigmoid", margins) if model.link[k] == ONE_VS_ALL else margins


def _linear(graph: Graph, table: npt.NDArray[np.float64], rows: str) -> str:
    return graph.add("Add", graph.add("MatMul", rows, graph.constant(table[:-1])), graph.constant(table[-1]))


def _gate_logits(graph: Graph, model: PackedModel, rows: str) -> str:
    """Logits of shape (n, K), or (1, K) where they are the same for every row."""
    offset = graph.constant(model.gate_offset[None])
    if model.gate_model is not None:
        proba = _answer(graph, model.gate_model, rows)
        return graph.add("Add", graph.add("Log", graph.add("Max", proba, graph.constant(FLOOR))), offset)
    branches = _linear(graph, model.gate, rows) if len(model.gate) > 1 else graph.constant(model.gate)
    if len(model.gate_mean):
        distances = graph.add("Concat", *(_squared_distance(graph, model, k, rows) for k in range(model.n_experts)), axis=1)
        branches = graph.add("Sub", branches, graph.add("Mul", distances, graph.constant(0.5)))
    if model.gate_path.shape[1] > 1:
        nodes = [np.flatnonzero(model.gate_node == node) for node in np.unique(model.gate_node)]
        normalised = [graph.add("LogSoftmax", _columns(graph, branches, own), axis=1) for own in nodes]
        branches = graph.add("Concat", *normalised, axis=1)
    return graph.add("Sum", offset, *(_columns(graph, branches, level) for level in model.gate_path.T))


def _squared_distance(graph: Graph, model: PackedModel, k: int, rows: str) -> str:
    centred, factor = graph.add("Sub", rows, graph.constant(model.gate_mean[k])), model.gate_factor[k]
    z = graph.add("Mul" if len(factor) == 1 else "MatMul", centred, graph.constant(factor))
    return graph.add("ReduceSum", graph.add("Mul", z, z), graph.constant(np.array([1])), keepdims=1)


def _weights(graph: Graph, model: PackedModel, logits: str) -> str:
    """Weights once routing is done, as `ensemblekit.packed.reference.gate_proba` has them."""
    share = graph.add("Softmax", logits, axis=1)
    if model.top_k < model.n_experts:
        best = graph.add("TopK", logits, graph.constant(np.array([model.top_k])), n_outputs=2, axis=1)  # of equals the first wins
        ones = graph.add("Cast", graph.add("Equal", best, best), to=DOUBLE)
        chosen = graph.add("ScatterElements", graph.add("Sub", share, share), best, ones, axis=1)
        share = _normalised(graph, graph.add("Mul", share, chosen))
    if model.threshold > 0:
        reached = graph.add("GreaterOrEqual", share, graph.constant(model.threshold))
        kept = graph.add("Max", graph.add("Cast", reached, to=DOUBLE), _best_one(graph, share, model.n_experts))
        share = graph.add("Mul", share, kept)
    if model.combination == "additive":
        share = graph.add("Cast", graph.add("Greater", share, graph.constant(0.0)), to=DOUBLE)
    return _normalised(graph, graph.add("Mul", share, graph.constant(model.precision)))


def _normalised(graph: Graph, weights: str) -> str:
    return graph.add("Div", weights, graph.add("ReduceSum", weights, graph.constant(np.array([1])), keepdims=1))


def _best_one(graph: Graph, share: str, n_experts: int) -> str:
    return _one_hot(graph, graph.add("ArgMax", share, axis=1, keepdims=1), n_experts)


def _one_hot(graph: Graph, index: str, size: int) -> str:
    return graph.add("Cast", graph.add("Equal", index, graph.constant(np.arange(size))), to=DOUBLE)


def _columns(graph: Graph, table: str, which: npt.ArrayLike) -> str:
    return graph.add("Gather", table, graph.constant(np.asarray(which, np.int64)), axis=1)
