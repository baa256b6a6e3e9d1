"""One table: the corrected t-test and its Bayesian twin on paired fold differences.

Folds of cross-validation share training rows, so their differences are correlated and the ordinary paired t-test calls
equal models different far too often. Both tests here widen the variance by the ratio of test to training rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Differences whose spread is below this share of their size are one number, blurred by rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class CorrelatedT:
    """What the paired fold differences of two models say.

    Parameters
    ----------
    n : int
        Number of folds both models finished.
    mean : float
        Mean difference; NaN without a fold.
    low, high : float
        Confidence interval of the mean difference; NaN below two folds, and where all folds show one difference.
    p : float
        Two-sided p of "no difference"; NaN below two folds.
    worse, equal, better : float
        Posterior probabilities that the difference lies below, within and above the region of practical equivalence;
        NaN where the interval is.
    """

    n: int
    mean: float
    low: float
    high: float
    p: float
    worse: float
    equal: float
    better: float


def corrected_scale(differences: ArrayLike, test_train_ratio: float) -> float:
    """Return the standard error of the mean over correlated folds.

    Parameters
    ----------
    differences : array-like of shape (n,)
        Fold scores or paired fold differences, of one or more repeats; n >= 2.
    test_train_ratio : float
        Test rows over training rows of a fold.

    Returns
    -------
    float
        ``sqrt(variance * (1 / n + test_train_ratio))``, variance with n - 1.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, section 4; repeated form:
    Bouckaert and Frank (2004), Evaluating the replicability of significance tests, PAKDD, equation 3.

    Examples
    --------
    >>> round(corrected_scale([0.0, 0.1, 0.2, 0.1], 1 / 3), 4)
    0.0624
    """
    values = np.asarray(differences, dtype=np.float64)
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return 0.0
    return float(np.sqrt(values.var(ddof=1) * (1 / len(values) + test_train_ratio)))


def correlated_t(differences: ArrayLike, test_train_ratio: float, rope: float = 0.0, confidence: float = 0.95) -> CorrelatedT:
    """Judge paired fold differences by the corrected t-test and the Bayesian correlated t-test.

    Both use Student's t with n - 1 degrees of freedom at the scale of `corrected_scale`: once as the distribution of
    the mean under "no difference", once, around the mean, as the posterior of the true difference.

    Parameters
    ----------
    differences : array-like of shape (n,)
        Score of the first model minus score of the second, by fold, over all repeats; no NaN.
    test_train_ratio : float
        Test rows over training rows of a fold.
    rope : float, default=0.0
        Half-width of the region of practical equivalence, in units of the score.
    confidence : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    CorrelatedT

    Notes
    -----
    Where every fold shows the same difference there is no variance to work with: how far the mean may be off cannot be
    estimated, and interval and posterior are NaN. The limit of the formulas, a point, would call two models surely equal
    because they agree on a few folds. p is the smallest that flipping the signs of the folds of one repeat allows,
    2^(1 - folds), and not zero for the same reason.

    References
    ----------
    Nadeau and Bengio (2003); Corani and Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms
    on multiple data sets, Machine Learning 100, section 2.1.

    Examples
    --------
    >>> found = correlated_t([0.02, 0.03, 0.01, 0.02, 0.03], test_train_ratio=1 / 4, rope=0.01)
    >>> f"{found.mean:.3f} from {found.low:.3f} to {found.high:.3f}, p = {found.p:.3f}, better: {found.better:.2f}"
    '0.022 from 0.006 to 0.038, p = 0.017, better: 0.95'
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if n < 2:
        return CorrelatedT(n, float(values[0]) if n else np.nan, *[np.nan] * 6)
    mean, scale = float(values.mean()), corrected_scale(values, test_train_ratio)
    if scale == 0:
        return _without_variance(n, mean, test_train_ratio)
    # The distribution functions themselves: scipy.stats.t checks its arguments at a hundred times the cost.
    reach = scale * float(special.stdtrit(n - 1, (1 + confidence) / 2))
    worse = float(special.stdtr(n - 1, (-rope - mean) / scale))
    better = float(special.stdtr(n - 1, (mean - rope) / scale))
    p = 2 * float(special.stdtr(n - 1, -abs(mean) / scale))
    return CorrelatedT(n, mean, mean - reach, mean + reach, p, worse, max(0.0, 1 - worse - better), better)


def _without_variance(n: int, mean: float, test_train_ratio: float) -> CorrelatedT:
    folds_of_a_repeat = min(n, round(1 + 1 / test_train_ratio))
    p = 1.0 if mean == 0 else 2.0 ** (1 - folds_of_a_repeat)
    return CorrelatedT(n, mean, np.nan, np.nan, p, np.nan, np.nan, np.nan)
