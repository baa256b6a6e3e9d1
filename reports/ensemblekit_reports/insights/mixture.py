"""What a fitted mixture tells about itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.displays.expert_load import effective_number
from ensemblekit.mixture.classifier import MixtureOfExpertsClassifier
from ensemblekit_reports.insights.explained import explained_rows
from ensemblekit_reports.insights.gate_drivers import drivers
from ensemblekit_reports.insights.gate_maps import gate_maps
from ensemblekit_reports.insights.gate_rules import best_rule
from ensemblekit_reports.insights.plain import Driver, Expert, MixtureInsight
from ensemblekit_reports.insights.scores import Judge
from ensemblekit_reports.insights.subject import Floats, Subject

#: Rows of the whole table that rules are looked for in, and steps of a trace that are kept.
_RULE_ROWS, _STEPS = 1_000, 200
#: Experts answer about at most so many test rows.
_TEST_ROWS = 5_000


def mixture_insight(subject: Subject, model: str) -> MixtureInsight:
    """Ask a fitted mixture about the test rows.

    Parameters
    ----------
    subject : Subject
        A fitted mixture.
    model : str
        Its name in the study.

    Returns
    -------
    MixtureInsight

    Examples
    --------
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> mixture = MixtureOfExpertsClassifier(2, random_state=0).fit(table.X, table.y)
    >>> insight = mixture_insight(Subject(mixture, table, np.arange(150) % 5 == 0, "passthrough"), "moe")
    >>> sum(expert.leads for expert in insight.experts)
    30
    """
    mixture, rows = subject.fitted, subject.test_rows[:_TEST_ROWS]
    raw = subject.table.X[rows]
    proba = subject.gate(raw)
    driving = drivers(subject) if proba.shape[1] > 1 else ((),)
    answers = np.asarray(mixture.predict(subject.ready(raw)))
    steps = _kept_steps(len(mixture.lower_bounds_))
    return MixtureInsight(
        dataset=subject.table.name,
        model=model,
        gate=type(mixture.gate_).__name__,
        bank=type(mixture.experts_).__name__,
        n_rows=len(rows),
        score_name=_judge(subject, rows).name,
        entropy=round(_mean_entropy(proba), 4),
        effective=round(float(effective_number(proba.mean(axis=0)[None])[0]), 4),
        effective_per_row=round(float(effective_number(proba).mean()), 4),
        experts=_experts(subject, rows, proba, answers, driving),
        steps=tuple(int(step) for step in steps),
        bounds=tuple(round(float(mixture.lower_bounds_[step]), 4) for step in steps),
        converged=bool(mixture.converged_),
        maps=gate_maps(subject, driving) if proba.shape[1] > 1 else (),
        rows=explained_rows(subject, proba, answers) if proba.shape[1] > 1 else (),
    )


def _judge(subject: Subject, rows: NDArray[np.intp]) -> Judge:
    table = subject.table
    weights = None if table.weights is None else table.weights[rows]
    return Judge(table.y[rows], weights, classes=isinstance(subject.fitted, MixtureOfExpertsClassifier))


def _mean_entropy(proba: Floats) -> float:
    logs = np.log(proba, where=proba > 0, out=np.zeros_like(proba))
    return float(-(proba * logs).sum(axis=1).mean())


def _kept_steps(n_steps: int) -> NDArray[np.intp]:
    kept: NDArray[np.intp] = np.unique(np.linspace(0, n_steps - 1, min(n_steps, _STEPS)).round().astype(np.intp))
    return kept


def _experts(
    subject: Subject, rows: NDArray[np.intp], proba: Floats, answers: NDArray[Any], driving: tuple[tuple[Driver, ...], ...]
) -> tuple[Expert, ...]:
    judge, leader = _judge(subject, rows), proba.argmax(axis=1)
    ready = subject.ready(subject.table.X[rows])
    taken = np.asarray(subject.fitted._shares(ready), dtype=np.float64).mean(axis=0)
    said = _experts_answers(subject.fitted, ready)
    described = np.sort(np.random.default_rng(0).permutation(len(subject.table.y))[:_RULE_ROWS])
    sample = subject.table.X[described]
    leads = subject.gate(sample).argmax(axis=1)
    names = [column.name for column in subject.table.columns]
    return tuple(
        Expert(
            given=round(float(proba[:, k].mean()), 4),
            taken=round(float(taken[k]), 4),
            leads=int((leader == k).sum()),
            own=judge.score(said[:, k], leader == k),
            elsewhere=judge.score(said[:, k], leader != k),
            mixture=judge.score(answers, leader == k),
            drivers=driving[k],
            rule=best_rule(subject, sample, leads == k, [names.index(driver.column) for driver in driving[k]]),
        )
        for k in range(proba.shape[1])
    )


def _experts_answers(mixture: Any, ready: Floats) -> NDArray[Any]:
    """Return the answer of each expert alone, of shape (n_rows, n_experts)."""
    if isinstance(mixture, MixtureOfExpertsClassifier):
        answers: NDArray[Any] = np.asarray(mixture.classes_)[np.asarray(mixture.expert_proba(ready)).argmax(axis=2)]
        return answers
    return np.asarray(mixture.expert_predict(ready))
