"""The one condition that tells an expert's rows best from the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.insights.plain import Rule
from ensemblekit_reports.insights.subject import Floats, Subject, say_number
from ensemblekit_reports.wording import MINUS

#: A rule that tells less is no help: share of own rows less share of others that fulfil it (Youden's J).
_LEAST_TOLD = 0.35
_THRESHOLDS = np.linspace(0.02, 0.98, 49)
#: Fewer rows than these allow no rule.
_LEAST_ROWS = 5


def best_rule(subject: Subject, rows: Floats, leads: NDArray[np.bool_], columns: Sequence[int]) -> Rule | None:
    """Look for the condition on one column that most of an expert's rows fulfil and few of the others.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of shape (n_rows, n_columns)
        Raw.
    leads : ndarray of shape (n_rows,), bool
        Where the expert is the most probable one.
    columns : sequence of int
        Positions of the columns to look at.

    Returns
    -------
    Rule or None
        None where the best condition tells little.

    Examples
    --------
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> subject = Subject(None, table, np.arange(150) % 5 == 0, "passthrough")
    >>> rule = best_rule(subject, table.X, table.y == 0, range(4))
    >>> rule.relation, rule.own, rule.others < 0.05
    ('up to', 1.0, True)
    """
    if min(leads.sum(), (~leads).sum()) < _LEAST_ROWS:
        return None
    candidates = [candidate for j in columns for candidate in _conditions(subject, rows[:, j], j)]
    told = [(float(held[leads].mean() - held[~leads].mean()), -i) for i, (_, _, _, held) in enumerate(candidates)]
    if not told or max(told)[0] < _LEAST_TOLD:
        return None
    j, relation, value, held = candidates[-max(told)[1]]
    return Rule(subject.table.columns[j].name, relation, value, round(float(held[leads].mean()), 3), round(float(held[~leads].mean()), 3))


def _conditions(subject: Subject, values: Floats, j: int) -> Iterator[tuple[int, str, str, NDArray[np.bool_]]]:
    there = values[~np.isnan(values)]
    if not there.size:
        return
    if j not in subject.numeric:
        for level in np.unique(there):
            yield j, "is", subject.say(j, float(level)), values == level
        return
    spread = float(np.subtract(*np.percentile(there, [95, 5])))
    for threshold in np.unique(np.quantile(there, _THRESHOLDS)):
        # what is written is what is tested
        value = say_number(float(threshold), spread)
        shown = value.replace("-", MINUS)
        yield j, "above", shown, values > float(value)
        yield j, "up to", shown, values <= float(value)
