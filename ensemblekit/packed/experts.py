"""One expert before assembly: a linear classifier or trees, in the columns of the whole model's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from ensemblekit.trees.flat import TreeEnsemble
from ensemblekit.trees.reading import readers
from ensemblekit.trees.registry import Registry


class LinearExpert(NamedTuple):
    """A multinomial logistic model.

    Attributes
    ----------
    coef : ndarray of float64, shape (n_own_classes, d)
        Coefficients.
    intercept : ndarray of float64, shape (n_own_classes,)
        Intercepts.
    columns : ndarray of int, shape (n_own_classes,)
        Where its classes stand among the model's.

    Examples
    --------
    >>> LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2)).coef.shape
    (2, 3)
    """

    coef: npt.NDArray[np.float64]
    intercept: npt.NDArray[np.float64]
    columns: npt.NDArray[np.intp]


class TreeExpert(NamedTuple):
    """A forest or booster.

    Attributes
    ----------
    trees : TreeEnsemble
        Its trees.
    columns : ndarray of int, shape (n_own_classes,)
        Where its classes stand among the model's.

    Examples
    --------
    >>> TreeExpert._fields
    ('trees', 'columns')
    """

    trees: TreeEnsemble
    columns: npt.NDArray[np.intp]


Expert = LinearExpert | TreeExpert
expert_packers: Registry[Callable[[Any, npt.NDArray[np.intp]], Expert]] = Registry("Packing")


def pack_expert(estimator: Any, classes: npt.NDArray[Any]) -> Expert:
    """Turn one fitted classifier into an expert.

    Parameters
    ----------
    estimator : fitted classifier
        With trees that `ensemblekit.trees.read_trees` knows, or a kind registered in `expert_packers`.
    classes : ndarray, shape (C,)
        The whole model's labels as the estimator names them; it may know fewer.

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
    packer = expert_packers.find(estimator)
    check_is_fitted(estimator)
    return packer(estimator, columns_of(estimator.classes_, classes))


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


expert_packers.register(*readers.names)(_pack_trees)
