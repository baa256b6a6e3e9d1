"""How many members? The score of smaller ensembles, all taken from the one that was fitted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.base import clone, is_classifier
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, check_array, check_random_state

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.boosting_rounds import answers_after, boosters, n_rounds
from ensemblekit.ensembles.held_out_score import held_out_score

Float = NDArray[np.float64]

FORESTS = (RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor, ExtraTreesRegressor)
AVERAGES = (AveragingEnsembleClassifier, AveragingEnsembleRegressor)


class SizeCurve(NamedTuple):
    """Score by number of members, trees or rounds.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,), int64
        Members, trees or rounds of boosting.
    scores : ndarray of shape (n_folds, n_sizes), float64
        Score on each test fold, the mean over random choices of that many members or trees.
    mean, lower, upper : ndarray of shape (n_sizes,), float64
        Mean over folds and its confidence interval.
    worse_below : int
        Smaller sizes are worse than the largest one: the interval of the paired difference over folds does not hold
        zero. From this size on nothing can be told; that is not to say that the sizes are equally good.
    part : str
        ``"members"``, ``"trees"`` or ``"rounds"``.

    Examples
    --------
    >>> curve = SizeCurve(*[np.array([1.0])] * 5, worse_below=1, part="trees")
    >>> curve.part
    'trees'
    """

    sizes: NDArray[np.int64]
    scores: Float
    mean: Float
    lower: Float
    upper: Float
    worse_below: int
    part: str


def size_curve(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = 5,
    scoring: Any = None,
    sizes: ArrayLike | None = None,
    n_orders: int = 10,
    confidence: float = 0.95,
    random_state: Any = None,
) -> SizeCurve:
    """Score an ensemble by the number of its members, a forest by that of its trees, a booster by that of its rounds.

    The ensemble is fitted once for each fold. What its members or trees say about the test rows is then averaged over
    the first m of them, in several random orders, for each size m. The rounds of a booster build on each other: of them
    the first m answer, in their own order.

    Parameters
    ----------
    estimator : averaging ensemble, random forest, extremely randomised trees, or booster
        Not fitted; as large as the largest size. Boosters are XGBoost's, LightGBM's and scikit-learn's two.
    X : {array-like, dataframe} of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Labels or numbers.
    cv : int, splitter or iterable of (train, test), default=5
        Test folds.
    scoring : str or callable, default=None
        One of scikit-learn's scorers; None is minus the log-loss, or R² for a regressor.
    sizes : array-like of int, default=None
        Sizes to score; None is about twenty from one to all, closer together where few.
    n_orders : int, default=10
        Random orders of the members or trees to average over.
    confidence : float, default=0.95
        Of the interval: Student's t over the folds, corrected for overlapping training folds (Nadeau and Bengio 2003).
    random_state : int, RandomState instance or None, default=None
        Seed of the orders.

    Returns
    -------
    SizeCurve
        One score for each fold and size, their mean and interval.

    Raises
    ------
    TypeError
        If the estimator is neither a plain average nor a booster.
    ValueError
        If a size is below one or above the number of members.

    References
    ----------
    C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52(3), 2003.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> curve = size_curve(forest, *load_iris(return_X_y=True), sizes=[1, 20], scoring="accuracy", random_state=0)
    >>> curve.mean[1] > curve.mean[0]
    np.True_
    """
    part = _part(estimator)
    chosen = _check_sizes(sizes, _n_parts(estimator), part)
    classes = is_classifier(estimator)
    labels = np.asarray(y)
    target = np.unique(labels, return_inverse=True)[1] if classes else labels
    folds = list(check_cv(cv, target, classifier=classes).split(X, target))
    rng = check_random_state(random_state)
    scoring = scoring or ("neg_log_loss" if classes else "r2")
    by_fold = []
    for train, test in folds:
        fitted, rows = clone(estimator).fit(_safe_indexing(X, train), target[train]), _safe_indexing(X, test)
        score = held_out_score(scoring, target[test])
        if part == "rounds":
            by_fold.append(np.array([score(answers) for answers in answers_after(fitted, rows, chosen.tolist())]))
        else:
            by_fold.append(_scores_by_size(_part_answers(fitted, rows), chosen, score, n_orders, rng))
    ratio = float(np.mean([len(test) / len(train) for train, test in folds]))
    scores = np.array(by_fold)
    # Folds differ in difficulty far more than sizes do: only the paired difference tells sizes apart.
    _, missing, _ = _interval(scores[:, [-1]] - scores, ratio, confidence)
    told_apart = np.flatnonzero(missing > 0)
    worse_below = int(chosen[told_apart[-1] + 1 if len(told_apart) else 0])
    return SizeCurve(chosen, scores, *_interval(scores, ratio, confidence), worse_below=worse_below, part=part)


def _part(estimator: Any) -> str:
    if isinstance(estimator, AVERAGES):
        return "members"
    if isinstance(estimator, FORESTS):
        return "trees"
    try:
        boosters.find(estimator)
    except TypeError:
        averages = ", ".join(kind.__name__ for kind in FORESTS + AVERAGES)
        raise TypeError(
            f"Sizes are known of {averages}, which are plain averages, and of the boosters {', '.join(boosters.names)}; "
            f"received {type(estimator).__name__}."
        ) from None
    return "rounds"


def _n_parts(estimator: Any) -> int:
    return len(estimator._active_members()) if isinstance(estimator, AVERAGES) else n_rounds(estimator)


def _part_answers(fitted: Any, X: Any) -> Float:
    """Answers of each member or tree, the members first."""
    if isinstance(fitted, AVERAGES):
        return np.asarray(fitted._answers(X), dtype=np.float64)
    rows = check_array(X, dtype=np.float32, ensure_all_finite=False)
    answer = "predict_proba" if is_classifier(fitted) else "predict"
    return np.array([getattr(tree, answer)(rows) for tree in fitted.estimators_], dtype=np.float64)


def _check_sizes(sizes: ArrayLike | None, n_parts: int, part: str) -> NDArray[np.int64]:
    if sizes is None:
        return np.unique(np.geomspace(1, n_parts, num=20).round().astype(np.int64))
    chosen = np.unique(np.asarray(sizes, dtype=np.int64))
    if chosen.min() < 1 or chosen.max() > n_parts:
        raise ValueError(f"sizes must lie between 1 and {n_parts}, the number of {part}; received {chosen.tolist()}.")
    return chosen


def _scores_by_size(answers: Float, sizes: NDArray[np.int64], score: Any, n_orders: int, rng: Any) -> Float:
    """Mean score over random orders, for each size."""
    totals = np.zeros(len(sizes))
    for _ in range(n_orders):
        in_order = np.cumsum(answers[rng.permutation(len(answers))], axis=0)
        totals += [score(in_order[size - 1] / size) for size in sizes]
    return totals / n_orders


def _interval(scores: Float, ratio: float, confidence: float) -> tuple[Float, Float, Float]:
    """Mean, lower and upper end; `ratio` is that of test to training rows."""
    n_folds = len(scores)
    mean = scores.mean(axis=0)
    error = np.sqrt((1 / n_folds + ratio) * scores.var(axis=0, ddof=1))
    reach = stats.t.ppf((1 + confidence) / 2, n_folds - 1) * error
    return mean, mean - reach, mean + reach
