"""The plain ensemble of the same budget as a mixture: what a gate has to beat."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.members import RandomState, count_on


def matched_ensemble(mixture: Any, *, random_state: RandomState = None) -> AveragingEnsembleClassifier | AveragingEnsembleRegressor:
    """Average of the mixture's experts, each fitted on all rows with a seed of its own and without a gate.

    So it has as many trees (or other models) as the mixture, and no more. Experts that the mixture left without rows
    are not counted.

    Parameters
    ----------
    mixture : fitted mixture of experts
        Its experts are estimators, given under ``experts_.estimators`` and fitted under ``experts_.estimators_``.
    random_state : int, RandomState instance or None, default=None
        Seed of the first member; the next ones count on from it.

    Returns
    -------
    AveragingEnsembleClassifier or AveragingEnsembleRegressor
        Not fitted; members ``seed_0``, ``seed_1``, ...

    Raises
    ------
    TypeError
        If the mixture's experts are not estimators.
    ValueError
        If the experts draw nothing, so that members with different seeds would be the same.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> forests = [RandomForestClassifier(n_estimators=50)] * 3
    >>> mixture = SimpleNamespace(experts_=SimpleNamespace(estimators=forests, estimators_=forests))
    >>> ensemble = matched_ensemble(mixture, random_state=7)
    >>> [(name, member.n_estimators, member.random_state) for name, member in ensemble.estimators]
    [('seed_0', 50, 7), ('seed_1', 50, 8), ('seed_2', 50, 9)]
    """
    bank: Any = getattr(mixture, "experts_", None)
    if not hasattr(bank, "estimators_"):
        raise TypeError(
            f"matched_ensemble needs a fitted mixture whose experts are estimators, such as forests; received "
            f"{type(mixture).__name__} with the experts {type(bank).__name__}."
        )
    trained = [
        expert
        for expert, fitted in zip(bank.estimators, bank.estimators_, strict=True)
        if not isinstance(fitted, DummyClassifier | DummyRegressor)
    ]
    members = [(f"seed_{position}", _with_seed(expert, count_on(random_state, position))) for position, expert in enumerate(trained)]
    ensemble = AveragingEnsembleClassifier if is_classifier(bank.estimators[0]) else AveragingEnsembleRegressor
    return ensemble(members)


def _with_seed(expert: Any, random_state: RandomState) -> Any:
    seeds = [key for key in expert.get_params(deep=True) if key.endswith("random_state")]
    if not seeds:
        raise ValueError(f"{type(expert).__name__} has no random_state: members that differ in the seed would be one.")
    return clone(expert).set_params(**dict.fromkeys(seeds, random_state))
