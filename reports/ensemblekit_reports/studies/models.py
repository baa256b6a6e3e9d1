"""The models that a study may name, and how an estimator of the reader's own joins them."""

from __future__ import annotations

import contextlib
import inspect
import pickle
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import NoneType
from typing import Any

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ensemblekit.ensembles.members import Task, make_members
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.reporting.rebuilding import imports_of
from ensemblekit_reports.results import ModelFacts
from ensemblekit_reports.running.search import chosen_again, space_of, with_chosen
from ensemblekit_reports.studies.fingerprints import fingerprint_of, without_addresses
from ensemblekit_reports.studies.own_code import by_value
from ensemblekit_reports.studies.tuning import Tuning


@dataclass(frozen=True)
class Model:
    """A model as a study knows it.

    Parameters
    ----------
    name : str
        Registry name, such as ``"moe"``.
    label : str
        Reader's name.
    family : str
        ``"mixture"``, ``"ensemble"``, ``"single"`` or ``"compressed"``.
    preprocessing : str
        ``"linear"`` (imputed, one-hot, scaled) or ``"trees"`` (imputed, one-hot).
    factory : callable
        From a seed to an estimator that is not fitted.
    registered : bool, default=True
        Whether it is one of ours: then any process can make it by name, and it may have members in common with others.
    task : str, default="classification"
        What it does: ``"classification"`` or ``"regression"``.
    own_code : str, default=""
        Hash of what its definition does not show, see ``fingerprints.py``.
    foreign : bool, default=False
        Whether code is in it that may leave its process in another state: then it has one of its own on each fold.
    space : str, default=""
        Name of its search space, see `ensemblekit.tuning.space`; ``""`` for none.
    fixed : tuple of str, default=()
        Parameters that the study has set and no search changes.
    tuning : Tuning, optional
        How it is tuned in each fold; not at all if None.
    parent : str, default=""
        Name of the model that this one is a compressed variant of.
    """

    name: str
    label: str
    family: str
    preprocessing: str
    factory: Callable[[int], Any]
    registered: bool = True
    task: str = "classification"
    own_code: str = ""
    foreign: bool = False
    space: str = ""
    fixed: tuple[str, ...] = ()
    tuning: Tuning | None = None
    parent: str = ""

    def identity(self) -> list[Any]:
        """Return everything that a result of it depends on beside table, folds and seed."""
        plain = [self.name, self.task, self.preprocessing, self.definition(complete=True), self.own_code]
        return [*plain, self.space, self.fixed, self.tuning.identity()] if self.tuning else plain

    def tuned_by(self, tuning: Tuning | None) -> Model:
        """Return the model as one that is tuned in each fold; as it is, if there is nothing to search."""
        return replace(self, tuning=tuning) if tuning and space_of(self.space, self.task, self.fixed) else self

    def with_params(self, chosen: Mapping[str, Any]) -> Model:
        """Return the model with what a search has chosen, and without a search."""
        ranges = space_of(self.space, self.task, self.fixed)
        if ranges is None or not chosen:
            return replace(self, tuning=None)
        params, make = chosen_again(ranges, chosen), self.factory
        return replace(self, factory=lambda seed: with_chosen(make(seed), params, seed), registered=False, tuning=None)

    def definition(self, *, complete: bool = False, seed: int = 0) -> str:
        """Return the estimator as Python text, with every parameter if ``complete``."""
        try:
            return describe(self.factory(seed), complete=complete)
        except ImportError as error:
            return f"not available: {error}"

    def facts(self, seed: int = 0) -> ModelFacts:
        """Return what the report says of this model in a study of some seed."""
        definition, seeded = self.definition(), self.definition(seed=seed)
        try:
            imports = imports_of(self.factory(0), definition)
        except ImportError:  # an extra that is not installed; the definition says so
            imports = ""
        return ModelFacts(
            self.name,
            self.label,
            self.family,
            definition,
            imports,
            self.preprocessing,
            self.parent,
            self.tuning is not None,
            seeded if seeded != definition else "",
        )


def describe(estimator: Any, *, complete: bool = False) -> str:
    """Return an estimator as Python text.

    Parameters
    ----------
    estimator : estimator
        Any object with scikit-learn's ``get_params``.
    complete : bool, default=False
        Every parameter, also inside its parts, instead of those that differ from the default.

    Returns
    -------
    str

    Examples
    --------
    >>> describe(LogisticRegression(C=2.0))
    'LogisticRegression(C=2.0)'
    """
    kind = type(estimator)
    if complete:
        # What a function does and a long array holds is hashed beside this; where they are in memory does not matter.
        shown = without_addresses(repr(sorted(estimator.get_params(deep=True).items())))
        return f"{kind.__module__}.{kind.__qualname__} {shown}"
    show: Any = kind.__repr__
    long = "N_CHAR_MAX" in inspect.signature(show).parameters
    text: str = show(estimator, N_CHAR_MAX=100_000) if long else repr(estimator)
    if text.endswith("...)"):
        # scikit-learn stops after thirty parameters, and XGBoost names every one; those that are None or NaN were not given.
        given = {name: value for name, value in estimator.get_params(deep=False).items() if value is not None and value == value}  # noqa: PLR0124
        text = f"{kind.__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"
    return " ".join(text.split())


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
        Registry names, each once.
    task : str, default="classification"
        What they are to do.

    Returns
    -------
    tuple of Model
        In the order given.

    Raises
    ------
    UserError
        When a name is unknown, is one of the other task, is given twice, or none is given.

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
    for position, name in enumerate(names):
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
        if name in names[:position]:
            raise UserError(f"model {name!r} is named twice.")
    return tuple(known[name] for name in names)


