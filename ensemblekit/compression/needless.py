"""Whole experts that a model does without: those that are never asked, that do harm, or whose answers hardly matter for their work."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.judging import Judges, Limits, Rows, divergence
from ensemblekit.compression.losses import answers_to, losses_of
from ensemblekit.packed import PackedModel
from ensemblekit.packed.gates import PackedGate
from ensemblekit.packed.taking_apart import experts_of, gate_of, put_together

#: Standard errors by which the held-out loss must fall for an expert to count as harmful. Where labels alone judged experts, generated
#: tables of little noise lost 0.006 to 0.017 on new rows for 0.005 allowed.
PLAINLY = 2.0


class Reduced(NamedTuple):
    """A model without its needless experts.

    Attributes
    ----------
    model : PackedModel
        The model.
    moved : float
        How far it moved answers where labels did not ask for it.

    Examples
    --------
    >>> Reduced._fields
    ('model', 'moved')
    """

    model: PackedModel
    moved: float


def without_needless_experts(model: PackedModel, judges: Judges, limits: Limits) -> Reduced:
    """Let experts go one by one, first the one without which held-out rows lose least.

    One goes if labels tell the model plainly better without it, or if the answers to other rows move by no larger a share of the room than
    it has in the work. Under sparse routing that is next to nothing: rows go to another expert, and test as many splits there.

    Parameters
    ----------
    model : PackedModel
        The model.
    judges : Judges
        Rows.
    limits : Limits
        How far to go.

    Returns
    -------
    Reduced

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> model = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> rows = np.array([[0.0], [1.0], [0.1], [0.9]], np.float32)
    >>> without_needless_experts(model, Judges.of(rows, rows, np.array([0, 1, 0, 1])), Limits(1.0, 0.0, None)).model is model
    True
    """
    spent = moved = 0.0
    original, found = answers_to(model, judges.others), True
    while found and can_drop(model):
        found, losses, work = False, losses_of(model, *judges.held_out), work_of(model, judges.choosing)
        rest = [without_expert(model, k) for k in range(model.n_experts)]
        without = [losses_of(one, *judges.held_out) for one in rest]
        for k in np.argsort([one.mean() for one in without], kind="stable"):
            further = spent + divergence(rest[k], judges.others, original)
            share = 1 - work_of(rest[k], judges.choosing) / work
            near = further <= limits.room and further - moved <= share * limits.room
            harmful = _plainly_less(without[k], losses)
            if without[k].mean() > limits.loss or not (near or harmful):
                continue
            if harmful:  # what it moved is not held against others; what they have moved so far is
                spent, original = moved, answers_to(rest[k], judges.others)
            else:
                moved = further
            model, found = rest[k], True
            break
    return Reduced(model, moved)


def work_of(model: PackedModel, rows: Rows) -> float:
    """Operations of an average row.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    float
        Splits tested, and multiplications of gate and linear experts.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> work_of(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), np.array([[0.0]], np.float32))
    1.0
    """
    return model.node_visits(rows).active + model.multiply_adds(rows).active


def _plainly_less(losses: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> bool:
    change = losses - before
    return bool(change.mean() + PLAINLY * change.std() / np.sqrt(len(change)) < 0)


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
