"""What a fitted model computes for a row: the one cost that is the same on every machine."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.costs import visits
from ensemblekit.ensembles.stacking import BaseStackingEnsemble
from ensemblekit.ensembles.voting import VotingEnsembleClassifier, VotingEnsembleRegressor
from ensemblekit.ensembles.weighted import BaseWeightedEnsemble
from ensemblekit.packed.ensembles import weights_of_votes
from ensemblekit.packed.model import PackedModel, Work
from ensemblekit.packed.packing import pack

NOTHING = Work(0.0, 0.0)


class Compute(NamedTuple):
    """Work for an average row, in its two kinds.

    Attributes
    ----------
    node_visits : Work
        Splits of trees that are tested.
    multiply_adds : Work
        Of linear models and gates.

    Examples
    --------
    >>> Compute(Work(800.0, 100.0), Work(12.0, 12.0)).active
    112.0
    """

    node_visits: Work
    multiply_adds: Work

    @property
    def total(self) -> float:
        """Operations of both kinds when every expert and member runs."""
        return self.node_visits.total + self.multiply_adds.total

    @property
    def active(self) -> float:
        """Operations of both kinds of those that run."""
        return self.node_visits.active + self.multiply_adds.active


def active_compute(model: Any, X: Any) -> float:
    """Count the operations of those parts that run for an average row: `compute` as one number, for whoever minimises it.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        As for `compute`.
    X : array-like of shape (n, d)
        Rows as the model takes them.

    Returns
    -------
    float
        Node visits and multiply-adds of a row; each is an operation or two of a processor.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> active_compute(RandomForestClassifier(10, max_depth=1, random_state=0).fit(X, y), X)
    10.0
    """
    return compute(model, X).active


@singledispatch
def compute(model: Any, X: Any) -> Compute:
    """Count what a fitted model computes to answer an average row.

    Trees are counted by the splits that a row tests, linear models and gates by their multiply-adds. What puts the answers
    together, a few operations for each class, is not counted, and neither is any preprocessing.

    Parameters
    ----------
    model : fitted estimator
        What `ensemblekit.trees.read_trees` or `ensemblekit.packed.pack` knows, ensembles of these, stacked ones too, and pipelines that
        end in one.
    X : array-like of shape (n, d)
        Rows to average over, as the model takes them.

    Returns
    -------
    Compute
        The same in every run and on every machine, if the model is.

    Raises
    ------
    TypeError
        For a kind that cannot be counted.
    ValueError
        For settings that plain arrays cannot express, such as routing at random.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> compute(RandomForestClassifier(10, max_depth=1, random_state=0).fit(X, y), X).active
    10.0
    >>> compute(LogisticRegression(max_iter=500).fit(X, y), X).active
    12.0
    """
    try:
        counted = visits(model, X)
    except TypeError:  # no trees alone
        return compute(pack(model), X)
    return Compute(Work(counted, counted), NOTHING)


@compute.register
def _(model: PackedModel, X: Any) -> Compute:
    return Compute(model.node_visits(X), model.multiply_adds(X))


@compute.register
def _(model: Pipeline, X: Any) -> Compute:
    return compute(model[-1], model[:-1].transform(X) if len(model) > 1 else X)


@compute.register(AveragingEnsembleClassifier)
@compute.register(AveragingEnsembleRegressor)
def _(model: Any, X: Any) -> Compute:
    return _of_members(model.estimators_, np.ones(len(model.estimators_)), X)


@compute.register
def _(model: BaseWeightedEnsemble, X: Any) -> Compute:
    return _of_members(model.estimators_, model.weights_, X)


@compute.register(VotingEnsembleClassifier)
@compute.register(VotingEnsembleRegressor)
def _(model: Any, X: Any) -> Compute:
    return _of_members(model.estimators_, weights_of_votes(model), X)


@compute.register
def _(model: BaseStackingEnsemble, X: Any) -> Compute:
    members = _of_members(model.estimators_, np.ones(len(model.estimators_)), X)
    return _sum([members, compute(model.final_estimator_, model._stacked(X))])


def _of_members(members: list[Any], weights: npt.NDArray[np.float64], X: Any) -> Compute:
    """Add members up; those of weight zero are not asked."""
    counted = [compute(member, X) for member in members]
    idle = [Compute(*(Work(work.total, 0.0) for work in each)) for each in counted]
    return _sum([each if weight else none for each, none, weight in zip(counted, idle, weights, strict=True)])


def _sum(parts: list[Compute]) -> Compute:
    return Compute(*(Work(*np.sum(kind, axis=0).tolist()) for kind in zip(*parts, strict=True)))
