"""Fit one member: a clone, through the cache if there is one, with its name in the error if it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone
from sklearn.ensemble._base import _fit_single_estimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_memory


class MemberFitError(ValueError, TypeError):
    """A member of an ensemble failed to fit; the message names it, the cause is its own error.

    Estimators refuse data with a ValueError or a TypeError, so that this is both: who catches either, catches this.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> try:
    ...     fit_member(LogisticRegression(C=-1), [[0.0], [1.0]], [0, 1], name="logistic")
    ... except MemberFitError as error:
    ...     print(str(error)[:63])
    Member 'logistic' (LogisticRegression) failed to fit: The 'C' p
    """


class MemberAnswerError(ValueError):
    """A fitted member cannot say anything of use about rows; the message names it.

    Examples
    --------
    >>> str(MemberAnswerError("Member 'forest' answers with NaN"))
    "Member 'forest' answers with NaN"
    """


def called(member: Any, name: str | None) -> str:
    """How a message calls a member.

    Parameters
    ----------
    member : estimator
        Any.
    name : str or None
        Its name in the ensemble, if it has one.

    Returns
    -------
    str
        Name and class, or the class alone.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> called(GaussianNB(), "bayes"), called(GaussianNB(), None)
    ("'bayes' (GaussianNB)", 'GaussianNB')
    """
    kind = type(member).__name__
    return f"{name!r} ({kind})" if name else kind


def fit_member(
    member: Any,
    X: Any,
    y: Any,
    *,
    fit_params: Mapping[str, Any] | None = None,
    memory: Any = None,
    name: str | None = None,
    verbose: str | None = None,
) -> Any:
    """Fitted clone of a member.

    With a memory, members with equal parameters are fitted once on equal data, whichever ensemble asks. Members that
    draw their own seed (``random_state=None``) are fitted each time, since two of them are not meant to be the same.

    Parameters
    ----------
    member : estimator
        Left as it is. A `FrozenEstimator` is not fitted again.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Handed on as it is.
    y : array-like of shape (n_samples,)
        Handed on as it is.
    fit_params : mapping, default=None
        Further arguments of the member's `fit`, such as ``sample_weight``.
    memory : None, str or joblib.Memory, default=None
        Where fitted members are kept, as in `sklearn.pipeline.Pipeline`.
    name : str, default=None
        What an error calls the member; its class when None.
    verbose : str, default=None
        Message to print with the seconds that the fit took.

    Returns
    -------
    estimator
        Fitted; the same bits with and without a memory.

    Raises
    ------
    MemberFitError
        If the member's `fit` raises.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> fit_member(DecisionTreeClassifier(random_state=0), [[0.0], [1.0]], [0, 1]).predict([[0.9]])
    array([1])
    """
    fit = _fit_single_estimator
    if memory is not None and can_be_kept(member):
        fit = check_memory(memory).cache(_fit_single_estimator, ignore=["message_clsname", "message"])
    try:
        return fit(clone(member), X, y, dict(fit_params or {}), message_clsname="Ensemble", message=verbose)
    except Exception as error:
        raise MemberFitError(f"Member {called(member, name)} failed to fit: {error}") from error


def can_be_kept(member: Any) -> bool:
    """Whether one fit of the member stands for every fit with equal parameters on equal data.

    Parameters
    ----------
    member : estimator
        Any.

    Returns
    -------
    bool
        False if some ``random_state`` among its parameters is None, so that two fits are meant to differ (also for
        members that have the parameter and never use it), and for frozen members, which are not fitted at all.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> can_be_kept(DecisionTreeClassifier()), can_be_kept(DecisionTreeClassifier(random_state=0))
    (False, True)
    """
    if isinstance(member, FrozenEstimator):
        return False
    return all(value is not None for key, value in member.get_params(deep=True).items() if key.endswith("random_state"))
