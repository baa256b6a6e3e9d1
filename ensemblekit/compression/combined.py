"""All experts' answers to some rows, kept apart, so that a change of one of them can be judged without asking the others again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from ensemblekit.compression.losses import loss_name, row_divergences
from ensemblekit.packed import PackedModel
from ensemblekit.packed.experts import Expert, TreeExpert
from ensemblekit.trees.flat import TreeEnsemble
from ensemblekit.trees.walk import leaf_nodes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Asked:
    """One expert asked about all rows.

    Attributes
    ----------
    margins : ndarray of float64, shape (n, C)
        Before the link.
    answers : ndarray of float64, shape (n, C)
        After it.
    leaves : ndarray of int32, shape (n, n_trees)
        Leaf reached in each tree; no columns for a linear expert.
    visits : ndarray of int64, shape (n,)
        Splits tested.

    Examples
    --------
    >>> Asked(np.zeros((1, 2)), np.full((1, 2), 0.5), np.zeros((1, 0), np.int32), np.zeros(1, np.int64)).answers
    array([[0.5, 0.5]])
    """

    margins: Floats
    answers: Floats
    leaves: Ints
    visits: npt.NDArray[np.int64]


def ask(expert: Expert, rows: npt.NDArray[np.float32]) -> Asked:
    """Ask one expert.

    Parameters
    ----------
    expert : LinearExpert or TreeExpert
        Over all of the model's classes, from `ensemblekit.packed.taking_apart.experts_of`.
    rows : ndarray of float32, shape (n, d)
        Rows.

    Returns
    -------
    Asked

    Examples
    --------
    >>> from ensemblekit.packed.experts import LinearExpert
    >>> ask(LinearExpert(np.zeros((2, 1)), np.zeros(2), np.arange(2)), np.zeros((1, 1), np.float32)).answers
    array([[0.5, 0.5]])
    """
    if not isinstance(expert, TreeExpert):
        margins = rows.astype(np.float64) @ expert.coef.T + expert.intercept
        none = np.zeros((len(rows), 0), np.int32)
        return Asked(margins, linked(margins, expert.link), none, np.zeros(len(rows), np.int64))
    trees = expert.trees
    leaves = leaf_nodes(trees, rows)
    margins = trees.scale * leaf_sums(trees, leaves) + trees.base
    return Asked(margins, linked(margins, trees.link), leaves, trees.depth[leaves].sum(axis=1, dtype=np.int64))


def leaf_sums(trees: TreeEnsemble, leaves: Ints) -> Floats:
    """Add the reached leaves up, for each output.

    Parameters
    ----------
    trees : TreeEnsemble
        The trees.
    leaves : ndarray of int32, shape (n, n_trees)
        Leaf reached in each tree.

    Returns
    -------
    ndarray of float64, shape (n, n_outputs)

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.trees import read_trees
    >>> trees = read_trees(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0]))
    >>> leaf_sums(trees, np.array([[2]]))
    array([[5.]])
    """
    values = trees.leaf_values[trees.leaf[leaves]]
    if trees.outputs[0] < 0:
        return np.asarray(values.sum(axis=1))
    return np.stack([values[:, trees.outputs == c, 0].sum(axis=1) for c in range(trees.n_outputs)], axis=1)


def linked(margins: Floats, link: str) -> Floats:
    """Turn margins into answers.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, C)
        Margins; minus infinity for a class that an expert never saw.
    link : {"identity", "softmax", "one-vs-all"}
        How.

    Returns
    -------
    ndarray of float64, shape (n, C)

    Examples
    --------
    >>> linked(np.array([[0.0, 0.0]]), "softmax")
    array([[0.5, 0.5]])
    """
    if link == "softmax":
        return np.asarray(softmax(margins, axis=1))
    return np.asarray(expit(margins)) if link == "one-vs-all" else margins


@dataclass(frozen=True, eq=False)
class Combined:
    """Answers of all experts under the gate's weights.

    Parameters
    ----------
    model : PackedModel
        For its combination and its loss.
    asked : sequence of Asked
        Each expert about all rows.
    weights : ndarray of float64, shape (n, K)
        Of the experts once routing is done.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> from ensemblekit.packed.taking_apart import experts_of
    >>> model = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> asked = [ask(expert, np.zeros((1, 1), np.float32)) for expert in experts_of(model)]
    >>> Combined(model, asked, np.ones((1, 1))).answers()
    array([[1., 0.]])
    """

    model: PackedModel
    asked: Sequence[Asked]
    weights: Floats

    def sums(self) -> Floats:
        """Add up what each expert contributes.

        Returns
        -------
        ndarray of float64, shape (n, C)
        """
        return np.asarray(sum(self._contribution(one.answers, self.weights[:, k]) for k, one in enumerate(self.asked)))

    def answers(self) -> Floats:
        """Answers of the whole model.

        Returns
        -------
        ndarray of float64, shape (n, C)
        """
        return self._finished(self.sums())

    def divergence(self, original: Floats) -> Floats:
        """Distance of each row's answer from what it was once.

        Parameters
        ----------
        original : ndarray of float64, shape (n, C)
            The answers of the model before any change.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        return row_divergences(loss_name(self.model), self.answers(), original)

    def divergence_if(self, k: int, rows: npt.NDArray[np.intp], margins: Floats, link: str, sums: Floats, original: Floats) -> Floats:
        """Distance in case that one expert had other margins.

        Parameters
        ----------
        k : int
            The expert.
        rows : ndarray of int, shape (m,)
            Rows, each as often as one likes.
        margins : ndarray of float64, shape (m, C)
            What its margins would be.
        link : str
            The expert's.
        sums : ndarray of float64, shape (n, C)
            From `sums`.
        original : ndarray of float64, shape (n, C)
            The answers of the model before any change.

        Returns
        -------
        ndarray of float64, shape (m,)
        """
        weight = self.weights[rows, k]
        new = self._contribution(linked(margins, link), weight)
        old = self._contribution(self.asked[k].answers[rows], weight)
        return row_divergences(loss_name(self.model), self._finished(sums[rows] + (new - old)), original[rows])

    def _contribution(self, answers: Floats, weight: Floats) -> Floats:
        if self.model.combination == "vote":
            answers = np.eye(answers.shape[1])[answers.argmax(axis=1)]
        elif self.model.combination == "product":
            answers = np.log(np.maximum(answers, np.finfo(float).tiny))
        return np.asarray(weight[:, None] * answers)

    def _finished(self, sums: Floats) -> Floats:
        return np.asarray(softmax(sums, axis=1)) if self.model.combination == "product" else sums
