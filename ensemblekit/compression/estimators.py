"""Compressed models as estimators: fit, then compress, all inside `fit`, so that cross-validation judges the whole way."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, has_fit_parameter, validate_data

from ensemblekit.compression.accepting import accepted
from ensemblekit.compression.distilling import distill
from ensemblekit.compression.pruning import check_limits, prune
from ensemblekit.compression.quantizing import quantize
from ensemblekit.packed import PackedModel, pack
from ensemblekit.packed.packing import packers

Array = npt.NDArray[Any]


class _Compressed(MetaEstimatorMixin, BaseEstimator):
    """What all have in common: a model to fit, and a small one that answers, under ``compressed_``."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {}  # what compresses checks the rest

    estimator: Any
    random_state: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the estimator and compress it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN where the estimator takes it.
        y : array-like of shape (n_samples,)
            Labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the estimator's fit.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            For an estimator of the other task, or one that takes no weights and is given some.
        ValueError
            For a parameter out of its range, or a pipeline to be pruned or quantised, whose last step is what can be: put the compressed
            estimator there.
        """
        self._validate_params()
        if is_classifier(self.estimator) != isinstance(self, ClassifierMixin):
            wanted = "classifier" if isinstance(self, ClassifierMixin) else "regressor"
            raise TypeError(f"{type(self).__name__} takes a {wanted} as estimator; received {self.estimator!r}.")
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        if isinstance(self, ClassifierMixin):
            check_classification_targets(y)
            self.classes_ = np.unique(y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if weight is not None:  # a class whose rows weigh nothing is one that the fitted model may not know, and cannot be judged by
            X, y, weight = X[weight != 0], y[weight != 0], weight[weight != 0]
        self.compressed_, self.report_ = self._compress(X, y, weight)
        return self

    def _compress(self, X: Array, y: Array, weight: Array | None) -> tuple[Any, Any]:
        raise NotImplementedError

    def _fitted(self, X: Array, y: Array, weight: Array | None) -> Any:
        model = clone(self.estimator)
        if weight is None:
            return model.fit(X, y)
        if not has_fit_parameter(model, "sample_weight"):
            raise TypeError(f"{type(model).__name__} takes no sample_weight.")
        return model.fit(X, y, sample_weight=weight)

    def _rows(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self.estimator.__sklearn_tags__()
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        if tags.classifier_tags is not None and inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags


class _Classifier(ClassifierMixin, _Compressed):
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Class probabilities of the small model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        rows = self._rows(X)
        known = self.compressed_.classes_ if isinstance(self, _Distilled) else pack_compressed(self).classes
        answers = np.zeros((len(rows), len(self.classes_)))
        answers[:, np.searchsorted(self.classes_, known)] = self.compressed_.predict_proba(rows)
        return answers

    def predict(self, X: Any) -> Array:
        """Most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class _Regressor(RegressorMixin, _Compressed):
    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Answers of the small model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        rows = self._rows(X)
        return np.asarray(self.compressed_.predict(rows))


