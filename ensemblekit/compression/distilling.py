"""Teach a small model to answer as a large one does, also about rows that nobody has seen."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array, has_fit_parameter

from ensemblekit.compression.footprint import CompressionReport, estimator_footprint
from ensemblekit.compression.losses import amounts, positions, refuse_unknown
from ensemblekit.compression.synthetic import munge
from ensemblekit.ensembles.members import Task, make_members
from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor

#: Classes that a teacher gives less are left out of a row's copies: they would make most of the rows and none of the loss.
SMALLEST_SHARE = 1e-3
#: Rows that a student learns from, real and made, unless the caller wants another number made. More did not help on generated tables: the
#: student was full.
ROWS = 10_000
STUDENTS = ("tree", "lightgbm", "logistic", "mixture")


@dataclass(frozen=True)
class Distilled:
    """What distilling gives.

    Attributes
    ----------
    model : fitted estimator
        The student.
    report : CompressionReport
        Of teacher and student; bytes are those of pickled estimators.

    Examples
    --------
    >>> Distilled.__dataclass_fields__.keys()
    dict_keys(['model', 'report'])
    """

    model: Any
    report: CompressionReport


def distill(
    model: Any,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    student: Any = "lightgbm",
    n_synthetic: int | None = None,
    random_state: int = 0,
) -> Distilled:
    """Fit a student to a teacher's answers (Buciluă, Caruana and Niculescu-Mizil, 2006; Hinton, Vinyals and Dean, 2015).

    A classifier learns probabilities: every row comes once for each class, with the teacher's probability as its weight, so that the
    student's log-loss is the cross-entropy of the teacher's distribution, exactly, and any classifier that takes weights can be a
    student. (The other way, to regress on log-odds, needs a regressor for each class, and cares most for rows of which the teacher is
    surest.) A regressor learns the teacher's predictions.

    About rows that it learned from, a forest says little more than their labels. What it knows shows on rows that it has not seen: so
    most rows are made, by `munge`, and the teacher answers them.

    Parameters
    ----------
    model : fitted classifier with `predict_proba`, or regressor
        The teacher; any scikit-learn estimator.
    X : array-like of shape (n, d)
        Numbers: rows to learn from and to make others of; those of the teacher's fit serve. No label is needed.
    y : array-like of shape (n,) or None, default=None
        Labels or numbers for the losses in the report; None for those that the teacher predicts.
    student : {"lightgbm", "tree", "logistic", "mixture"} or estimator, default="lightgbm"
        50 boosted trees of 31 leaves, one tree of 64 leaves, a (multinomial) logistic or ridge regression, a linear mixture of three
        experts; or any estimator, which is cloned.
    n_synthetic : int or None, default=None
        Rows to make; 0 for none, None for as many as 10,000 rows in all take.
    random_state : int, default=0
        Seed of the made rows, and of students given by name.

    Returns
    -------
    Distilled
        The student, and what it gave up.

    Raises
    ------
    ValueError
        For an unknown student, fewer than no made rows, `y` of another length, labels that the teacher does not know, or amounts that are
        not finite.
    TypeError
        For sparse rows, or a number of rows that is none; for a student that takes no weights, does another task than its teacher, or has
        no probabilities, and a teacher without them, or with several answers a row.

    References
    ----------
    C. Buciluă, R. Caruana, A. Niculescu-Mizil (2006). Model compression. KDD.
    G. Hinton, O. Vinyals, J. Dean (2015). Distilling the knowledge in a neural network. arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(100, random_state=0).fit(X, y)
    >>> found = distill(forest, X, y, student="tree", n_synthetic=1000)
    >>> found.model.score(X, y) > 0.95, found.report.after.node_visits < 0.05 * found.report.before.node_visits
    (True, True)
    """
    rows = check_array(X, dtype=np.float64, ensure_all_finite=False)
    classifies = is_classifier(model)
    if classifies and not hasattr(model, "predict_proba"):
        raise TypeError(f"A student learns probabilities, and {type(model).__name__} has no predict_proba.")
    if np.ndim(model.predict(_named_as(X, rows[:1]))) != 1:
        raise TypeError(f"A student learns one answer a row, and {type(model).__name__} gives several.")
    small = _student(student, "classification" if classifies else "regression", random_state)
    if y is not None and np.shape(y) != (len(rows),):
        raise ValueError(f"y needs one answer for each of {len(rows)} rows; received shape {np.shape(y)}.")
    truth = None if y is None else _truth(model, np.asarray(y))
    if n_synthetic is not None and (isinstance(n_synthetic, bool) or not isinstance(n_synthetic, Integral)):
        raise TypeError(f"n_synthetic must be a whole number of rows, or None; received {n_synthetic!r}.")
    if n_synthetic is not None and n_synthetic < 0:
        raise ValueError(f"n_synthetic must not be negative; received {n_synthetic}: 0 makes no rows, None as many as 10,000 in all take.")
    n_made = max(0, ROWS - len(rows)) if n_synthetic is None else n_synthetic
    asked = np.vstack([rows, munge(rows, n_made, random_state=random_state)]) if n_made else rows
    rows, asked = _named_as(X, rows), _named_as(X, asked)
    small = _taught(small, model, asked) if classifies else small.fit(asked, model.predict(asked))
    if truth is None:
        truth = model.predict(rows)
    name = "log-loss" if classifies else "squared error"
    return Distilled(small, CompressionReport("distill", name, *(estimator_footprint(one, rows, truth) for one in (model, small))))


def _truth(teacher: Any, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Check answers that the report goes by, before the long part."""
    if not is_classifier(teacher):
        return amounts(y)
    known = np.asarray(teacher.classes_)
    refuse_unknown(y[positions(y, known) < 0], known)
    return y


