"""Whole experts that a model does without: those that are never asked, that do harm, or whose answers hardly matter for their work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.combined import Asked, Combined, ask
from ensemblekit.compression.dropping import can_drop, header_without, without_expert
from ensemblekit.compression.judging import Judges, Limits, Rows
from ensemblekit.compression.losses import loss_name, row_divergences, row_losses, targets
from ensemblekit.packed import PackedModel, reference
from ensemblekit.packed.taking_apart import experts_of

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

    They go until no more than the asked share of visits is left. One goes if labels tell the model plainly better without it, or if the
    answers to other rows move by no larger a share of the room than it has in the work. Under sparse routing that is next to nothing:
    rows go to another expert, and test as many splits there.

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
    name, target = loss_name(model), targets(model, judges.held_out[1])
    labelled, others = _Panel.of(model, judges.held_out[0]), _Panel.of(model, judges.others)
    spent, moved, original = 0.0, 0.0, others.answers()
    gone: int | None = -1
    while gone is not None and can_drop(model) and (limits.visits is None or labelled.visits() > limits.visits):
        gone, losses = None, row_losses(name, labelled.answers(), target)
        without = [row_losses(name, labelled.without(k).answers(), target) for k in range(model.n_experts)]
        for k in np.argsort([one.mean() for one in without], kind="stable"):
            rest = others.without(k)
            further = spent + float(row_divergences(name, rest.answers(), original).mean())
            near = further <= limits.room and further - moved <= others.share_of(k) * limits.room
            harmful = _plainly_less(without[k], losses)
            if without[k].mean() > limits.loss or not (near or harmful):
                continue
            if harmful:  # what it moved is not held against others; what they have moved so far is
                spent, original = moved, rest.answers()
            else:
                moved = further
            gone, model, labelled, others = int(k), without_expert(model, k), labelled.without(k), rest
            break
    return Reduced(model, moved)


@dataclass(frozen=True, eq=False)
class _Panel:
    """Experts that were asked once about some rows, any of which can be left out without asking the others again."""

    model: PackedModel  # for its gate and its costs: trees of experts that went are still in it, and must not be asked
    asked: list[Asked]
    rows: Rows

    @classmethod
    def of(cls, model: PackedModel, rows: Rows) -> _Panel:
        return cls(model, [replace(ask(expert, rows), leaves=np.zeros((0, 0), np.int32)) for expert in experts_of(model)], rows)

    def without(self, k: int) -> _Panel:
        return _Panel(header_without(self.model, k), [one for other, one in enumerate(self.asked) if other != k], self.rows)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        return reference.gate_proba(self.model, self.rows)

    def answers(self) -> npt.NDArray[np.float64]:
        return Combined(self.model, self.asked, self.weights).answers()

    def visits(self) -> float:
        visits = np.stack([one.visits for one in self.asked], axis=1)
        return float((visits * (self.weights > 0)).sum(axis=1).mean())

    def work(self) -> float:
        return self.visits() + self.model.multiply_adds().active

    def share_of(self, k: int) -> float:
        """Tell what part of the work an expert takes; none of no work."""
        work = self.work()
        return 1 - self.without(k).work() / work if work else 0.0


def _plainly_less(losses: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> bool:
    change = losses - before
    return bool(change.mean() + PLAINLY * change.std() / np.sqrt(len(change)) < 0)
