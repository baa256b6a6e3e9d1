"""One model's score or cost: its mean over folds and tables, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ensemblekit_reports.statistics.correlated_t import corrected_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Summary:
    """A number with its interval.

    Parameters
    ----------
    value : float
        NaN where nothing was measured.
    low, high : float
        Interval around it; NaN where the measurements allow none.
    scale, df : float
        Standard error and its degrees of freedom, for scores; NaN for costs.
    n : int
        Number of folds behind the value.
    """

    value: float
    low: float
    high: float
    scale: float = np.nan
    df: float = np.nan
    n: int = 0


NOTHING = Summary(np.nan, np.nan, np.nan)


def score_summary(scores: ArrayLike, test_train_ratio: float, bounds: tuple[float, float]) -> Summary:
    """Summarise one model's fold scores on one table.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Scores by fold; no NaN.
    test_train_ratio : float
        Test rows over training rows of a fold.
    bounds : tuple of float
        Smallest and largest value the score can take; the interval ends there.

    Returns
    -------
    Summary
        Mean and 95 % interval with the variance of correlated folds. Without an interval where there is one fold, or all folds show the
        same score: how far the mean may be off cannot be estimated from them.

    Examples
    --------
    >>> found = score_summary([0.95, 0.9, 1.0, 0.95], 1 / 3, bounds=(0, 1))
    >>> f"{found.value:.3f} from {found.low:.3f} to {found.high:.3f}"
    '0.950 from 0.851 to 1.000'
    """
    values = np.asarray(scores, dtype=np.float64)
    if not len(values):
        return NOTHING
    if len(values) == 1:
        return Summary(float(values[0]), np.nan, np.nan, n=1)
    scale = corrected_scale(values, test_train_ratio)
    return _student(float(values.mean()), scale, len(values) - 1, len(values), bounds)


def mean_over_tables(by_table: Sequence[Summary], bounds: tuple[float, float]) -> Summary:
    """Join the summaries of several tables into one, the tables taken as given.

    The interval says how well the folds fix the mean over *these* tables. It does not speak of other tables.

    Parameters
    ----------
    by_table : sequence of Summary
        One score summary for each table.
    bounds : tuple of float
        Smallest and largest value the score can take.

    Returns
    -------
    Summary
        Standard errors added in squares, degrees of freedom by Welch and Satterthwaite. A table where
        all folds agree adds nothing to them; without an interval where that is so of every table, or one has a single fold.

    Examples
    --------
    >>> easy, hard = (score_summary(s, 0.25, (0, 1)) for s in ([0.9, 0.92, 0.91], [0.6, 0.7, 0.65]))
    >>> joined = mean_over_tables([easy, hard], (0, 1))
    >>> f"{joined.value:.3f} from {joined.low:.3f} to {joined.high:.3f}"
    '0.780 from 0.702 to 0.858'
    """
    if not by_table:
        return NOTHING
    mean = float(np.mean([summary.value for summary in by_table]))
    n = sum(summary.n for summary in by_table)
    scales = np.array([summary.scale for summary in by_table])
    if np.isnan(scales).any():
        return Summary(mean, np.nan, np.nan, n=n)
    squares = (scales / len(scales)) ** 2
    weights = np.array([summary.df for summary in by_table])
    df = float(squares.sum() ** 2 / (squares**2 / weights).sum()) if squares.any() else float(weights.sum())
    return _student(mean, float(np.sqrt(squares.sum())), df, n, bounds)


def _student(mean: float, scale: float, df: float, n: int, bounds: tuple[float, float]) -> Summary:
    if scale == 0:
        return Summary(mean, np.nan, np.nan, scale, df, n)
    reach = float(special.stdtrit(df, 0.975)) * scale
    return Summary(mean, max(mean - reach, bounds[0]), min(mean + reach, bounds[1]), scale, df, n)


def cost_summary(costs: ArrayLike) -> Summary:
    """Summarise one model's measured costs on one table.

    Parameters
    ----------
    costs : array-like of shape (n,)
        Costs by measured fold; no NaN.

    Returns
    -------
    Summary
        Median and range. The median, since one disturbed timing should not speak for the others.

    Examples
    --------
    >>> cost_summary([0.5, 0.4, 9.0])
    Summary(value=0.5, low=0.4, high=9.0, scale=nan, df=nan, n=3)
    """
    values = np.asarray(costs, dtype=np.float64)
    if not len(values):
        return NOTHING
    ordered = sorted(values.tolist())  # a handful: the median of numpy takes thirty times as long over them
    return Summary(median(ordered), ordered[0], ordered[-1], n=len(ordered))


def geometric_mean(by_table: Sequence[Summary]) -> Summary:
    """Join the cost summaries of several tables so that each table counts alike, however long it takes.

    Parameters
    ----------
    by_table : sequence of Summary
        One cost summary for each table; values of zero count as the smallest positive float.

    Returns
    -------
    Summary
        Geometric means of the medians, the smallest and the largest.

    Examples
    --------
    >>> round(geometric_mean([cost_summary([0.01]), cost_summary([1.0])]).value, 3)
    0.1
    """
    if not by_table:
        return NOTHING
    tiny = np.finfo(np.float64).tiny
    columns = np.array([(s.value, s.low, s.high) for s in by_table])
    value, low, high = np.exp(np.log(np.maximum(columns, tiny)).mean(axis=0))
    return Summary(float(value), float(low), float(high), n=sum(s.n for s in by_table))
