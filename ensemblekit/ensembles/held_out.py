"""What members say about rows that they were not fitted on: the only ground to choose weights on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, check_memory

from ensemblekit.ensembles.fitting import draws_its_own_seed, fit_member

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def make_folds(
    cv: Any, X: Any, y: NDArray[Any], *, random_state: Any = None, split_params: Mapping[str, Any] | None = None
) -> list[Fold]:
    """Training and held-out rows of each fold, for a classifier.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        A number gives that many stratified folds of shuffled rows: tables are often sorted.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
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
    >>> folds = make_folds(2, np.zeros((4, 1)), np.array([0, 0, 1, 1]), random_state=0)
    >>> sorted(np.concatenate([test for _, test in folds]).tolist())
    [0, 1, 2, 3]
    """
    shuffled = isinstance(cv, int | np.integer)
    splitter = (
        StratifiedKFold(cv, shuffle=True, random_state=random_state) if shuffled else check_cv(cv, y, classifier=True)
    )
    with warnings.catch_warnings():
        # A class with fewer rows than folds: `held_out_proba` knows what to do with a fold that lacks it.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(X, y, **(split_params or {})))


def held_out_proba(
    member: Any,
    X: Any,
    y: NDArray[np.int64],
    fold: Fold,
    *,
    n_classes: int,
    fit_params: Mapping[str, Any] | None = None,
    memory: Any = None,
    name: str | None = None,
) -> NDArray[np.float64]:
    """Probabilities for the held-out rows of a fold, by a clone of the member fitted on its training rows.

    Parameters
    ----------
    member : classifier
        Not fitted, and left as it is.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        All rows.
    y : ndarray of shape (n_samples,), int64
        Codes 0 to `n_classes` - 1.
    fold : (train, test)
        Row indices.
    n_classes : int
        Classes in all rows.
    fit_params : mapping, default=None
        Further arguments of the member's `fit`; those with one entry per row are cut to the training rows.
    memory : None, str or joblib.Memory, default=None
        Where the probabilities are kept, for members with a seed.
    name : str, default=None
        What an error calls the member.

    Returns
    -------
    ndarray of shape (n_held_out, n_classes), float64
        Zero for classes without a training row.

    Raises
    ------
    MemberFitError
        If the member's `fit` raises.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.array([[0.0], [1.0], [5.0]]), np.array([0, 1, 2])
    >>> held_out_proba(LogisticRegression(), X, y, ([0, 1], [2]), n_classes=3).round(2)
    array([[0.12, 0.88, 0.  ]])
    """
    answer = _held_out_proba
    if memory is not None and not draws_its_own_seed(member):
        answer = check_memory(memory).cache(_held_out_proba, ignore=["name"])
    return answer(member, X, y, *fold, n_classes, dict(fit_params or {}), name)


def _held_out_proba(
    member: Any,
    X: Any,
    y: NDArray[np.int64],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    n_classes: int,
    fit_params: dict[str, Any],
    name: str | None,
) -> NDArray[np.float64]:
    X_train, y_train = _safe_split(member, X, y, train)
    X_test, _ = _safe_split(member, X, None, test, train)
    # XGBoost takes no gaps in the codes and many classifiers no single class, both of which a fold may bring.
    present, codes = np.unique(y_train, return_inverse=True)
    if len(present) == 1:
        fitted = DummyClassifier(strategy="prior").fit(X_train, codes)
    else:
        fitted = fit_member(member, X_train, codes, fit_params=_check_method_params(X, fit_params, train), name=name)
    proba = np.zeros((len(test), n_classes))
    proba[:, present] = fitted.predict_proba(X_test)
    return proba
