"""What all ensembles share: who the members are, how they are fitted, and how their answers are collected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.ensemble._base import _BaseHeterogeneousEnsemble
from sklearn.utils import Bunch
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    _check_feature_names,
    _check_feature_names_in,
    _check_n_features,
    _check_y,
    _make_indexable,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ensemblekit.ensembles.column_names import with_distinct_names
from ensemblekit.ensembles.diagram import members_block
from ensemblekit.ensembles.fitting import called, fit_member
from ensemblekit.ensembles.members import RandomState, default_classifiers, default_regressors

Routed = Mapping[str, Mapping[str, Mapping[str, Any]]]


class BaseEnsemble(TransformerMixin, _BaseHeterogeneousEnsemble):
    """Members under names, as in scikit-learn's voting and stacking, with default ones where none were given.

    Subclasses say who the default members are, what they learn of the target, and what a member answers.
    """

    estimators: list[tuple[str, Any]] | None
    random_state: RandomState
    n_jobs: int | None
    memory: Any
    verbose: int

    def _default_members(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def _learn_target(self, y: ArrayLike) -> NDArray[Any]:
        """Target as the members are to see it."""
        raise NotImplementedError

    def _answer(self, member: Any, X: Any) -> NDArray[np.floating]:
        """Ask a member about rows that were checked."""
        raise NotImplementedError

    def _columns_of_a_member(self) -> list[str]:
        """Give the ends of the names of a member's columns in `transform`."""
        raise NotImplementedError

    def _members(self) -> list[tuple[str, Any]]:
        """Name and estimator (or "drop") of each member, as given or the default ones."""
        return self._default_members() if self.estimators is None else self.estimators

    def _active_members(self) -> list[tuple[str, Any]]:
        """Members that were not dropped; raises if the list of members is not a good one."""
        if self.estimators is None:
            return self._default_members()
        names, estimators = self._validate_estimators()
        return [(name, estimator) for name, estimator in zip(names, estimators, strict=True) if not _dropped(estimator)]

    @property
    def named_estimators(self) -> Bunch:
        """Members by name, not fitted."""
        return Bunch(**dict(self._members()))

    def _route(self, sample_weight: ArrayLike | None, fit_params: Mapping[str, Any]) -> Routed:
        """Arguments of `fit` for each member, by name."""
        params = dict(fit_params)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if _routing_enabled():
            routed: Routed = process_routing(self, "fit", **params)
            return routed
        if fit_params:
            raise TypeError(
                f"{type(self).__name__}.fit got {sorted(fit_params)}; only sample_weight is passed on, unless metadata "
                "routing is enabled: sklearn.set_config(enable_metadata_routing=True)."
            )
        return {name: {"fit": params} for name, _ in self._members()}

    def _progress(self, name: str, position: int, total: int) -> str | None:
        return f"({position + 1} of {total}) Fitting {name}" if self.verbose else None

    def _fits_on_all_rows(self, members: list[tuple[str, Any]], X: Any, target: NDArray[Any], routed: Routed) -> list[Any]:
        return [
            delayed(fit_member)(
                member,
                X,
                target,
                fit_params=routed[name]["fit"],
                memory=self.memory,
                name=name,
                verbose=self._progress(name, position, len(members)),
            )
            for position, (name, member) in enumerate(members)
        ]

    def _fit_members(self, members: list[tuple[str, Any]], X: Any, target: NDArray[Any], routed: Routed) -> None:
        """Fit a clone of each member on all rows; sets `estimators_` and `named_estimators_`."""
        fitted = Parallel(n_jobs=self.n_jobs)(self._fits_on_all_rows(members, X, target, routed))
        self._keep_fitted([name for name, _ in members], fitted)

    def _keep_fitted(self, names: list[str], fitted: list[Any]) -> None:
        self.estimators_ = fitted
        by_name = dict(zip(names, fitted, strict=True))
        self.named_estimators_ = Bunch(**{name: by_name.get(name, "drop") for name, _ in self._members()})

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit each member.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_samples,)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self
        """
        X, target = self._check_table(X, y)
        self._fit_members(self._active_members(), X, target, self._route(sample_weight, fit_params))
        return self

    def _check_table(self, X: Any, y: ArrayLike) -> tuple[Any, NDArray[Any]]:
        """Learn columns and target; returns rows that can be indexed (sparse ones as CSR) and the members' target."""
        X = _make_indexable(with_distinct_names(X))
        validate_data(self, X, skip_check_array=True)
        target = self._learn_target(y)
        check_consistent_length(X, target)
        return X, target

    def _check_rows(self, X: Any) -> Any:
        """Refuse columns that are not those of `fit`; all else is for the members to refuse."""
        check_is_fitted(self)
        X = _make_indexable(with_distinct_names(X))
        _check_feature_names(self, X, reset=False)
        if np.ndim(X) == 2:
            _check_n_features(self, X, reset=False)
        return X

    def _answers(self, X: Any) -> NDArray[np.floating]:
        """Answers of all members, the members first."""
        X = self._check_rows(X)
        return np.asarray([self._answer(member, X) for member in self.estimators_])

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Answers of all members side by side.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_members * n_classes) or (n_samples, n_members)
            Of classifiers the probabilities, the first member's classes first; of regressors the predictions.
        """
        return np.column_stack(list(self._answers(X)))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Checked against the names seen in `fit`, otherwise unused.

        Returns
        -------
        ndarray of str objects
            Such as ``forest_setosa``, or ``forest`` for a regressor.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        active = [name for name, member in self.named_estimators_.items() if not _dropped(member)]
        return np.array([name + end for name in active for end in self._columns_of_a_member()], dtype=object)

    def get_metadata_routing(self) -> MetadataRouter:
        """Who gets which metadata in `fit`.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            Each member under its name.
        """
        router = MetadataRouter(owner=self)
        for name, member in self._members():
            router.add(**{name: member}, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        return router

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.estimators is None:
            # Forests and boosters take missing cells and sparse matrices.
            tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags

    def _sk_visual_block_(self) -> _VisualBlock:
        fitted = getattr(self, "named_estimators_", None)
        try:
            members = list(fitted.items()) if fitted is not None else self._members()
        except ImportError:  # the default members are boosted; to show an ensemble they need not be installed
            return _VisualBlock("single", self, names=type(self).__name__, name_details=str(self))
        weights = None
        if fitted is not None and hasattr(self, "weights_"):
            active = [name for name, member in members if not _dropped(member)]
            weights = dict(zip(active, self.weights_, strict=True))
        final = getattr(self, "final_estimator_", getattr(self, "final_estimator", None))
        return members_block(members, weights, final)


def _dropped(estimator: Any) -> bool:
    return isinstance(estimator, str) and estimator == "drop"


class BaseEnsembleClassifier(ClassifierMixin, BaseEnsemble):
    """Classifiers, fitted on the codes 0 to C - 1 of the classes, as scikit-learn's `VotingClassifier` does it."""

    def _default_members(self) -> list[tuple[str, Any]]:
        return default_classifiers(random_state=self.random_state)

    def _learn_target(self, y: ArrayLike) -> NDArray[np.int64]:
        labels = _check_y(y, estimator=self)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return codes.astype(np.int64, copy=False)

    def _answer(self, member: Any, X: Any) -> NDArray[np.floating]:
        return np.asarray(member.predict_proba(X))

    def _columns_of_a_member(self) -> list[str]:
        return [f"_{label}" for label in self.classes_]

    def _asks_for_probabilities(self) -> bool:
        return True

    def _active_members(self) -> list[tuple[str, Any]]:
        members = super()._active_members()
        silent = [called(member, name) for name, member in members if not hasattr(member, "predict_proba")]
        if silent and self._asks_for_probabilities():
            raise TypeError(
                f"{type(self).__name__} combines probabilities, and {', '.join(silent)} has no predict_proba. Give it some with "
                "sklearn.calibration.CalibratedClassifierCV, or count votes: VotingEnsembleClassifier(voting='hard')."
            )
        return members

    def predict(self, X: Any) -> NDArray[Any]:
        """Class of the largest probability.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        winners = np.argmax(self.predict_proba(X), axis=1)
        return np.asarray(self.classes_[winners])

    def _keep_fitted(self, names: list[str], fitted: list[Any]) -> None:
        for name, member in zip(names, fitted, strict=True):
            self._check_same_classes(name, member)
        super()._keep_fitted(names, fitted)

    def _check_same_classes(self, name: str, member: Any) -> None:
        known = getattr(member, "classes_", None)
        codes = np.arange(len(self.classes_))
        if known is None or np.array_equal(known, codes) or self._speaks_labels(member):
            return
        raise ValueError(
            f"Member {name!r} ({type(member).__name__}) knows the classes {np.asarray(known).tolist()}, the ensemble "
            f"{self.classes_.tolist()}, on whose codes {codes.tolist()} it fits its members: all members must agree."
        )

    def _speaks_labels(self, member: Any) -> bool:
        """Whether the member answers in labels: frozen members do, which were fitted on them."""
        return np.array_equal(getattr(member, "classes_", []), self.classes_)

    def _votes(self, X: Any) -> NDArray[np.int64]:
        """Code of the class that each member predicts, of shape (n_members, n_samples)."""
        X = self._check_rows(X)
        predicted = [(member, np.asarray(member.predict(X))) for member in self.estimators_]
        return np.array(
            [np.searchsorted(self.classes_, vote) if self._speaks_labels(member) else vote for member, vote in predicted],
            dtype=np.int64,
        )


class BaseEnsembleRegressor(RegressorMixin, BaseEnsemble):
    """Regressors, fitted on the target as it is."""

    def _default_members(self) -> list[tuple[str, Any]]:
        return default_regressors(random_state=self.random_state)

    def _learn_target(self, y: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(_check_y(y, y_numeric=True, estimator=self), dtype=np.float64)

    def _answer(self, member: Any, X: Any) -> NDArray[np.floating]:
        return np.asarray(member.predict(X))

    def _columns_of_a_member(self) -> list[str]:
        return [""]
