"""Any scikit-learn estimators as experts: one kind cloned, or a list of different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.experts.linear import DEVIATION_FLOOR
from ensemblekit.mixture.experts.normal import normal_log_density
from ensemblekit.mixture.experts.weighted_fit import fit_weighted
from ensemblekit.mixture.start import fold_of

#: Responsibilities below this are not worth a row.
_NEGLIGIBLE = 1e-4
#: Share of an even guess mixed into every expert's class probabilities, where they are judged: a class that a tree has not seen in a
#: leaf is rare, not impossible.
_DOUBT = 1e-3


class EstimatorExperts(BaseEstimator):
    """A bank of scikit-learn estimators.

    Parameters
    ----------
    estimators : list of estimators
        One for each expert; cloned before they are fitted. A ``FrozenEstimator`` stays as it is: only the gate learns.
    classes : ndarray of shape (n_classes,) or None
        Labels behind the class codes, by which a frozen classifier's columns are found; None for regression.
    columns : list of (list of int or None) or None, default=None
        Columns that each expert reads; None for all.
    cross_fit : int, default=0
        With 2 or more, responsibilities come from experts refitted without the rows that they judge, in so many folds. Experts that
        can learn their rows by heart would otherwise each claim all that they were given.
    n_jobs : int or None, default=None
        Experts fitted at a time.

    Attributes
    ----------
    estimators_ : list of estimators
    deviation_ : ndarray of shape (n_experts,)
        Regression: standard deviation of each expert's errors, held out where ``cross_fit`` is on.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    >>> bank = EstimatorExperts([DecisionTreeClassifier()] * 2, classes=np.arange(2)).fit(X, y, np.full((6, 2), 0.5), np.ones(6))
    >>> bank.predict(X).shape
    (6, 2, 2)
    """

    def __init__(
        self,
        estimators: Sequence[Any],
        classes: NDArray[Any] | None,
        *,
        columns: Sequence[Sequence[int] | None] | None = None,
        cross_fit: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.classes = classes
        self.columns = columns
        self.cross_fit = cross_fit
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:
        """Fit each expert to the rows that it is responsible for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            May be a DataFrame with any columns that the experts can read.
        y : ndarray of shape (n_samples,)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        everyone = np.ones(len(y), dtype=bool)
        self.estimators_ = self._fit_experts(X, y, responsibilities, sample_weight, everyone)
        self.judged_ = self._answers(X, self.estimators_)
        if self.cross_fit >= 2 and self.learns:
            folds = fold_of(X, y, self.cross_fit)
            for fold in np.unique(folds):
                held_out = folds == fold
                if held_out.all():
                    continue
                fitted = self._fit_experts(X, y, responsibilities, sample_weight, ~held_out)
                self.judged_[held_out] = self._answers(_safe_indexing(X, np.flatnonzero(held_out)), fitted)
        if self.classes is None:
            self.deviation_ = self._deviation(y, sample_weight, sample_weight[:, None] * responsibilities)
        return self

    @property
    def learns(self) -> bool:
        """Whether any expert is fitted at all."""
        return not all(isinstance(estimator, FrozenEstimator) for estimator in self.estimators)

    @property
    def _n_classes(self) -> int:
        return 0 if self.classes is None else self.classes.size

    def _fit_experts(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float, rows: NDArray[np.bool_]) -> list[Any]:
        jobs = (delayed(self._fit_one)(X, y, share, sample_weight, k, rows) for k, share in enumerate(responsibilities.T))
        fitted: list[Any] = Parallel(n_jobs=self.n_jobs)(jobs)
        return fitted

    def _fit_one(self, X: Any, y: NDArray[Any], share: Float, sample_weight: Float, k: int, rows: NDArray[np.bool_]) -> Any:
        estimator = self.estimators[k]
        if isinstance(estimator, FrozenEstimator):
            return estimator
        # by the share alone, so that a row of weight two is used where two rows are
        used, weight = np.flatnonzero(rows & (share > _NEGLIGIBLE * share.max())), sample_weight * share
        if used.size == 0:  # nobody's rows: an expert that knows only the table as a whole
            used, weight = np.flatnonzero(rows), sample_weight
        mine, answers = _safe_indexing(self._view(X, k), used), y[used]
        if self.classes is not None and np.unique(answers).size == 1:
            return DummyClassifier(strategy="prior").fit(mine, answers)
        if used.size == 1:
            return DummyRegressor().fit(mine, answers)
        return fit_weighted(clone(estimator), mine, answers, weight[used])

    def _view(self, X: Any, k: int) -> Any:
        columns = None if self.columns is None else self.columns[k]
        return X if columns is None else _safe_indexing(X, list(columns), axis=1)

    def _answers(self, X: Any, estimators: Sequence[Any]) -> Float:
        return np.stack([self._answer(X, k, estimator) for k, estimator in enumerate(estimators)], axis=1)

    def _answer(self, X: Any, k: int, estimator: Any) -> Float:
        """One expert's class probabilities or mean, (n_samples, n_outputs); a class that it never saw gets zero."""
        view = self._view(X, k)
        if self.classes is None:
            return np.asarray(estimator.predict(view), dtype=np.float64).reshape(-1, 1)
        proba = np.zeros((view.shape[0], self._n_classes))
        proba[:, self._codes(estimator)] = estimator.predict_proba(view)
        return proba

    def _codes(self, estimator: Any) -> NDArray[np.intp]:
        """Positions of an expert's classes; a frozen one speaks of labels, the others of codes."""
        if not isinstance(estimator, FrozenEstimator):
            return np.asarray(estimator.classes_, dtype=np.intp)
        known = np.asarray(self.classes)
        foreign = np.setdiff1d(estimator.classes_, known)
        if foreign.size:
            raise ValueError(f"A frozen expert predicts classes {foreign.tolist()}, which y does not hold; y holds {known.tolist()}.")
        return np.asarray(np.searchsorted(known, estimator.classes_), dtype=np.intp)

    def _deviation(self, y: NDArray[Any], sample_weight: Float, weights: Float) -> Float:
        errors = np.square(y[:, None] - self.judged_[:, :, 0])
        total = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
        center = sample_weight @ y / sample_weight.sum()
        floor = DEVIATION_FLOOR**2 * float(sample_weight @ np.square(y - center) / sample_weight.sum())
        return np.sqrt(np.maximum((weights * errors).sum(axis=0) / total, max(floor, np.finfo(float).tiny)))

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Natural log-density of each answer under each expert, (n_samples, n_experts)."""
        return self._judge(self.predict(X), y)

    def judge(self, X: Any, y: NDArray[Any]) -> Float:  # noqa: ARG002 (the rows are those just fitted)
        """Log-density of the rows just fitted; by experts that did not see them where ``cross_fit`` is on."""
        return self._judge(self.judged_, y)

    def _judge(self, answers: Float, y: NDArray[Any]) -> Float:
        if self.classes is None:
            return normal_log_density(y[:, None], answers[:, :, 0], self.deviation_)
        proba = np.take_along_axis(answers, y[:, None, None], axis=2)[:, :, 0]
        return np.log((1 - _DOUBT) * proba + _DOUBT / self._n_classes)

    def predict(self, X: Any) -> Float:
        """Each expert's class probabilities, (n_samples, n_experts, n_classes), or means, (n_samples, n_experts, 1)."""
        return self._answers(X, self.estimators_)

    def predict_one(self, X: Any, k: int) -> Float:
        """Answers of expert ``k`` alone, (n_samples, n_outputs)."""
        return self._answer(X, k, self.estimators_[k])

    def penalty(self) -> float:
        """Zero: what the estimators penalise is their own affair."""
        return 0.0
