"""Groups inside a model: rows that belong together stay together where a model holds rows out to learn from, if it can be told."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ensemblekit_reports.studies.scheme import group_folds, strata_of


def with_grouped_folds(estimator: Any, y: NDArray[Any], groups: NDArray[np.int64] | None) -> Any:
    """Let an estimator that takes folds as ``cv`` have such that divide no group.

    Parameters
    ----------
    estimator : estimator
        Not fitted; changed in place. In a pipeline it is the last step's ``cv`` that counts.
    y : ndarray of shape (n_rows,)
        Answers of the training rows.
    groups : ndarray of shape (n_rows,), int64, or None
        Their groups.

    Returns
    -------
    estimator
        The same. A single group leaves it as it is: nothing can be held out.

    Examples
    --------
    >>> from ensemblekit.ensembles import WeightedEnsembleClassifier
    >>> folds = with_grouped_folds(WeightedEnsembleClassifier(cv=2), np.array([0, 1, 0, 1]), np.array([5, 5, 7, 7])).cv
    >>> sorted(sorted(test.tolist()) for train, test in folds)
    [[0, 1], [2, 3]]
    """
    name, n_folds = _cv_of(estimator)
    if groups is None or name is None or len(np.unique(groups)) < 2:
        return estimator
    n_folds = min(n_folds, len(np.unique(groups)))
    return estimator.set_params(**{name: group_folds(strata_of(y, n_folds), groups, n_folds, seed=0)})


def _cv_of(estimator: Any) -> tuple[str | None, int]:
    """Return the name of the parameter that holds a number of folds of the very rows that are fitted, and that number."""
    prefix = f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
    params = estimator.get_params(deep=bool(prefix))
    found = params.get(f"{prefix}cv", "")
    if isinstance(found, int):
        return f"{prefix}cv", found
    return (f"{prefix}cv", 5) if found is None else (None, 0)  # None is scikit-learn's five


def divides_groups(estimator: Any) -> bool:
    """Tell whether an estimator holds rows out by itself, and cannot be told which belong together.

    Parameters
    ----------
    estimator : estimator
        Not fitted.

    Returns
    -------
    bool
        True for mixtures of boosted trees and of estimators that are cross-fitted, or that choose their number of experts, routing or
        combination by held-out rows, for boosters that stop early, for models that are pruned, and for searches inside another estimator.

    Examples
    --------
    >>> from ensemblekit.ensembles import WeightedEnsembleClassifier
    >>> from ensemblekit.mixture import MixtureOfExpertsClassifier
    >>> models = MixtureOfExpertsClassifier(), MixtureOfExpertsClassifier(experts="boosted"), WeightedEnsembleClassifier()
    >>> [divides_groups(model) for model in models]
    [False, True, False]
    """
    params = estimator.get_params(deep=True)
    mended, _ = _cv_of(estimator)
    folds = any(name.split("__")[-1] == "cv" and name != mended and isinstance(value, (int, type(None))) for name, value in params.items())
    stops = any(name.split("__")[-1] == "early_stopping" and value for name, value in params.items())
    return (
        folds
        or stops
        or _prunes(params)
        or _chooses(params)
        or any(_cross_fits(params, name) for name in params if name.split("__")[-1] == "cross_fit")
    )


def _chooses(params: dict[str, Any]) -> bool:
    """Whether a mixture holds rows out to choose its number of experts, who runs, or how answers become one."""
    chosen = {name.split("__")[-1] for name, value in params.items() if isinstance(value, str) and value == "auto"}
    judged_held_out = "n_experts" in chosen and any(name.split("__")[-1] == "selection" and value == "cv" for name, value in params.items())
    return judged_held_out or bool(chosen & {"routing", "combination"})


def _prunes(params: dict[str, Any]) -> bool:
    """Whether rows are held out to see what may be cut away."""
    return any(name.split("__")[-1] == "max_loss_increase" for name in params)


def _cross_fits(params: dict[str, Any], cross_fit: str) -> bool:
    """Whether a mixture fits its experts on parts of the rows; ``cross_fit`` names its parameter, also inside another estimator."""
    experts = params.get(f"{cross_fit.removesuffix('cross_fit')}experts", "")
    if isinstance(experts, str):
        return experts == "boosted"
    return hasattr(experts, "validation_fraction") or params[cross_fit] is not None
