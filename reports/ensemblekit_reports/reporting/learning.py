"""Learning curves: the score by the number of rows that were learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.statistics.summaries import Summary, score_summary

if TYPE_CHECKING:
    import pandas as pd

    from ensemblekit_reports.results import Results


@dataclass(frozen=True)
class CurvePoint:
    """One model after a part of the training rows.

    Parameters
    ----------
    share : float
        Part of them.
    n_train : int
        Rows, mean over folds.
    score : Summary
        Mean and interval over the folds of the first repeat.
    """

    share: float
    n_train: int
    score: Summary


@dataclass(frozen=True)
class LearningCurve:
    """One model on one table.

    Parameters
    ----------
    table, model : str
        Their names.
    points : tuple of CurvePoint
        By share; without those that no fold finished.
    """

    table: str
    model: str
    points: tuple[CurvePoint, ...]

    def last_gain(self, *, higher_is_better: bool) -> float:
        """Return what the last step brought, positive for better; 0 with fewer than two points."""
        if len(self.points) < 2:
            return 0.0
        gain = self.points[-1].score.value - self.points[-2].score.value
        return gain if higher_is_better else -gain


def learning_curves(results: Results) -> tuple[LearningCurve, ...]:
    """Sum up the learning curves of a study.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of LearningCurve
        By table and model; empty where none was asked for.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ensemblekit_reports.example import example_results
    >>> results = example_results()
    >>> learning_curves(results)
    ()
    >>> whole = results.cells[results.cells["repeat"] == 0].assign(share=1.0)
    >>> [(curve.model, len(curve.points)) for curve in learning_curves(replace(results, curve=whole))]
    [('moe', 1), ('averaging', 1), ('logistic', 1)]
    """
    if results.curve is None:
        return ()
    cells = results.curve[results.curve["status"] == "ok"].dropna(subset=[results.metric])
    found = []
    for table in results.tables:
        for model in results.models:
            own = cells[(cells["dataset"] == table.name) & (cells["model"] == model.name)]
            points = tuple(_point(float(share), rows, results.metric) for share, rows in own.groupby("share"))  # type: ignore[arg-type]
            if points:
                found.append(LearningCurve(table.name, model.name, points))
    return tuple(found)


def _point(share: float, rows: pd.DataFrame, metric: str) -> CurvePoint:
    ratio = float((rows["n_test"] / rows["n_train"]).mean())
    summary = score_summary(rows[metric], ratio, wording.bounds(QUANTITIES[metric]))
    return CurvePoint(share, round(float(rows["n_train"].mean())), summary)


def still_rising(curves: tuple[LearningCurve, ...], labels: dict[str, str], metric: str, rope: float) -> str:
    """Say which models of a table gained more than what matters by the last rows.

    Parameters
    ----------
    curves : tuple of LearningCurve
        Of one table.
    labels : dict of str to str
        What the reader calls the models.
    metric : str
    rope : float
        What is taken not to matter.

    Returns
    -------
    str

    Examples
    --------
    >>> few, all_ = CurvePoint(0.5, 60, Summary(0.8, 0.7, 0.9)), CurvePoint(1.0, 120, Summary(0.9, 0.85, 0.95))
    >>> still_rising((LearningCurve("t", "moe", (few, all_)),), {"moe": "Mixture"}, "accuracy", 0.01)
    'From 60 to 120 rows Mixture still gained more than 1 point: more rows may help it.'
    """
    quantity = QUANTITIES[metric]
    full = [curve for curve in curves if len(curve.points) > 1]
    if not full:
        return ""
    rising = [curve for curve in full if curve.last_gain(higher_is_better=quantity.higher_is_better) > rope]
    before, after = (f"{full[0].points[position].n_train:,}" for position in (-2, -1))
    if not rising:
        return f"From {before} to {after} rows no model gained more than {wording.rope(rope, quantity)}: more rows may bring little."
    names = wording.listing([wording.name(labels[curve.model]) for curve in rising], most=8)
    them = "it" if len(rising) == 1 else "them"
    return f"From {before} to {after} rows {names} still gained more than {wording.rope(rope, quantity)}: more rows may help {them}."
