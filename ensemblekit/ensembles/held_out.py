"""What members say about rows that they were not fitted on: the only ground to choose weights on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, check_memory

from ensemblekit.ensembles.fitting import MemberAnswerError, called, can_be_kept, fit_member
from ensemblekit.ensembles.fold_models import FoldModel

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


class HeldOut(NamedTuple):
    """Held-out rows, fold after fold, and what every member says about them.

    Attributes
    ----------
    rows : ndarray of shape (n_held_out,), intp
        Which rows; a row may be there never, once or several times.
    answers : ndarray of shape (n_members, n_held_out, n_classes) or (n_members, n_held_out), float64
        Probabilities, or predictions of regressors.
    fold_models : list of list of FoldModel, or None
        By member and fold, if they were to be kept.

    Examples
    --------
    >>> HeldOut(np.array([0]), np.array([[0.5]]), None).answers.shape
    (1, 1)
    """

    rows: NDArray[np.intp]
    answers: NDArray[np.float64]
    fold_models: list[list[FoldModel]] | None


def make_folds(
    cv: Any,
    X: Any,
    y: NDArray[Any],
    *,
    classifier: bool,
    random_state: Any = None,
    split_params: Mapping[str, Any] | None = None,
) -> list[Fold]:
    """Training and held-out rows of each fold.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        A number gives that many folds of shuffled rows (tables are often sorted), stratified by class.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Codes of the classes, or numbers.
    classifier : bool
        Whether `y` holds classes.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle.
    split_params : mapping, default=None
        Further arguments of the splitter, such as ``groups``.

    Returns
    -------
    list of (train, test)
        Row indices. A row may be held out never, once or several times.

    Examples
    --------
    >>> folds = make_folds(2, np.zeros((4, 1)), np.array([0, 0, 1, 1]), classifier=True, random_state=0)
    >>> sorted(np.concatenate([test for _, test in folds]).tolist())
    [0, 1, 2, 3]
    """
    if isinstance(cv, int | np.integer):
        splitter = (StratifiedKFold if classifier else KFold)(cv, shuffle=True, random_state=random_state)
    else:
        splitter = check_cv(cv, y, classifier=classifier)
    with warnings.catch_warnings():
        # A class with fewer rows than folds: a `FoldModel` knows what to do with a fold that lacks it.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(X, y, **(split_params or {})))


class FoldResult(NamedTuple):
    """What one member makes of one fold.

    Attributes
    ----------
    answers : ndarray of shape (n_held_out, n_classes) or (n_held_out,), float64
        About the held-out rows of the fold.
    model : FoldModel or None
        What gave them, if it was to be kept.

    Examples
    --------
    >>> FoldResult(np.array([0.5]), None).answers
    array([0.5])
    """

    answers: NDArray[np.float64]
    model: FoldModel | None


def fit_fold(
    member: Any,
    X: Any,
    y: NDArray[Any],
    fold: Fold,
    *,
    n_classes: int | None,
    keep_model: bool = False,
    fit_params: Mapping[str, Any] | None = None,
    memory: Any = None,
    name: str | None = None,
) -> FoldResult:
    """Fit a clone of the member on the training rows of a fold and ask it about the held-out ones.

    Parameters
    ----------
    member : estimator
        Left as it is. A `FrozenEstimator` is not fitted again: it answers as it is.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        All rows.
    y : ndarray of shape (n_samples,)
        Codes 0 to `n_classes` - 1, or numbers.
    fold : (train, test)
        Row indices.
    n_classes : int or None
        Classes in all rows; None for a regressor.
    keep_model : bool, default=False
        Whether the fitted clone is returned too.
    fit_params : mapping, default=None
        Further arguments of the member's `fit`; those with one entry per row are cut to the training rows.
    memory : None, str or joblib.Memory, default=None
        Where results are kept, for members with a seed.
    name : str, default=None
        What an error calls the member.

    Returns
    -------
    FoldResult
        Probabilities are zero for classes without a training row.

    Raises
    ------
    MemberFitError
        If the member's `fit` raises.
    MemberAnswerError
        If it fails to answer, or answers with NaN, infinity or the wrong number of classes.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.array([[0.0], [1.0], [5.0]]), np.array([0, 1, 2])
    >>> fit_fold(LogisticRegression(), X, y, ([0, 1], [2]), n_classes=3).answers.round(2)
    array([[0.12, 0.88, 0.  ]])
    """
    fit = _fit_fold
    if memory is not None and can_be_kept(member):
        fit = check_memory(memory).cache(_fit_fold, ignore=["name"])
    return fit(member, X, y, *fold, n_classes, keep_model, dict(fit_params or {}), name)


def _fit_fold(
    member: Any,
    X: Any,
    y: NDArray[Any],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    n_classes: int | None,
    keep_model: bool,
    fit_params: dict[str, Any],
    name: str | None,
) -> FoldResult:
    X_train, y_train = _safe_split(member, X, y, train)
    X_test, _ = _safe_split(member, X, None, test, train)
    fit_params = _check_method_params(X, fit_params, train)

    def fit(target: NDArray[Any]) -> Any:
        return fit_member(member, X_train, target, fit_params=fit_params, name=name)

    if n_classes is None or isinstance(member, FrozenEstimator):
        model = FoldModel(fit(y_train), n_classes=n_classes)
    else:
        # XGBoost takes no gaps in the codes and many classifiers no single class, both of which a fold may bring.
        present, codes = np.unique(y_train, return_inverse=True)
        model = FoldModel(fit(codes) if len(present) > 1 else None, n_classes=n_classes, present=present)
    return FoldResult(_useful_answers(model, X_test, called(member, name)), model if keep_model else None)


def _useful_answers(model: FoldModel, X: Any, member: str) -> NDArray[np.float64]:
    try:
        answers = model.answer(X)
    except Exception as error:
        raise MemberAnswerError(f"Member {member} failed to answer about held-out rows: {error}") from error
    if not np.isfinite(answers).all():
        raise MemberAnswerError(f"Member {member} answers about held-out rows with NaN or infinity.")
    return answers
