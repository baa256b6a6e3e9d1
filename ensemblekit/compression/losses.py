"""The loss that compression is judged by: of each row, and from the answers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ensemblekit.packed import PackedModel

#: Smallest probability in the log-loss. A forest may give a class none at all, and one such row must not outweigh all others.
SMALLEST = 1e-6


def loss_name(model: PackedModel) -> str:
    """Say which loss judges a model.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    {"log-loss", "Brier score", "squared error"}
        The Brier score for hard votes, whose shares are often 0 or 1.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> loss_name(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
    'log-loss'
    """
    if not model.is_classifier:
        return "squared error"
    return "Brier score" if model.combination == "vote" else "log-loss"


def targets(model: PackedModel, y: npt.ArrayLike) -> npt.NDArray[Any]:
    """Turn labels into positions among the model's classes; numbers stay.

    Parameters
    ----------
    model : PackedModel
        The model.
    y : array-like of shape (n,)
        Labels, or numbers.

    Returns
    -------
    ndarray of int64 or float64, shape (n,)

    Raises
    ------
    ValueError
        For a label that the model does not know, or a number that is none.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> targets(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], ["no", "yes"])), ["yes", "no"])
    array([1, 0])
    """
    if not model.is_classifier:
        return amounts(y)
    labels = np.asarray(y)
    codes = positions(labels, model.classes)
    refuse_unknown(labels[codes < 0], model.classes)
    return codes


def amounts(y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Check a regressor's true answers.

    Parameters
    ----------
    y : array-like of shape (n,)
        Numbers.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        For what is no number, or not finite.

    Examples
    --------
    >>> amounts([1.0, float("nan")])
    Traceback (most recent call last):
    ValueError: y must be finite; 1 of 2 answers are NaN or infinite.
    """
    numbers = np.asarray(y, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"y must be finite; {np.sum(~np.isfinite(numbers))} of {numbers.size} answers are NaN or infinite.")
    return numbers


def positions(labels: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Find labels among classes.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels.
    classes : ndarray of shape (C,)
        Sorted.

    Returns
    -------
    ndarray of intp, shape (n,)
        -1 for a label that is none of them.

    Examples
    --------
    >>> positions(np.array(["b", "z"]), np.array(["a", "b"]))
    array([ 1, -1])
    """
    codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    return np.where(classes[codes] == labels, codes, -1)


def refuse_unknown(unknown: npt.NDArray[Any], classes: npt.NDArray[Any]) -> None:
    """Raise for labels that a model does not know, if there are any.

    Parameters
    ----------
    unknown : ndarray
        Labels that are not among `classes`.
    classes : ndarray of shape (C,)
        Those that the model knows.

    Raises
    ------
    ValueError
        If `unknown` is not empty.

    Examples
    --------
    >>> refuse_unknown(np.array(["z"]), np.array(["a", "b"]))
    Traceback (most recent call last):
    ValueError: y holds labels that the model does not know: ['z']; it knows ['a', 'b'].
    """
    if len(unknown):
        raise ValueError(f"y holds labels that the model does not know: {np.unique(unknown)[:5].tolist()}; it knows {classes.tolist()}.")


def row_losses(name: str, answers: npt.NDArray[np.float64], target: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Loss of each row.

    Parameters
    ----------
    name : {"log-loss", "Brier score", "squared error"}
        From `loss_name`.
    answers : ndarray of float64, shape (n, C)
        Probabilities, or a regressor's answers with C = 1.
    target : ndarray, shape (n,)
        From `targets`.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> row_losses("Brier score", np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]))
    array([0. , 0.5])
    """
    if name == "squared error":
        return np.asarray(np.square(answers[:, 0] - target))
    of_truth = answers[np.arange(len(answers)), target]
    if name == "Brier score":
        return np.asarray(np.square(answers).sum(axis=1) - 2 * of_truth + 1)
    return np.asarray(-np.log(np.maximum(of_truth, SMALLEST)))


def row_divergences(name: str, answers: npt.NDArray[np.float64], original: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Say how far each row's answer is from what it was: the loss to expect if the original answers were the truth.

    Parameters
    ----------
    name : {"log-loss", "Brier score", "squared error"}
        From `loss_name`.
    answers, original : ndarray of float64, shape (n, C)
        New and old ones.

    Returns
    -------
    ndarray of float64, shape (n,)
        Kullback-Leibler divergence for the log-loss, else the squared distance; 0 where nothing changed.

    Examples
    --------
    >>> row_divergences("log-loss", np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])).round(3)
    array([0.693])
    """
    if name != "log-loss":
        return np.asarray(np.square(answers - original).sum(axis=1))
    ratio = np.maximum(original, SMALLEST) / np.maximum(answers, SMALLEST)
    return np.asarray((original * np.log(ratio)).sum(axis=1))


def answers_to(model: PackedModel, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Ask a classifier or a regressor alike.

    Parameters
    ----------
    model : PackedModel
        The model.
    X : array-like of shape (n, d)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n, C)
        Probabilities, or a regressor's answers with C = 1.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.packed import pack
    >>> answers_to(pack(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0])), [[1.0]])
    array([[5.]])
    """
    return model.predict_proba(X) if model.is_classifier else model.predict(X)[:, None]


def losses_of(model: PackedModel, X: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Loss of a packed model for each row.

    Parameters
    ----------
    model : PackedModel
        The model.
    X : array-like of shape (n, d)
        Rows.
    y : array-like of shape (n,)
        Labels, or numbers.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.packed import pack
    >>> losses_of(pack(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0])), [[1.0]], [4.0])
    array([1.])
    """
    return row_losses(loss_name(model), answers_to(model, X), targets(model, y))


def mean_loss(model: PackedModel, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Mean loss of a packed model.

    Parameters
    ----------
    model : PackedModel
        The model.
    X : array-like of shape (n, d)
        Rows.
    y : array-like of shape (n,)
        Labels, or numbers.

    Returns
    -------
    float
        Natural logarithm; squared units of `y` for a regressor.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> mean_loss(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])), [[0.2]], [0]) < 1e-9
    True
    """
    return float(losses_of(model, X, y).mean())
