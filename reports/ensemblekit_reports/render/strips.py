"""Small scales that rows of a table share: where each fold's score lies, and how far amounts reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ensemblekit_reports import wording
from ensemblekit_reports.reporting.folds import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.reporting.answers import Answers
    from ensemblekit_reports.reporting.report import Report, TableSection

#: With more folds than this each repeat is one mark.
MOST_MARKS = 30
WIDTH = 200.0


@dataclass(frozen=True)
class Strips:
    """Where the scores of the folds lie.

    Parameters
    ----------
    low, high : str
        Ends of the scale, in words.
    paths : dict of str to str
        By model name, one stroke a fold, as an SVG path `WIDTH` wide; empty without a score.
    """

    low: str
    high: str
    paths: dict[str, str]


def fold_strips(report: Report, section: TableSection) -> Strips | None:
    """Lay the scores of all folds of a table along one scale.

    Parameters
    ----------
    report : Report
    section : TableSection
        One of its tables.

    Returns
    -------
    Strips
        With more than `MOST_MARKS` folds the means of the repeats; None where no fold has a score.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> report = build(example_results())
    >>> strips = fold_strips(report, report.tables[0])
    >>> strips.low, strips.high, strips.paths["moe"].count("M")
    ('83.8 %', '96.8 %', 10)
    """
    q = report.quantity
    cells = report.cells[report.cells["dataset"] == section.facts.name]
    scores = side_by_side(cells, q.name, tuple(standing.model.name for standing in section.standings))
    if len(scores) > MOST_MARKS:
        scores = scores.groupby(level="repeat").mean()
    if scores.isna().all(axis=None):
        return None
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    least, most = (f"{wording.number(end * wording.scale(q), 1 if q.share else 3)}{' %' if q.share else ''}" for end in (low, high))
    places = WIDTH * (0.01 + 0.98 * (scores - low) / ((high - low) or 1.0))
    return Strips(least, most, {str(model): "".join(f"M{x:.0f} 0v9" for x in column.dropna()) for model, column in places.items()})


def amount_scale(answers: Sequence[Answers]) -> tuple[float, float]:
    """Return the smallest and the largest amount that the groups of several models reach.

    Examples
    --------
    >>> from ensemblekit_reports.reporting.answers import of_amounts
    >>> y = np.array([1.0, 2.0, 4.0])
    >>> amount_scale([of_amounts("t", "m", y, y + 1, np.ones(3))])
    (1.0, 5.0)
    """
    reached = [end for found in answers for group in found.groups for end in group]
    return min(reached), max(reached)
