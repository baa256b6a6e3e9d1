"""Why this row went to that expert: each of its values is put back to the typical one, and the odds are asked again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.insights.plain import Contribution, ExplainedRow
from ensemblekit_reports.insights.subject import Floats, Subject

#: Rows of each kind, and columns that an explanation names.
_TYPICAL, _DOUBTFUL, _COLUMNS = 3, 2, 5
#: Log-odds of what is all but impossible stay finite.
_LEAST = 1e-6


def explained_rows(subject: Subject, proba: Floats, answers: NDArray[Any]) -> tuple[ExplainedRow, ...]:
    """Explain a row that is typical for each of the busiest experts, and the rows that the gate doubts most.

    Parameters
    ----------
    subject : Subject
        A fitted mixture of at least two experts.
    proba : ndarray of shape (n_test_rows, n_experts)
        Gate probabilities of the test rows.
    answers : ndarray of shape (n_test_rows,)
        What the mixture answers there.

    Returns
    -------
    tuple of ExplainedRow
    """
    leader = proba.argmax(axis=1)
    busiest = np.argsort(-np.bincount(leader, minlength=proba.shape[1]), kind="stable")
    typical = [_middle_row(proba[:, k], leader == k) for k in busiest[:_TYPICAL] if (leader == k).any()]
    top = np.sort(proba, axis=1)
    doubtful = [int(i) for i in np.argsort(top[:, -1] - top[:, -2], kind="stable") if i not in typical][:_DOUBTFUL]
    chosen = [(i, "typical") for i in typical] + [(i, "doubtful") for i in doubtful]
    return tuple(_explain(subject, i, kind, proba[i], answers[i]) for i, kind in chosen)


def _middle_row(own: Floats, led: NDArray[np.bool_]) -> int:
    """Of the rows that an expert leads, the one in the middle by probability."""
    rows = np.flatnonzero(led)
    return int(rows[np.argsort(own[rows], kind="stable")[len(rows) // 2]])


def _explain(subject: Subject, i: int, kind: str, proba: Floats, answer: Any) -> ExplainedRow:
    position = int(subject.test_rows[i])
    row, typical = subject.table.X[position], subject.typical
    expert, rival = (int(k) for k in np.argsort(-proba, kind="stable")[:2])
    # the row itself, the typical one, and the row with each of its values in turn put back
    asked = np.vstack([row, typical, np.where(np.eye(len(row), dtype=bool), typical, row)])
    odds = _log_odds(subject.gate(asked), expert, rival)
    effects = np.round(odds[0] - odds[2:], 3)
    order = [int(j) for j in np.argsort(-np.abs(effects), kind="stable")[:_COLUMNS] if effects[j]]
    parts = tuple(Contribution(subject.table.columns[j].name, subject.say(j, float(row[j])), float(effects[j])) for j in order)
    start = round(float(odds[1]), 3)
    rest = round(float(odds[0]) - start - sum(part.effect for part in parts), 3)
    truth, said = (_say_answer(subject, value) for value in (subject.table.y[position], answer))
    return ExplainedRow(position, kind, expert, rival, tuple(round(float(p), 3) for p in proba), start, parts, rest, truth, said)


def _log_odds(proba: Floats, expert: int, rival: int) -> Floats:
    logs: Floats = np.log(np.maximum(proba, _LEAST))
    return logs[:, expert] - logs[:, rival]


def _say_answer(subject: Subject, value: Any) -> str:
    classes = subject.table.classes
    return classes[int(value)] if classes else f"{float(value):.4g}"
