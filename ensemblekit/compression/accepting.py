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
    return packed, rows_for(model, packed, X)


def rows_for(model: Any, packed: PackedModel, X: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Cast rows to what a packed model reads.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        What was packed, which may know the names of its columns.
    packed : PackedModel
        The same one packed.
    X : array-like of shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float32, shape (n, d)

    Raises
    ------
    ValueError
        As of `accepted`.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    >>> rows_for(tree, pack(tree), [[3.0]])
    array([[3.]], dtype=float32)
    """
    _check_names(model, X)
    return packed._rows(X)


def _check_names(model: Any, X: Any) -> None:
    """Refuse a frame whose columns are others than those of the fit: the packed model reads them by place.

    As scikit-learn does, for names that are strings. LightGBM keeps them with underscores for spaces.
    """
    known, given = getattr(model, "feature_names_in_", None), getattr(X, "columns", None)
    if known is None or given is None or not all(isinstance(name, str) for name in given):
        return
    if [str(name).replace(" ", "_") for name in known] != [name.replace(" ", "_") for name in given]:
        raise ValueError(
            f"X has the columns {list(given)}, and the model was fitted to {list(map(str, known))}: give these, in their order."
        )
