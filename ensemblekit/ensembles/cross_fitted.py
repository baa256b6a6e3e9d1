"""Ensembles that learn from held-out answers: each member is fitted on every fold, and on all rows, in one queue."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_sample_weight

from ensemblekit.ensembles.base import BaseEnsemble, Routed
from ensemblekit.ensembles.fold_models import FoldMeanClassifier, FoldMeanRegressor
from ensemblekit.ensembles.held_out import Fold, FoldResult, HeldOut, fit_fold, make_folds


class CrossFittedEnsemble(BaseEnsemble):
    """Ensemble with a splitter `cv`, whose members answer about rows that they have not seen."""

    cv: Any

    def _cross_fit(
        self,
        members: list[tuple[str, Any]],
        X: Any,
        target: NDArray[Any],
        sample_weight: ArrayLike | None,
        fit_params: dict[str, Any],
        *,
        refit: bool = True,
    ) -> HeldOut:
        """Fit members on each fold and, to `refit`, on all rows; sets `estimators_`."""
        routed = self._route(sample_weight, fit_params)
        folds = make_folds(
            self.cv,
            X,
            target,
            classifier=is_classifier(self),
            random_state=self.random_state,
            split_params=routed["splitter"]["split"] if _routing_enabled() else {},
        )
        on_all_rows = self._fits_on_all_rows(members, X, target, routed) if refit else []
        on_folds = self._fits_on_folds(members, X, target, routed, folds, keep_model=not refit)
        # One queue over members and folds: no core waits for the slowest member of a fold.
        results = Parallel(n_jobs=self.n_jobs)(on_all_rows + on_folds)
        held_out = _gather(results[len(on_all_rows) :], folds, len(members))
        fitted = results[: len(members)] if refit else self._fold_means(members, held_out)
        self._keep_fitted([name for name, _ in members], fitted)
        return held_out

    def _fits_on_folds(
        self,
        members: list[tuple[str, Any]],
        X: Any,
        target: NDArray[Any],
        routed: Routed,
        folds: list[Fold],
        *,
        keep_model: bool,
    ) -> list[Any]:
        return [
            delayed(fit_fold)(
                member,
                X,
                target,
                fold,
                n_classes=len(self.classes_) if is_classifier(self) else None,
                keep_model=keep_model,
                fit_params=routed[name]["fit"],
                memory=self.memory,
                name=name,
            )
            for name, member in members
            for fold in folds
        ]

    def _fold_means(self, members: list[tuple[str, Any]], held_out: HeldOut) -> list[Any]:
        mean = FoldMeanClassifier if is_classifier(self) else FoldMeanRegressor
        return [
            member if isinstance(member, FrozenEstimator) else mean(models)
            for (_, member), models in zip(members, held_out.fold_models or [], strict=True)
        ]

    def _row_weight(self, sample_weight: ArrayLike | None, X: Any, held_out: HeldOut) -> NDArray[np.float64] | None:
        """Weights of the held-out rows."""
        if sample_weight is None:
            return None
        return np.asarray(_check_sample_weight(sample_weight, X)[held_out.rows], dtype=np.float64)

    def get_metadata_routing(self) -> MetadataRouter:
        """Who gets which metadata in `fit`.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            Each member under its name, and the splitter; `sample_weight` is also for the ensemble itself.
        """
        router = super().get_metadata_routing().add_self_request(self)
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))


def _gather(results: list[FoldResult], folds: list[Fold], n_members: int) -> HeldOut:
    """Results of fold after fold, member after member, in one array."""
    by_member = [results[first : first + len(folds)] for first in range(0, n_members * len(folds), len(folds))]
    kept = [[result.model for result in results if result.model is not None] for results in by_member]
    return HeldOut(
        rows=np.concatenate([test for _, test in folds]),
        answers=np.stack([np.concatenate([result.answers for result in results]) for results in by_member]),
        fold_models=kept if kept[0] else None,
    )
