"""The plain ensembles: experts under a gate that looks at no column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ensemblekit.ensembles.fold_models import FoldMeanClassifier, FoldMeanRegressor, FoldModel
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import Expert, LinearExpert, pack_expert
from ensemblekit.packed.model import Combination, PackedModel
from ensemblekit.packed.packing import packers


@packers.register("ensemblekit.AveragingEnsembleClassifier", "ensemblekit.AveragingEnsembleRegressor")
def pack_averaging(model: Any) -> PackedModel:
    """Pack the mean of the members.

    Parameters
    ----------
    model : fitted AveragingEnsembleClassifier or AveragingEnsembleRegressor
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


@packers.register("ensemblekit.WeightedEnsembleClassifier", "ensemblekit.WeightedEnsembleRegressor")
def pack_weighted(model: Any) -> PackedModel:
    """Pack the mean under learned weights; a member of weight zero never runs.

    Parameters
    ----------
    model : fitted WeightedEnsembleClassifier or WeightedEnsembleRegressor
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

    Raises
    ------
    ValueError
        When the vote may be void.

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
    if getattr(model, "abstain_below", None) is not None:
        raise ValueError("A packed model always answers, and this vote may be void: set abstain_below=None to pack it.")
    weights = weights_of_votes(model)
    return _pack_members(model, weights, "vote" if model.voting == "hard" else "mean")


@packers.register("sklearn.VotingRegressor")
def pack_voting_regressor(model: Any) -> PackedModel:
    """Pack the weighted mean of regressors.

    Parameters
    ----------
    model : fitted VotingRegressor
        Of members that can be packed.

    Returns
    -------
    PackedModel
        One expert for each member.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import VotingRegressor
    >>> from sklearn.linear_model import LinearRegression, Ridge
    >>> members = [("plain", LinearRegression()), ("ridge", Ridge())]
    >>> pack_voting_regressor(VotingRegressor(members).fit(*load_diabetes(return_X_y=True))).n_experts
    2
    """
    check_is_fitted(model)
    return _pack_members(model, weights_of_votes(model))


def weights_of_votes(model: Any) -> npt.NDArray[np.float64]:
    """Return how much each member of a vote counts, those dropped left out.

    Parameters
    ----------
    model : fitted voting ensemble
        Of this package or of scikit-learn.

    Returns
    -------
    ndarray of float64, shape (n_members,)
        Ones where no weights were given.

    Examples
    --------
    >>> from sklearn.ensemble import VotingRegressor
    >>> from sklearn.linear_model import Ridge
    >>> votes = VotingRegressor([("a", Ridge()), ("b", "drop"), ("c", Ridge())], weights=[1, 2, 3])
    >>> weights_of_votes(votes.fit([[0.0], [1.0]], [0.0, 1.0]))
    array([1., 3.])
    """
    if model.weights is None:
        return np.ones(len(model.estimators_))
    members = zip(model.named_estimators_.values(), model.weights, strict=True)
    return np.array([weight for member, weight in members if not isinstance(member, str)], np.float64)


def _pack_members(model: Any, weights: npt.NDArray[np.float64], combination: Combination = "mean") -> PackedModel:
    classes = None if is_regressor(model) else np.asarray(model.classes_)
    d = int(model.n_features_in_)
    members = zip(model.estimators_, weights, strict=True)
    parts = [part for member, weight in members for part in _parts(member, float(weight), classes, d)]
    return assemble(
        constant_gate([weight for weight, _ in parts]),
        [expert for _, expert in parts],
        kind=type(model).__name__,
        classes=classes,
        n_features=d,
        combination=combination,
    )


def _parts(member: Any, weight: float, classes: npt.NDArray[Any] | None, n_features: int) -> list[tuple[float, Expert]]:
    """Weight and expert of a member; a member that is a mean over folds has one for each fold."""
    if isinstance(member, (FoldMeanClassifier, FoldMeanRegressor)):
        share = weight / len(member.fold_models)
        return [(share, _fold_expert(fold, classes, n_features)) for fold in member.fold_models]
    return [(weight, pack_expert(member, _spoken(member, classes)))]


def _spoken(member: Any, classes: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
    """Classes as the member names them: members are fitted on the codes, frozen ones on the labels."""
    if classes is None or not isinstance(member, FrozenEstimator):
        return None if classes is None else np.arange(len(classes))
    return classes if np.array_equal(member.classes_, classes) else np.arange(len(classes))


def _fold_expert(fold: FoldModel, classes: npt.NDArray[Any] | None, n_features: int) -> Expert:
    if classes is None:
        return pack_expert(fold.model, None)
    present = np.arange(len(classes)) if fold.present is None else fold.present
    if fold.model is None:  # one class only
        return LinearExpert(np.zeros((1, n_features)), np.zeros(1), present)
    expert = pack_expert(fold.model, np.arange(len(present)))
    return expert._replace(columns=present[expert.columns])
