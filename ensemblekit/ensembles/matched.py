"""The plain ensemble of the same budget as a mixture: what a gate has to beat."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.members import RandomState, Task, count_on, make_members


def matched_ensemble(mixture: Any, *, random_state: RandomState = None) -> AveragingEnsembleClassifier | AveragingEnsembleRegressor:
    """Average of as many models as the mixture has experts, each fitted on all rows with a seed of its own and without a gate.

    So it has as many trees (or other models) as the mixture, and no more. Experts that are estimators become the members
    as they are; those that the mixture left without rows are not counted. Boosted experts become LightGBM members of
    `make_members`, with the experts' learning rate and size of trees, among which all rounds of the mixture, those of a
    shared base too, are divided evenly.

    Parameters
    ----------
    mixture : fitted mixture of experts
        Its experts are boosted, or estimators, given under ``experts_.estimators`` and fitted under
        ``experts_.estimators_``.
    random_state : int, RandomState instance or None, default=None
        Seed of the first member; the next ones count on from it.

    Returns
    -------
    AveragingEnsembleClassifier or AveragingEnsembleRegressor
        Not fitted; members ``seed_0``, ``seed_1``, ...

    Raises
    ------
    TypeError
        If the mixture's experts are neither boosted nor estimators.
    ValueError
        If the experts draw nothing, so that members with different seeds would be the same, or if the boosted experts
        kept no tree.

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
    if hasattr(bank, "boosters_"):
        models = _boosters_of(bank)
    elif hasattr(bank, "estimators_"):
        models = _trained_estimators_of(bank)
    else:
        raise TypeError(
            f"matched_ensemble needs a fitted mixture whose experts are boosted, or estimators such as forests; received "
            f"{type(mixture).__name__} with the experts {type(bank).__name__}."
        )
    members = [(f"seed_{position}", _with_seed(model, count_on(random_state, position))) for position, model in enumerate(models)]
    ensemble = AveragingEnsembleClassifier if is_classifier(models[0]) else AveragingEnsembleRegressor
    return ensemble(members)


def _trained_estimators_of(bank: Any) -> list[Any]:
    """Experts as they were given, without those whose place a constant took."""
    pairs = zip(bank.estimators, bank.estimators_, strict=True)
    return [given for given, fitted in pairs if not isinstance(fitted, DummyClassifier | DummyRegressor)]


def _boosters_of(bank: Any) -> list[Any]:
    """LightGBM models with the experts' trees between them, one for each expert."""
    task: Task = "regression" if bank.n_classes_ is None else "classification"
    trees_a_round = bank.base_.shape[1]
    boosters = [booster for booster in (bank.shared_booster_, *bank.boosters_) if booster is not None]
    n_rounds = sum(booster.num_trees() for booster in boosters) // trees_a_round
    if n_rounds == 0:
        raise ValueError("The boosted experts kept no tree: no ensemble of trees is as small.")
    size = {name: getattr(bank, name) for name in ("learning_rate", "num_leaves", "max_depth")}
    (_, member), *_ = make_members("lightgbm", task=task)
    n_members = min(len(bank.boosters_), n_rounds)
    rounds = [n_rounds // n_members + (position < n_rounds % n_members) for position in range(n_members)]
    return [clone(member).set_params(n_estimators=n, **size) for n in rounds]


def _with_seed(expert: Any, random_state: RandomState) -> Any:
    seeds = [key for key in expert.get_params(deep=True) if key.endswith("random_state")]
    if not seeds:
        raise ValueError(f"{type(expert).__name__} has no random_state: members that differ in the seed would be one.")
    return clone(expert).set_params(**dict.fromkeys(seeds, random_state))