#: A model on its way into another process: task, name and tuning, and for one that is not registered the rest, its factory as bytes.
Portable = tuple[Any, ...]


def to_portable(model: Model) -> Portable:
    """Return what another process can make a model from.

    Parameters
    ----------
    model : Model
        One of ours or a reader's own.

    Examples
    --------
    >>> to_portable(REGISTRY["moe"])
    ('classification', 'moe', None)
    """
    known = model.task, model.name, model.tuning
    if model.registered:
        return known
    return (*known, model.label, model.family, model.preprocessing, model.space, model.fixed, by_value(model.factory))


def from_portable(portable: Portable) -> Model:
    """Make the model again, but for what only keys need.

    Parameters
    ----------
    portable : tuple
        What `to_portable` returned, in this run.

    Examples
    --------
    >>> from_portable(("regression", "moe", None)).label
    'Mixture of linear experts'
    """
    task, name, tuning, *rest = portable
    if not rest:
        return replace(registry(task)[name], tuning=tuning)
    label, family, preprocessing, space, fixed, factory = rest

    def unpickled(seed: int) -> Any:  # when it is called: what goes wrong there is this model's failure, not everybody's
        return pickle.loads(factory)(seed)  # noqa: S301 - written by this very run, a moment ago

    own = {"registered": False, "task": task, "space": space, "fixed": fixed, "tuning": tuning}
    return Model(name, label, family, preprocessing, unpickled, **own)


def import_models() -> None:
    """Make every registered model once, so that its libraries are imported.

    Examples
    --------
    >>> import_models()
    """
    for model in (*REGISTRY.values(), *REGRESSORS.values()):
        with contextlib.suppress(ImportError):
            model.factory(0)


def model_from_estimator(name: str, estimator: Any, task: str = "classification") -> Model:
    """Let a reader's own estimator take part.

    It gets the table as numbers, categories one-hot and missing cells filled in, but not scaled; on a table of plain
    numbers that is the table itself. Every parameter called ``random_state`` is set anew on each fold.

    Parameters
    ----------
    name : str
        What the report calls it.
    estimator : estimator
        A scikit-learn classifier or regressor, not fitted; it is cloned.
    task : str, default="classification"
        What it is to do.

    Returns
    -------
    Model

    Raises
    ------
    UserError
        When it is no estimator of scikit-learn's kind, has no name, cannot be copied, or says of itself that it does the other task.

    Examples
    --------
    >>> model_from_estimator("stump", LogisticRegression()).definition()
    'LogisticRegression(random_state=0)'
    """
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"a model's name must be text that is not empty; got {name!r} for {reprlib.repr(estimator)}.")
    if isinstance(estimator, type):
        raise UserError(f"model {name!r} is the class {estimator.__name__}: give an estimator made of it, {estimator.__name__}(...).")
    if isinstance(estimator, (str, NoneType)):
        raise UserError(f"model {name!r} must be an estimator, or else ModelChoice({name!r}, model=...) of a name; got {estimator!r}.")
    lacks = [method for method in ("get_params", "set_params", "__sklearn_tags__") if not hasattr(estimator, method)]
    if lacks:
        raise UserError(
            f"model {name!r} ({type(estimator).__name__}) has no {lacks[0]}: its class must inherit from sklearn.base.BaseEstimator."
        )
    wrong = is_classifier(estimator) if task == "regression" else is_regressor(estimator)
    if wrong:
        kind = type(estimator).__name__
        found = (
            "a classifier, and the answers here are amounts" if task == "regression" else "a regressor, and the answers here are classes"
        )
        raise UserError(f"model {name!r} ({kind}) is {found}.")

    def factory(seed: int) -> Any:
        fresh = clone(estimator)
        seeds = [key for key in fresh.get_params(deep=True) if key.split("__")[-1] == "random_state"]
        return fresh.set_params(**dict.fromkeys(seeds, seed))

    try:
        made = factory(0)
    except Exception as error:  # noqa: BLE001 - its class may raise anything
        raise UserError(f"model {name!r} cannot be copied by sklearn.base.clone: {type(error).__name__}: {error}") from None
    own_code, foreign = fingerprint_of(made), _is_foreign(estimator)
    return Model(name, name, _family(estimator), "trees", factory, registered=False, task=task, own_code=own_code, foreign=foreign)


#: Packages whose estimators leave their process as they found it, and whose values are plain ones.
_KNOWN_PACKAGES = {"sklearn", "ensemblekit", "xgboost", "lightgbm", "numpy", "scipy", "builtins"}


def _is_foreign(value: Any) -> bool:
    """Whether an estimator or a value of its parameters is of another package, or of the reader's own."""
    if isinstance(value, (list, tuple, set)):
        return any(map(_is_foreign, value))
    if isinstance(value, dict):
        return any(map(_is_foreign, value.values()))
    parts = value.get_params(deep=False).values() if hasattr(value, "get_params") and not isinstance(value, type) else ()
    module = str(getattr(value, "__module__", None) or type(value).__module__)
    return module.partition(".")[0] not in _KNOWN_PACKAGES or any(map(_is_foreign, parts))


def _family(estimator: Any) -> str:
    module = type(estimator).__module__
    return "mixture" if module.startswith("ensemblekit.mixture") else "ensemble" if module.startswith("ensemblekit.ensembles") else "single"
