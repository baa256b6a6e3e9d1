"""One expert before assembly: a linear model or trees, in the columns of the whole model's classes, or as a regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ensemblekit.trees.flat import TreeEnsemble, freeze
from ensemblekit.trees.reading import readers
from ensemblekit.trees.registry import Registry


class LinearExpert(NamedTuple):
    """A multinomial logistic model, or a linear regression.

    Attributes
    ----------
    coef : ndarray of float64, shape (n_own_classes, d)
        Coefficients; one row for a regression.
    intercept : ndarray of float64, shape (n_own_classes,)
        Intercepts.
    columns : ndarray of int, shape (n_own_classes,)
        Where its classes stand among the model's.
    link : {"softmax", "identity"}, default="softmax"
        "identity" for a regression.

    Examples
    --------
    >>> LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2)).coef.shape
    (2, 3)
    """

    coef: npt.NDArray[np.float64]
    intercept: npt.NDArray[np.float64]
    columns: npt.NDArray[np.intp]
    link: Literal["softmax", "identity"] = "softmax"


class TreeExpert(NamedTuple):
    """A forest or booster.

    Attributes
    ----------
    trees : TreeEnsemble
        Its trees.
    columns : ndarray of int, shape (n_own_classes,)
        Where its classes stand among the model's; [0] for a regressor.
    is_regression : bool, default=False
        Whether its margins are answers.

    Examples
    --------
    >>> TreeExpert._fields
    ('trees', 'columns', 'is_regression')
    """

    trees: TreeEnsemble
    columns: npt.NDArray[np.intp]
    is_regression: bool = False


Expert = LinearExpert | TreeExpert
expert_packers: Registry[Callable[[Any, npt.NDArray[np.intp]], Expert]] = Registry("Packing")
regressor_packers: Registry[Callable[[Any], Expert]] = Registry("Packing a regressor")
ONE_OUTPUT = np.zeros(1, np.intp)


def pack_expert(estimator: Any, classes: npt.NDArray[Any] | None) -> Expert:
    """Turn one fitted classifier or regressor into an expert.

    Parameters
    ----------
    estimator : fitted estimator
        With trees that `ensemblekit.trees.read_trees` knows, or a kind registered in `expert_packers` or `regressor_packers`;
        frozen or not.
    classes : ndarray, shape (C,), or None
        The whole model's labels as the estimator names them; it may know fewer. None for a regressor.

    Returns
    -------
    LinearExpert or TreeExpert
        The expert.

    Raises
    ------
    TypeError
        For a kind that cannot be packed.
    ValueError
        When the estimator knows a class that the model does not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> pack_expert(DecisionTreeClassifier().fit(X[:100], y[:100]), np.arange(3)).columns
    array([0, 1])
    """
    if isinstance(estimator, FrozenEstimator):
        return pack_expert(estimator.estimator, classes)
    if classes is None:
        regressor_packer = regressor_packers.find(estimator)
        check_is_fitted(estimator)
        return regressor_packer(estimator)
    packer = expert_packers.find(estimator)
    check_is_fitted(estimator)
    return packer(estimator, columns_of(estimator.classes_, classes))


def on_columns(expert: Expert, columns: Sequence[int] | None, n_features: int) -> Expert:
    """Let an expert that was fitted on some columns read them out of whole rows.

    Parameters
    ----------
    expert : LinearExpert or TreeExpert
        Fitted on ``len(columns)`` columns.
    columns : sequence of int, or None
        Where its columns stand in a row; None for all, in order.
    n_features : int
        Columns of a row.

    Returns
    -------
    LinearExpert or TreeExpert
        On `n_features` columns.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> expert = pack_expert(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), np.arange(2))
    >>> on_columns(expert, [4], 6).trees.feature
    array([ 4, -1, -1], dtype=int32)
    """
    if columns is None:
        return expert
    places = np.asarray(columns, np.int32)
    if isinstance(expert, LinearExpert):
        coef = np.zeros((n_features, len(expert.coef)))
        np.add.at(coef, places, expert.coef.T)  # a column that is named twice counts twice
        return expert._replace(coef=coef.T)
    trees = expert.trees
    moved = replace(
        trees,
        n_features=n_features,
        feature=np.where(trees.feature < 0, -1, places[trees.feature]).astype(np.int32),
        categorical_features=np.unique(places[trees.categorical_features]),
    )
    freeze(vars(moved))
    return expert._replace(trees=moved)


def columns_of(own: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Find an expert's classes among the model's.

    Parameters
    ----------
    own, classes : ndarray
        Labels; `classes` sorted.

    Returns
    -------
    ndarray of int, shape (len(own),)
        Positions.

    Raises
    ------
    ValueError
        When one is missing.

    Examples
    --------
    >>> columns_of(np.array(["b"]), np.array(["a", "b"]))
    array([1])
    """
    places = np.searchsorted(classes, own)
    if not np.array_equal(classes[np.minimum(places, len(classes) - 1)], own):
        raise ValueError(f"A member knows the classes {own.tolist()}, the model {classes.tolist()}.")
    return np.asarray(places)


def _pack_trees(estimator: Any, columns: npt.NDArray[np.intp]) -> TreeExpert:
    return TreeExpert(readers.find(estimator)(estimator), columns)


def _pack_regression_trees(estimator: Any) -> TreeExpert:
    return TreeExpert(readers.find(estimator)(estimator), ONE_OUTPUT, is_regression=True)


expert_packers.register(*(name for name in readers.names if not name.endswith("Regressor")))(_pack_trees)
regressor_packers.register(*(name for name in readers.names if name.endswith("Regressor")))(_pack_regression_trees)