class _Pruned(_Compressed):
    _parameter_constraints: ClassVar[dict[str, Any]] = {"validation_fraction": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(
        self,
        estimator: Any,
        *,
        max_loss_increase: float = 0.005,
        node_visits: float | None = None,
        validation_fraction: float = 0.2,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.max_loss_increase = max_loss_increase
        self.node_visits = node_visits
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _compress(self, X: Array, y: Array, weight: Array | None) -> tuple[Any, Any]:
        check_limits(self.max_loss_increase, self.node_visits)  # before the long part
        learn, judge = self._parts(y)
        model = self._fitted(X[learn], y[learn], None if weight is None else weight[learn])
        bound = self.max_loss_increase * (1.0 if isinstance(self, ClassifierMixin) else float(np.var(y)))
        rows, answers = X[judge], y[judge]
        packed, rows = accepted(model, rows)
        found = prune(packed, rows, answers, max_loss_increase=bound, node_visits=self.node_visits, unlabelled=X[learn])
        return found.model, found.report

    def _parts(self, y: Array) -> tuple[Array, Array]:
        """Rows to learn from, and rows to judge by; a class of one row is learnt."""
        codes = np.unique(y, return_inverse=True)[1] if isinstance(self, ClassifierMixin) else np.zeros(len(y), np.int64)
        several = np.bincount(codes)[codes] > 1
        rows = np.flatnonzero(several)
        n_judge = max(4, round(self.validation_fraction * len(y)), len(np.unique(codes[rows])))
        if len(rows) - n_judge < max(2, len(np.unique(codes[rows]))):
            n_classes = len(np.unique(codes))
            of = f" of {n_classes} class{'es' * (n_classes > 1)}" if isinstance(self, ClassifierMixin) else ""
            raise ValueError(
                f"n_samples={len(y)}{of} are too few to learn from some and judge by others: validation_fraction takes {n_judge}."
            )
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        learn, judge = train_test_split(rows, test_size=n_judge, stratify=codes[rows], random_state=seed)
        return np.sort(np.append(learn, np.flatnonzero(~several))), np.sort(judge)


class PrunedClassifier(_Pruned, _Classifier):
    """A classifier that is pruned after its fit, by rows held out from it: see `prune`.

    Parameters
    ----------
    estimator : classifier
        Of a kind that `ensemblekit.packed.pack` packs; no pipeline, but the compressed estimator can be the last step of one.
    max_loss_increase : float, default=0.005
        By which the held-out log-loss may grow.
    node_visits : float or None, default=None
        Share of the splits that a row tests at which to stop; None to cut for as long as the loss allows.
    validation_fraction : float, default=0.2
        Share of the rows, between 0 and 1, that is held out, four rows at least, and that the estimator does not learn from.
    random_state : int, RandomState instance or None, default=None
        Draws them; the estimator keeps its own.

    Attributes
    ----------
    compressed_ : PackedModel
        The pruned model.
    report_ : CompressionReport
        Before and after, on the held-out rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = PrunedClassifier(RandomForestClassifier(20, random_state=0), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """


class PrunedRegressor(_Pruned, _Regressor):
    """A regressor that is pruned after its fit, by rows held out from it: see `prune`.

    Parameters
    ----------
    estimator : regressor
        Of a kind that `ensemblekit.packed.pack` packs; no pipeline, but the compressed estimator can be the last step of one.
    max_loss_increase : float, default=0.005
        By which the held-out squared error may grow, as a share of the variance of `y`: by which R squared may fall.
    node_visits : float or None, default=None
        Share of the splits that a row tests at which to stop; None to cut for as long as the loss allows.
    validation_fraction : float, default=0.2
        Share of the rows, between 0 and 1, that is held out, four rows at least, and that the estimator does not learn from.
    random_state : int, RandomState instance or None, default=None
        Draws them; the estimator keeps its own.

    Attributes
    ----------
    compressed_ : PackedModel
        The pruned model.
    report_ : CompressionReport
        Before and after, on the held-out rows.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PrunedRegressor(RandomForestRegressor(20, random_state=0), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """


class _Distilled(_Compressed):
    def __init__(self, estimator: Any, *, student: Any = "lightgbm", n_synthetic: int | None = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.student = student
        self.n_synthetic = n_synthetic
        self.random_state = random_state

    def _compress(self, X: Array, y: Array, weight: Array | None) -> tuple[Any, Any]:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        teacher = self._fitted(X, y, weight)
        found = distill(teacher, X, y, student=self.student, n_synthetic=self.n_synthetic, random_state=seed)
        return found.model, found.report


class DistilledClassifier(_Distilled, _Classifier):
    """A student of a classifier: see `distill`.

    Parameters
    ----------
    estimator : classifier
        The teacher, with `predict_proba`.
    student : {"lightgbm", "tree", "logistic", "mixture"} or estimator, default="lightgbm"
        Who learns.
    n_synthetic : int or None, default=None
        Rows to make; None for as many as 10,000 rows in all take.
    random_state : int, RandomState instance or None, default=None
        Seed of the made rows and the student; the teacher keeps its own.

    Attributes
    ----------
    compressed_ : classifier
        The student.
    report_ : CompressionReport
        Teacher and student on the training rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = RandomForestClassifier(20, random_state=0)
    >>> DistilledClassifier(teacher, student="tree", n_synthetic=500, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """


class DistilledRegressor(_Distilled, _Regressor):
    """A student of a regressor: see `distill`.

    Parameters
    ----------
    estimator : regressor
        The teacher.
    student : {"lightgbm", "tree", "logistic", "mixture"} or estimator, default="lightgbm"
        Who learns.
    n_synthetic : int or None, default=None
        Rows to make; None for as many as 10,000 rows in all take.
    random_state : int, RandomState instance or None, default=None
        Seed of the made rows and the student; the teacher keeps its own.

    Attributes
    ----------
    compressed_ : regressor
        The student.
    report_ : CompressionReport
        Teacher and student on the training rows.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = RandomForestRegressor(20, random_state=0)
    >>> DistilledRegressor(teacher, student="tree", n_synthetic=500, random_state=0).fit(X, y).score(X, y) > 0.4
    True
    """


class _Quantized(_Compressed):
    def __init__(self, estimator: Any, *, dtype: str = "int8") -> None:
        self.estimator = estimator
        self.dtype = dtype

    def _compress(self, X: Array, y: Array, weight: Array | None) -> tuple[Any, Any]:
        dtype: Any = self.dtype
        found = quantize(self._fitted(X, y, weight), dtype, X, y)
        return found.model, found.report


class QuantizedClassifier(_Quantized, _Classifier):
    """A classifier that is kept in few bytes after its fit: see `quantize`.

    Parameters
    ----------
    estimator : classifier
        Of a kind that `ensemblekit.packed.pack` packs; no pipeline, but the compressed estimator can be the last step of one.
    dtype : {"int8", "float16"}, default="int8"
        What leaves become.

    Attributes
    ----------
    compressed_ : QuantizedModel
        The model in few bytes.
    report_ : CompressionReport
        Before and after, on the training rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> QuantizedClassifier(RandomForestClassifier(20, random_state=0)).fit(X, y).score(X, y)
    1.0
    """


class QuantizedRegressor(_Quantized, _Regressor):
    """A regressor that is kept in few bytes after its fit: see `quantize`.

    Parameters
    ----------
    estimator : regressor
        Of a kind that `ensemblekit.packed.pack` packs; no pipeline, but the compressed estimator can be the last step of one.
    dtype : {"int8", "float16"}, default="int8"
        What leaves become.

    Attributes
    ----------
    compressed_ : QuantizedModel
        The model in few bytes.
    report_ : CompressionReport
        Before and after, on the training rows.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> QuantizedRegressor(RandomForestRegressor(20, random_state=0)).fit(X, y).score(X, y) > 0.8
    True
    """


@packers.register(
    "ensemblekit.PrunedClassifier",
    "ensemblekit.PrunedRegressor",
    "ensemblekit.DistilledClassifier",
    "ensemblekit.DistilledRegressor",
    "ensemblekit.QuantizedClassifier",
    "ensemblekit.QuantizedRegressor",
)
def pack_compressed(model: Any) -> PackedModel:
    """Pack the small model.

    Parameters
    ----------
    model : fitted compressed estimator
        Pruned, distilled or quantised.

    Returns
    -------
    PackedModel
        A quantised one unpacked.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> model = QuantizedClassifier(DecisionTreeClassifier(random_state=0)).fit(*load_iris(return_X_y=True))
    >>> pack_compressed(model).kind
    'DecisionTreeClassifier'
    """
    check_is_fitted(model)
    if isinstance(model, _Distilled):
        return pack(model.compressed_)
    packed: PackedModel = model.compressed_.unpacked if isinstance(model, _Quantized) else model.compressed_
    return packed
