"""A model and rows for it: packed, and known to belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.packed import PackedModel, pack


def accepted(model: Any, X: npt.ArrayLike) -> tuple[PackedModel, npt.NDArray[np.float32]]:
    """Pack a model, and cast rows to what it reads.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        Whatever `ensemblekit.packed.pack` packs, but no pipeline with steps before its last one.
    X : array-like of shape (n, d)
        Rows; of a data frame and a model that was fitted to one, the names have to be the same, in the same order.

    Returns
    -------
    PackedModel
    ndarray of float32, shape (n, d)

    Raises
    ------
    ValueError
        For such a pipeline, for other columns than those of the fit, and for rows that the packed model cannot take, such as NaN where the
        gate is linear.
    TypeError
        For a model that cannot be packed.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> accepted(make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit([[0.0], [1.0]], [0, 1]), [[0.0]])
    Traceback (most recent call last):
    ValueError: A packed Pipeline leaves its first steps outside, ['standardscaler'], and rows would skip them: compress its last step, ...
    """
    if isinstance(model, PackedModel):
        return model, model._rows(X)
    packed = pack(model)
    if packed.preprocessing:
        raise ValueError(
            f"A packed {type(model).__name__} leaves its first steps outside, {list(packed.preprocessing)}, and rows would skip them: "
            "compress its last step, with the rows that they make, or let a compressed estimator be the last step of the pipeline."
        )
    _check_names(model, X)
    return packed, packed._rows(X)


def _check_names(model: Any, X: Any) -> None:
    """Refuse a frame whose columns are others than those of the fit: the packed model reads them by place."""
    known, given = getattr(model, "feature_names_in_", None), getattr(X, "columns", None)
    if known is not None and given is not None and list(known) != list(given):
        raise ValueError(f"X has the columns {list(given)}, and the model was fitted to {list(known)}: give these, in their order.")
