"""What an answer takes: splits and multiply-adds of an average row, the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from ensemblekit.ensembles import StackingEnsembleClassifier, StackingEnsembleRegressor
from ensemblekit.packed.model import PackedModel
from ensemblekit.packed.packing import pack


def active_compute(model: Any, X: npt.ArrayLike) -> float:
    """Count node visits and multiply-adds of those parts that run for an average row.

    A visited node and a multiply-add count alike: each is an operation or two of a processor.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        Whatever `pack` packs; a stack of such models under a linear one; a pipeline that ends in one of these.
    X : array-like of shape (n, d)
        Rows as the model takes them.

    Returns
    -------
    float
        Operations a row.

    Raises
    ------
    TypeError
        For a model that cannot be packed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> active_compute(RandomForestClassifier(10, max_depth=1, random_state=0).fit(X, y), X)
    10.0
    """
    if isinstance(model, Pipeline):
        return active_compute(model[-1], model[:-1].transform(X))
    if isinstance(model, StackingEnsembleClassifier | StackingEnsembleRegressor):
        return sum(active_compute(member, X) for member in model.estimators_) + _of_last_model(model.final_estimator_)
    packed = model if isinstance(model, PackedModel) else pack(model)
    return packed.node_visits(X).active + packed.multiply_adds().active


def _of_last_model(model: Any) -> float:
    if not hasattr(model, "coef_"):
        raise TypeError(f"The compute of a stack is counted where its last model is linear; received {type(model).__name__}.")
    return float(np.size(model.coef_))
