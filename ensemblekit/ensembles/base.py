"""What all ensembles share: who the members are, how they are fitted, and how their answers are collected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, TransformerMixin
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
from ensemblekit.ensembles.fitting import fit_member
from ensemblekit.ensembles.members import RandomState, default_classifiers

Routed = Mapping[str, Mapping[str, Mapping[str, Any]]]


class BaseEnsemble(TransformerMixin, _BaseHeterogeneousEnsemble):
    """Members under names, as in scikit-learn's voting and stacking, with default ones where none were given.

    Subclasses say in `_default_members` who they are and fit them with `_fit_members`.
    """

    estimators: list[tuple[str, Any]] | None
    random_state: RandomState
    n_jobs: int | None
    memory: Any
    verbose: int

    def _default_members(self) -> list[tuple[str, Any]]:
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
            return process_routing(self, "fit", **params)  # type: ignore[no-any-return]
        if fit_params:
            raise TypeError(
                f"{type(self).__name__}.fit got {sorted(fit_params)}; only sample_weight is passed on, unless metadata "
                "routing is enabled: sklearn.set_config(enable_metadata_routing=True)."
            )
        return {name: {"fit": params} for name, _ in self._members()}

    def _progress(self, name: str, position: int, total: int) -> str | None:
        return f"({position + 1} of {total}) Fitting {name}" if self.verbose else None

    def _fit_members(self, members: list[tuple[str, Any]], X: Any, y: NDArray[Any], routed: Routed) -> None:
        """Fit a clone of each member on all rows; sets `estimators_` and `named_estimators_`."""
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_member)(
                member,
                X,
                y,
                fit_params=routed[name]["fit"],
                memory=self.memory,
                name=name,
                verbose=self._progress(name, position, len(members)),
            )
            for position, (name, member) in enumerate(members)
        )
        self._keep_fitted([name for name, _ in members], fitted)

    def _keep_fitted(self, names: list[str], fitted: list[Any]) -> None:
        self.estimators_ = fitted
        by_name = dict(zip(names, fitted, strict=True))
        self.named_estimators_ = Bunch(**{name: by_name.get(name, "drop") for name, _ in self._members()})

    def _check_rows(self, X: Any) -> Any:
        """Refuse columns that are not those of `fit`; all else is for the members to refuse."""
        check_is_fitted(self)
        X = _make_indexable(with_distinct_names(X))
        _check_feature_names(self, X, reset=False)
        if np.ndim(X) == 2:
            _check_n_features(self, X, reset=False)
        return X

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
        names, estimators = zip(*self._members(), strict=True)
        return _VisualBlock("parallel", estimators, names=names)


def _dropped(estimator: Any) -> bool:
    return isinstance(estimator, str) and estimator == "drop"


class BaseEnsembleClassifier(ClassifierMixin, BaseEnsemble):
    """Classifiers, fitted on the codes 0 to C - 1 of the classes, as scikit-learn's `VotingClassifier` is."""

    def _default_members(self) -> list[tuple[str, Any]]:
        return default_classifiers(random_state=self.random_state)

    def _check_table(self, X: Any, y: ArrayLike) -> tuple[Any, NDArray[np.int64]]:
        """Learn columns and classes; returns rows that can be indexed (sparse ones as CSR) and their classes' codes."""
        X = _make_indexable(with_distinct_names(X))
        validate_data(self, X, skip_check_array=True)
        labels = _check_y(y, estimator=self)
        check_classification_targets(labels)
        check_consistent_length(X, labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return X, codes.astype(np.int64, copy=False)

    def _keep_fitted(self, names: list[str], fitted: list[Any]) -> None:
        for name, member in zip(names, fitted, strict=True):
            _check_same_classes(name, member, len(self.classes_))
        super()._keep_fitted(names, fitted)

    def _member_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities of each member, of shape (n_members, n_samples, n_classes)."""
        X = self._check_rows(X)
        return np.asarray([member.predict_proba(X) for member in self.estimators_])

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Probabilities of all members side by side.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_members * n_classes)
            The first member's classes come first.
        """
        return np.hstack(list(self._member_proba(X)))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Checked against the names seen in `fit`, otherwise unused.

        Returns
        -------
        ndarray of shape (n_members * n_classes,), str objects
            Such as ``forest_setosa``.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        active = [name for name, member in self.named_estimators_.items() if not _dropped(member)]
        return np.array([f"{name}_{label}" for name in active for label in self.classes_], dtype=object)


def _check_same_classes(name: str, member: Any, n_classes: int) -> None:
    known = getattr(member, "classes_", None)
    if known is not None and not np.array_equal(known, np.arange(n_classes)):
        raise ValueError(
            f"Member {name!r} ({type(member).__name__}) knows the classes {np.asarray(known).tolist()}, the "
            f"ensemble fits its members on {list(range(n_classes))}, the codes of its classes: all members must agree."
        )
