"""A model on its way into another process, and out of it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.own_code import by_value
from ensemblekit_reports.studies.registry import registry

#: What travels: task, name and tuning, and for one that is not registered the rest, its factory as bytes.
Portable = tuple[Any, ...]


def to_portable(model: Model) -> Portable:
    """Return what another process can make a model from.

    Parameters
    ----------
    model : Model
        One of ours or a reader's own.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import REGISTRY
    >>> to_portable(REGISTRY["moe"])
    ('classification', 'moe', None)
    """
    known = model.task, model.name, model.tuning
    if model.registered:
        return known
    own = model.label, model.family, model.preprocessing, model.foreign, model.space, model.fixed
    return (*known, *own, by_value(model.factory))


def from_portable(portable: Portable) -> Model:
    """Make the model again, but for what only keys need.

    Parameters
    ----------
    portable : tuple
        What `to_portable` returned, in this run.

    Examples
    --------
    >>> from_portable(("regression", "moe", None)).label
    'Mixture of linear experts'
    """
    task, name, tuning, *rest = portable
    if not rest:
        return replace(registry(task)[name], tuning=tuning)
    label, family, preprocessing, foreign, space, fixed, factory = rest

    def unpickled(seed: int) -> Any:  # when it is called: what goes wrong there is this model's failure, not everybody's
        return pickle.loads(factory)(seed)  # noqa: S301 - written by this very run, a moment ago

    own = {"registered": False, "task": task, "foreign": foreign, "space": space, "fixed": fixed, "tuning": tuning}
    return Model(name, label, family, preprocessing, unpickled, **own)
