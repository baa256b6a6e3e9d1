"""What a fitted ensemble tells about itself."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.ensembles.base import BaseEnsemble, BaseEnsembleClassifier
from ensemblekit.ensembles.stacking import BaseStackingEnsemble
from ensemblekit.ensembles.voting import VotingEnsembleClassifier, VotingEnsembleRegressor, weighted_median
from ensemblekit_reports.insights.plain import EnsembleInsight, Member, SmallerEnsemble
from ensemblekit_reports.insights.scores import Judge
from ensemblekit_reports.insights.subject import Floats, Subject

#: Of more members there are too many choices to score them all.
_MOST_MEMBERS = 10
_TEST_ROWS = 5_000


def ensemble_insight(subject: Subject, model: str) -> EnsembleInsight:
    """Ask the members of a fitted ensemble about the test rows.

    Parameters
    ----------
    subject : Subject
        A fitted ensemble.
    model : str
        Its name in the study.

    Returns
    -------
    EnsembleInsight

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.ensembles import AveragingEnsembleClassifier
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> trees = [(str(depth), DecisionTreeClassifier(max_depth=depth, random_state=0)) for depth in (1, 2)]
    >>> ensemble = AveragingEnsembleClassifier(trees).fit(table.X, table.y)
    >>> insight = ensemble_insight(Subject(ensemble, table, np.arange(150) % 5 == 0, "passthrough"), "averaging")
    >>> [member.weight for member in insight.members]
    [0.5, 0.5]
    """
    ensemble, rows = subject.fitted, subject.test_rows[:_TEST_ROWS]
    ready = subject.ready(subject.table.X[rows])
    truth = subject.table.y[rows]
    weights = None if subject.table.weights is None else subject.table.weights[rows]
    judge = Judge(truth, weights, classes=isinstance(ensemble, BaseEnsembleClassifier))
    members = np.asarray(ensemble._answers(ready), dtype=np.float64)
    weighing, counts = _weights(ensemble, members)
    names = [name for name, member in ensemble.named_estimators_.items() if not isinstance(member, str)]
    scores = [judge.score(_decide(ensemble, answers)) or 0.0 for answers in members]
    return EnsembleInsight(
        dataset=subject.table.name,
        model=model,
        n_rows=len(rows),
        score_name=judge.name,
        score=judge.score(np.asarray(ensemble.predict(ready))) or 0.0,
        weighing=weighing,
        members=tuple(Member(name, round(float(w), 4), s) for name, w, s in zip(names, counts, scores, strict=True)),
        correlation=_error_correlation(ensemble, members, truth),
        smaller=() if weighing == "influence" else _smaller(ensemble, members, counts, judge),
    )


def _weights(ensemble: BaseEnsemble, members: Floats) -> tuple[str, Floats]:
    if hasattr(ensemble, "weights_"):
        return "learned", np.asarray(ensemble.weights_, dtype=np.float64)
    if isinstance(ensemble, BaseStackingEnsemble) and hasattr(ensemble.final_estimator_, "coef_"):
        return "influence", _influence(ensemble, members)
    given = getattr(ensemble, "weights", None)
    counts = np.ones(len(members)) if given is None else np.asarray(given, dtype=np.float64)
    return "equal" if given is None else "given", counts / counts.sum()


def _influence(ensemble: Any, members: Floats) -> Floats:
    """Share of each member in the last model's coefficients, each times the spread of the column that it is for."""
    stacked = [answers[:, 1:] if answers.ndim == 2 and answers.shape[1] == 2 else answers for answers in members]
    spread = np.concatenate([np.atleast_1d(columns.std(axis=0)) for columns in stacked])
    strength = np.abs(np.atleast_2d(ensemble.final_estimator_.coef_)).sum(axis=0) * spread
    by_member = strength.reshape(len(members), -1).sum(axis=1)
    total = by_member.sum()
    shares: Floats = by_member / total if total > 0 else np.full(len(members), 1 / len(members))
    return shares


def _decide(ensemble: BaseEnsemble, answers: Floats) -> NDArray[Any]:
    """Turn probabilities into labels; numbers are answers already."""
    if isinstance(ensemble, BaseEnsembleClassifier):
        labels: NDArray[Any] = np.asarray(ensemble.classes_)[answers.argmax(axis=1)]
        return labels
    return answers


def _error_correlation(ensemble: BaseEnsemble, members: Floats, truth: NDArray[Any]) -> tuple[tuple[float | None, ...], ...]:
    if isinstance(ensemble, BaseEnsembleClassifier):
        # a class that training did not see gets no probability from any member
        given = np.asarray(truth)[:, None] == np.asarray(ensemble.classes_)
        errors = 1 - np.where(given, members, 0.0).sum(axis=2)
    else:
        errors = members - truth
    centred = errors - errors.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(axis=1))
    alike = np.outer(spread, spread)
    found = np.divide(centred @ centred.T, alike, out=np.full(alike.shape, np.nan), where=alike > 1e-12)
    return tuple(tuple(None if np.isnan(value) else round(float(np.clip(value, -1, 1)), 3) for value in line) for line in found)


def _smaller(ensemble: BaseEnsemble, members: Floats, counts: Floats, judge: Judge) -> tuple[SmallerEnsemble, ...]:
    """Score every choice of members, their weights kept in proportion."""
    used = np.flatnonzero(counts > 0)
    if not 2 <= len(used) <= _MOST_MEMBERS:
        return ()
    said = _ballots(members) if isinstance(ensemble, VotingEnsembleClassifier) and ensemble.voting == "hard" else members
    combine = weighted_median if isinstance(ensemble, VotingEnsembleRegressor) else _weighted_mean
    found = []
    for size in range(1, len(used) + 1):
        choices = [list(choice) for choice in combinations(used, size)]
        mixed = [combine(said[choice], counts[choice]) for choice in choices]
        scores = [score for answers in mixed if (score := judge.score(_decide(ensemble, answers))) is not None]
        order = (min, max) if judge.classes else (max, min)
        found.append(SmallerEnsemble(size, round(float(np.mean(scores)), 5), order[0](scores), order[1](scores)))
    return tuple(found)


def _weighted_mean(answers: Floats, weights: Floats) -> Floats:
    mean: Floats = np.average(answers, axis=0, weights=weights)
    return mean


def _ballots(members: Floats) -> Floats:
    """One vote for each member's likeliest class."""
    return np.eye(members.shape[2])[members.argmax(axis=2)]
