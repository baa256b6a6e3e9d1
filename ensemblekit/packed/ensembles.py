"""The plain ensembles: experts under a gate that looks at no column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ensemblekit.ensembles.fold_models import FoldMeanClassifier, FoldModel
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import Expert, LinearExpert, pack_expert
from ensemblekit.packed.model import Combination, PackedModel
from ensemblekit.packed.packing import packers


@packers.register("ensemblekit.AveragingEnsembleClassifier")
def pack_averaging(model: Any) -> PackedModel:
    """Pack the mean of the members.

    Parameters
    ----------
    model : fitted AveragingEnsembleClassifier
        Of members that can be packed.

    Returns
    -------
    PackedModel
        One expert for each member.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.ensembles import AveragingEnsembleClassifier
    >>> members = [(str(depth), DecisionTreeClassifier(max_depth=depth)) for depth in (1, 2)]
    >>> pack_averaging(AveragingEnsembleClassifier(members).fit(*load_iris(return_X_y=True))).n_experts
    2
    """
    check_is_fitted(model)
    return _pack_members(model, np.ones(len(model.estimators_)))


@packers.register("ensemblekit.WeightedEnsembleClassifier")
def pack_weighted(model: Any) -> PackedModel:
    """Pack the mean under learned weights; a member of weight zero never runs.

    Parameters
    ----------
    model : fitted WeightedEnsembleClassifier
        Of members that can be packed.

    Returns
    -------
    PackedModel
        One expert for each member.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.ensembles import WeightedEnsembleClassifier
    >>> members = [(str(depth), DecisionTreeClassifier(max_depth=depth)) for depth in (1, 2)]
    >>> pack_weighted(WeightedEnsembleClassifier(members, random_state=0).fit(*load_iris(return_X_y=True))).n_experts
    2
    """
    check_is_fitted(model)
    return _pack_members(model, model.weights_)


@packers.register("ensemblekit.VotingEnsembleClassifier", "sklearn.VotingClassifier")
def pack_voting(model: Any) -> PackedModel:
    """Pack a vote, hard or soft.

    Parameters
    ----------
    model : fitted VotingEnsembleClassifier or sklearn VotingClassifier
        Of members that can be packed.

    Returns
    -------
    PackedModel
        One expert for each member; combination "vote" for hard voting.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import VotingClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> members = [(str(depth), DecisionTreeClassifier(max_depth=depth)) for depth in (1, 2)]
    >>> pack_voting(VotingClassifier(members).fit(*load_iris(return_X_y=True))).combination
    'vote'
    """
    check_is_fitted(model)
    weights = _active_weights(model)
    return _pack_members(model, weights, "vote" if model.voting == "hard" else "mean")


def _active_weights(model: Any) -> npt.NDArray[np.float64]:
    if model.weights is None:
        return np.ones(len(model.estimators_))
    members = zip(model.named_estimators_.values(), model.weights, strict=True)
    return np.array([weight for member, weight in members if not isinstance(member, str)], np.float64)


def _pack_members(model: Any, weights: npt.NDArray[np.float64], combination: Combination = "mean") -> PackedModel:
    experts = [_experts_of(member, np.asarray(model.classes_), int(model.n_features_in_)) for member in model.estimators_]
    sizes = [len(some) for some in experts]
    return assemble(
        constant_gate(np.repeat(np.asarray(weights) / sizes, sizes)),
        [expert for some in experts for expert in some],
        kind=type(model).__name__,
        classes=np.asarray(model.classes_),
        n_features=int(model.n_features_in_),
        combination=combination,
    )


def _experts_of(member: Any, classes: npt.NDArray[Any], n_features: int) -> list[Expert]:
    """One expert, or one for each fold of which the member is the mean."""
    codes = np.arange(len(classes))  # members are fitted on the codes of the classes, frozen ones perhaps on their labels
    if isinstance(member, FoldMeanClassifier):
        return [_fold_expert(fold, codes, n_features) for fold in member.fold_models]
    if isinstance(member, FrozenEstimator):
        speaks_labels = np.array_equal(member.classes_, classes)
        return [pack_expert(member.estimator, classes if speaks_labels else codes)]
    return [pack_expert(member, codes)]


def _fold_expert(fold: FoldModel, codes: npt.NDArray[np.intp], n_features: int) -> Expert:
    present = codes if fold.present is None else fold.present
    if fold.model is None:  # training rows of one class: always that class
        return LinearExpert(np.zeros((1, n_features)), np.zeros(1), present)
    expert = pack_expert(fold.model, np.arange(len(present)))
    return expert._replace(columns=present[expert.columns])
