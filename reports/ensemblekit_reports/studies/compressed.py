"""Pruned, distilled and quantised variants of a study's models, as models of their own.

Every mixture and every ensemble of the study gets all three, whatever it scores: leading models are known only once test rows have
spoken, and variants of those alone would be chosen by these rows. Each variant is fitted inside the training fold like any other model,
and what it holds out to prune by is a part of that fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ensemblekit.packed.packing import packers
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.model import Model

#: Ending of the name -> the reader's word, and the estimator that makes it.
METHODS = {"pruned": ("pruned", "Pruned"), "distilled": ("distilled", "Distilled"), "int8": ("in bytes", "Quantized")}


def with_compressed(models: Sequence[Model], *, compress: bool, tuned: bool) -> tuple[Model, ...]:
    """Put each model's variants behind it.

    Parameters
    ----------
    models : sequence of Model
        Of the study.
    compress : bool
        Whether there are to be any.
    tuned : bool
        Whether the models are tuned.

    Returns
    -------
    tuple of Model
        Variants are of the family "compressed" and name their ``parent``.

    Raises
    ------
    UserError
        When nothing can be compressed, or the models are tuned.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> [model.name for model in with_compressed(find_models(["logistic", "moe"]), compress=True, tuned=False)]
    ['logistic', 'moe', 'moe-pruned', 'moe-distilled', 'moe-int8']
    """
    if not compress:
        return tuple(models)
    if tuned:
        raise UserError("compress and tune exclude each other: variants of untuned models beside tuned ones would be no fair comparison.")
    if not any(model.family in ("mixture", "ensemble") for model in models):
        raise UserError("compress makes variants of mixtures and ensembles, and the study has none: name one, such as moe-boosted.")
    return tuple(one for model in models for one in (model, *_variants(model)))


def _variants(model: Model) -> list[Model]:
    if model.family not in ("mixture", "ensemble"):
        return []
    return [
        Model(
            f"{model.name}-{method}",
            f"{model.label}, {METHODS[method][0]}",
            "compressed",
            model.preprocessing,
            partial(_make, METHODS[method][1], model.task, model.factory),
            registered=False,
            task=model.task,
            own_code=model.own_code,
            foreign=model.foreign,
            parent=model.name,
        )
        for method in _methods(model)
    ]


def _methods(model: Model) -> list[str]:
    """Name what can be done: whatever has a packed form is pruned and quantised, whatever says probabilities or numbers can teach."""
    try:
        estimator = model.factory(0)
    except ImportError:  # rows with the reason will say so
        return list(METHODS)
    teaches = model.task == "regression" or hasattr(estimator, "predict_proba")
    return [method for method in METHODS if (teaches if method == "distilled" else _packs(estimator))]


def _packs(estimator: Any) -> bool:
    try:
        packers.find(estimator)
    except TypeError:
        return False
    return True


def _make(kind: str, task: str, parent: Any, seed: int) -> Any:
    from ensemblekit import compression  # noqa: PLC0415 - only when it is asked for

    estimator = getattr(compression, f"{kind}{'Classifier' if task == 'classification' else 'Regressor'}")(parent(seed))
    return estimator.set_params(random_state=seed) if "random_state" in estimator.get_params(deep=False) else estimator