def _named_as(X: Any, rows: npt.NDArray[np.float64]) -> Any:
    """Give rows the column names of a pandas table, which a teacher that was fitted with names expects."""
    return type(X)(rows, columns=X.columns) if hasattr(X, "iloc") else rows


def _weight_name(student: Any) -> str:
    """Say what a student's fit calls the weights: those of a pipeline go to its last step."""
    if isinstance(student, Pipeline):
        name, last = student.steps[-1]
        return f"{name}__{_weight_name(last)}"
    if not has_fit_parameter(student, "sample_weight"):
        raise TypeError(f"A student has to take sample_weight, and {type(student).__name__} does not.")
    return "sample_weight"


def _taught(student: Any, teacher: Any, rows: Any) -> Any:
    """Fit a classifier to probabilities by weighted copies."""
    weights = _weight_name(student)
    shares = np.asarray(teacher.predict_proba(rows))
    row, code = np.nonzero(shares >= SMALLEST_SHARE)
    return student.fit(_safe_indexing(rows, row), np.asarray(teacher.classes_)[code], **{weights: shares[row, code]})


def _checked(student: Any, task: Task) -> Any:
    if is_classifier(student) != (task == "classification"):
        raise TypeError(f"The teacher's task is {task}, and {type(student).__name__} does another.")
    if task == "classification" and not hasattr(student, "predict_proba"):
        raise TypeError(f"A student answers with probabilities, and {type(student).__name__} has no predict_proba.")
    return student


def _student(student: Any, task: Task, seed: int) -> Any:
    if isinstance(student, type) or (not isinstance(student, str) and not hasattr(student, "get_params")):
        raise TypeError(f"student must be one of {list(STUDENTS)}, or an estimator that is no class; received {student!r}.")
    if not isinstance(student, str):
        return _checked(clone(student), task)
    if student not in STUDENTS:
        raise ValueError(f"student={student!r} is unknown; choose one of {list(STUDENTS)}, or give an estimator.")
    classifies = task == "classification"
    if student == "lightgbm":
        ((_, member),) = make_members("lightgbm", task=task, random_state=seed)
        return member.set_params(n_estimators=50, num_leaves=31, learning_rate=0.15)
    if student == "tree":
        return (DecisionTreeClassifier if classifies else DecisionTreeRegressor)(max_leaf_nodes=64, random_state=seed)
    if student == "logistic":
        return LogisticRegression(max_iter=1000) if classifies else Ridge()
    return (MixtureOfExpertsClassifier if classifies else MixtureOfExpertsRegressor)(3, n_init=5, random_state=seed)
