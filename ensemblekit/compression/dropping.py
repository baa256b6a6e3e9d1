"""Models with an expert less, while the others share its weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ensemblekit.packed import PackedModel
from ensemblekit.packed.gates import PackedGate
from ensemblekit.packed.taking_apart import experts_of, gate_of, put_together


def without_zero_weights(model: PackedModel) -> PackedModel:
    """Drop experts that a constant gate gives no weight at all.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    PackedModel
        With the same answers.

    Examples
    --------
    >>> from ensemblekit.packed.assembling import assemble, constant_gate
    >>> from ensemblekit.packed.experts import LinearExpert
    >>> expert = LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2))
    >>> model = assemble(constant_gate([1, 0]), [expert] * 2, kind="demo", classes=np.arange(2), n_features=3)
    >>> without_zero_weights(model).n_experts
    1
    """
    while can_drop(model) and np.isneginf(model.gate[-1]).any():
        model = without_expert(model, int(np.argmin(model.gate[-1])))
    return model


def without_expert(model: PackedModel, k: int) -> PackedModel:
    """Take an expert out; the others share its weight.

    Parameters
    ----------
    model : PackedModel
        That can drop one.
    k : int
        Which one goes.

    Returns
    -------
    PackedModel

    Examples
    --------
    >>> from ensemblekit.packed.assembling import assemble, constant_gate
    >>> from ensemblekit.packed.experts import LinearExpert
    >>> expert = LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2))
    >>> model = assemble(constant_gate([1, 1]), [expert] * 2, kind="demo", classes=np.arange(2), n_features=3)
    >>> without_expert(model, 0).n_experts
    1
    """
    rest = [expert for other, expert in enumerate(experts_of(model)) if other != k]
    return put_together(model, gate_without(gate_of(model), k), rest, precision=np.delete(model.precision, k))


def can_drop(model: PackedModel) -> bool:
    """Tell whether an expert can be taken out of the gate.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    bool
        False for one expert, for a hierarchy and for a classifier as gate, whose other answers depend on it.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> can_drop(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
    False
    """
    return model.n_experts > 1 and model.gate_path.shape[1] == 1 and model.gate_model is None


def gate_without(gate: PackedGate, k: int) -> PackedGate:
    """Take an expert out of a gate that has no hierarchy; the others share its weight.

    Parameters
    ----------
    gate : PackedGate
        Of at least two experts.
    k : int
        Which one goes.

    Returns
    -------
    PackedGate

    Examples
    --------
    >>> from ensemblekit.packed.gates import linear_gate
    >>> gate_without(linear_gate(np.array([[1.0, 2.0, 3.0]]), n_features=1), 1).table
    array([[1., 3.]])
    """
    rest = np.delete(np.arange(len(gate.path)), k)
    columns = gate.path[rest, 0]
    return gate._replace(
        table=np.ascontiguousarray(gate.table[:, columns]),
        node=gate.node[columns],
        path=np.arange(len(rest), dtype=np.int32)[:, None],
        mean=gate.mean[rest] if len(gate.mean) else gate.mean,
        factor=gate.factor[rest] if len(gate.factor) else gate.factor,
        offset=gate.offset[rest],
    )


def header_without(model: PackedModel, k: int) -> PackedModel:
    """Take an expert out of all that gate and costs are read from; trees stay as they are, and must not be asked.

    Parameters
    ----------
    model : PackedModel
        That can drop one.
    k : int
        Which one goes.

    Returns
    -------
    PackedModel

    Examples
    --------
    >>> from ensemblekit.packed.assembling import assemble, constant_gate
    >>> from ensemblekit.packed.experts import LinearExpert
    >>> expert = LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2))
    >>> model = assemble(constant_gate([1, 1]), [expert] * 2, kind="demo", classes=np.arange(2), n_features=3)
    >>> header_without(model, 0).multiply_adds() == without_expert(model, 0).multiply_adds()
    True
    """
    gate = gate_without(gate_of(model), k)
    linear = model.linear if model.linear_slot[k] < 0 else np.delete(model.linear, model.linear_slot[k], axis=0)
    return replace(
        model,
        gate=gate.table,
        gate_node=gate.node,
        gate_path=gate.path,
        gate_mean=gate.mean,
        gate_factor=gate.factor,
        gate_offset=gate.offset,
        precision=np.delete(model.precision, k),
        top_k=min(model.top_k, model.n_experts - 1),
        form=np.delete(model.form, k),
        linear=linear,
    )
