"""The models that a study may name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ensemblekit.ensembles.members import Task, make_members
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.studies.model import Model

#: How the classes of a task end.
_ENDING = {"classification": "Classifier", "regression": "Regressor"}


def _logistic(seed: int) -> Any:
    return LogisticRegression(max_iter=1000, random_state=seed)


def _ridge(seed: int) -> Any:
    return Ridge(random_state=seed)


def _member(kind: str, task: Task) -> Callable[[int], Any]:
    return lambda seed: make_members(kind, task=task, random_state=seed)[0][1]


def _ensemble(kind: str, task: Task, **settings: Any) -> Callable[[int], Any]:
    def factory(seed: int) -> Any:
        from ensemblekit import ensembles  # noqa: PLC0415 - only when it is asked for

        return getattr(ensembles, f"{kind}Ensemble{_ENDING[task]}")(**settings, random_state=seed)

    return factory


def _mixture(task: Task, *args: Any, **settings: Any) -> Any:
    from ensemblekit import mixture  # noqa: PLC0415

    return getattr(mixture, f"MixtureOfExperts{_ENDING[task]}")(*args, **settings)


def _boosted_mixture(task: Task, seed: int) -> Any:
    from ensemblekit.mixture import BoostedExperts  # noqa: PLC0415

    return _mixture(task, experts=BoostedExperts(shared=True), routing="top_k", random_state=seed)


def _mixture_of_forests(task: Task, seed: int) -> Any:
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    forest = kind(50, min_samples_leaf=3, n_jobs=1, random_state=seed)
    # forests are fitted anew in every step, six times each: what a further step gains is soon less than what a forest's chance does
    return _mixture(task, 3, experts=forest, cross_fit=5, tol=1e-3, max_iter=20, random_state=seed)


def _registered(task: Task) -> dict[str, Model]:
    # Two free weights need no more than three folds, and fitting members on folds is the dearest work of a whole study.
    models = (
        Model("random-forest", "Random forest", "single", "trees", _member("forest", task), task=task),
        Model("xgboost", "XGBoost", "single", "trees", _member("xgboost", task), task=task),
        Model("lightgbm", "LightGBM", "single", "trees", _member("lightgbm", task), task=task),
        Model("averaging", "Averaging", "ensemble", "trees", _ensemble("Averaging", task), task=task),
        Model("weighted", "Weighted", "ensemble", "trees", _ensemble("Weighted", task, cv=3), task=task),
        Model("voting", "Voting", "ensemble", "trees", _ensemble("Voting", task), task=task),
        Model("stacking", "Stacking", "ensemble", "trees", _ensemble("Stacking", task), task=task),
        Model("moe", "Mixture of linear experts", "mixture", "linear", lambda seed: _mixture(task, random_state=seed), task=task),
        Model("moe-boosted", "Mixture of boosted trees", "mixture", "trees", partial(_boosted_mixture, task), task=task),
        Model("moe-trees", "Mixture of forests", "mixture", "trees", partial(_mixture_of_forests, task), task=task),
    )
    return {model.name: replace(model, space=model.name) for model in models}


#: Registry name -> classifier, in the order in which they are listed and run.
REGISTRY: dict[str, Model] = {
    "logistic": Model("logistic", "Logistic regression", "single", "linear", _logistic, space="logistic")
} | _registered("classification")
#: Registry name -> regressor.
REGRESSORS: dict[str, Model] = {
    "ridge": Model("ridge", "Ridge regression", "single", "linear", _ridge, task="regression", space="logistic")
} | _registered("regression")
#: What stands in the place of a model that the other task has.
_COUNTERPARTS = {"logistic": "ridge", "ridge": "logistic"}
#: They cost much more than they have shown to bring.
_ONLY_WHEN_NAMED = ("stacking", "moe-trees")
#: What a study of classes runs that names no model.
DEFAULT_MODELS: tuple[str, ...] = tuple(name for name in REGISTRY if name not in _ONLY_WHEN_NAMED)


def registry(task: str) -> dict[str, Model]:
    """Return the models of a task by name.

    Parameters
    ----------
    task : str
        ``"classification"`` or ``"regression"``.

    Examples
    --------
    >>> list(registry("regression"))[:2]
    ['ridge', 'random-forest']
    """
    return REGISTRY if task == "classification" else REGRESSORS


def default_models(task: str) -> tuple[str, ...]:
    """Return the names of what a study runs that names no model.

    Parameters
    ----------
    task : str
        ``"classification"`` or ``"regression"``.

    Examples
    --------
    >>> default_models("regression")[0], default_models("classification") == DEFAULT_MODELS
    ('ridge', True)
    """
    return tuple(name for name in registry(task) if name not in _ONLY_WHEN_NAMED)


def find_models(names: Sequence[str], task: str = "classification") -> tuple[Model, ...]:
    """Look models up by name.

    Parameters
    ----------
    names : sequence of str
        Registry names.
    task : str, default="classification"
        What they are to do.

    Returns
    -------
    tuple of Model
        In the order given.

    Raises
    ------
    UserError
        When a name is unknown, is one of the other task, or none is given.

    Examples
    --------
    >>> find_models(["logistic"])[0].label
    'Logistic regression'
    >>> find_models(["forest"])
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown model 'forest': did you mean 'random-forest'? Valid: logistic, ...
    >>> find_models(["logistic"], "regression")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: model 'logistic' tells classes apart, and the answers here are amounts: take 'ridge'.
    """
    known = registry(task)
    if not names:
        raise UserError(f"no model is named. Valid: {', '.join(known)}.")
    for name in names:
        if name in _COUNTERPARTS and name not in known:
            does = (
                "tells classes apart, and the answers here are amounts"
                if task == "regression"
                else "predicts amounts, and here are classes"
            )
            raise UserError(f"model {name!r} {does}: take {_COUNTERPARTS[name]!r}.")
        if name not in known and "." in name:
            module, _, kind = name.rpartition(".")
            raise UserError(f"unknown model {name!r}: an import path has a colon before the class, as in '{module}:{kind}'.")
        if name not in known:
            raise unknown_name("model", name, known)
    return tuple(known[name] for name in names)


def import_models() -> None:
    """Make every registered model once, so that its libraries are imported.

    Examples
    --------
    >>> import_models()
    """
    for model in (*REGISTRY.values(), *REGRESSORS.values()):
        with contextlib.suppress(ImportError):
            model.factory(0)
