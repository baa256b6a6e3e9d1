"""The models that a study may name, and how an estimator of the reader's own joins them."""

from __future__ import annotations

import contextlib
import inspect
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from joblib import wrap_non_picklable_objects
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from ensemblekit.ensembles.members import lightgbm_classifier, random_forest_classifier, xgboost_classifier
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.results import ModelFacts


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
        ``"mixture"``, ``"ensemble"`` or ``"single"``.
    preprocessing : str
        ``"linear"`` (imputed, one-hot, scaled) or ``"trees"`` (imputed, one-hot).
    factory : callable
        From a seed to an estimator that is not fitted.
    registered : bool, default=True
        Whether it is one of ours: then any process can make it by name, and it may have members in common with others.
    """

    name: str
    label: str
    family: str
    preprocessing: str
    factory: Callable[[int], Any]
    registered: bool = True

    def definition(self, *, complete: bool = False) -> str:
        """Return the estimator as Python text, with every parameter if ``complete``."""
        try:
            return describe(self.factory(0), complete=complete)
        except ImportError as error:
            return f"not available: {error}"

    def facts(self) -> ModelFacts:
        """Return what the report says of this model."""
        return ModelFacts(self.name, self.label, self.family, self.definition())


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
        return f"{kind.__module__}.{kind.__qualname__} {sorted(estimator.get_params(deep=True).items())!r}"
    show: Any = kind.__repr__
    long = "N_CHAR_MAX" in inspect.signature(show).parameters
    text: str = show(estimator, N_CHAR_MAX=100_000) if long else repr(estimator)
    return " ".join(text.split())


def _logistic(seed: int) -> Any:
    return LogisticRegression(max_iter=1000, random_state=seed)


def _averaging(seed: int) -> Any:
    from ensemblekit.ensembles import AveragingEnsembleClassifier  # noqa: PLC0415 - only when it is asked for

    return AveragingEnsembleClassifier(random_state=seed)


def _weighted(seed: int) -> Any:
    from ensemblekit.ensembles import WeightedEnsembleClassifier  # noqa: PLC0415

    # Two free weights need no more than three folds, and fitting members on folds is the dearest work of a whole study.
    return WeightedEnsembleClassifier(cv=3, random_state=seed)


def _voting(seed: int) -> Any:
    from ensemblekit.ensembles import VotingEnsembleClassifier  # noqa: PLC0415

    return VotingEnsembleClassifier(random_state=seed)


def _mixture(seed: int) -> Any:
    from ensemblekit.mixture import MixtureOfExpertsClassifier  # noqa: PLC0415

    return MixtureOfExpertsClassifier(random_state=seed)


def _boosted_mixture(seed: int) -> Any:
    from ensemblekit.mixture import BoostedExperts, MixtureOfExpertsClassifier  # noqa: PLC0415

    return MixtureOfExpertsClassifier(experts=BoostedExperts(shared=True), routing="top_k", random_state=seed)


def _mixture_of_forests(seed: int) -> Any:
    from ensemblekit.mixture import MixtureOfExpertsClassifier  # noqa: PLC0415

    forest = RandomForestClassifier(50, min_samples_leaf=3, n_jobs=1, random_state=seed)
    # forests are fitted anew in every step, six times each: what a further step gains is soon less than what a forest's chance does
    return MixtureOfExpertsClassifier(3, experts=forest, cross_fit=5, tol=1e-3, max_iter=20, random_state=seed)


_MODELS = (
    Model("logistic", "Logistic regression", "single", "linear", _logistic),
    Model("random-forest", "Random forest", "single", "trees", lambda seed: random_forest_classifier(random_state=seed)),
    Model("xgboost", "XGBoost", "single", "trees", lambda seed: xgboost_classifier(random_state=seed)),
    Model("lightgbm", "LightGBM", "single", "trees", lambda seed: lightgbm_classifier(random_state=seed)),
    Model("averaging", "Averaging", "ensemble", "trees", _averaging),
    Model("weighted", "Weighted", "ensemble", "trees", _weighted),
    Model("voting", "Voting", "ensemble", "trees", _voting),
    Model("moe", "Mixture of experts", "mixture", "linear", _mixture),
    Model("moe-boosted", "Mixture of boosted trees", "mixture", "trees", _boosted_mixture),
    Model("moe-trees", "Mixture of forests", "mixture", "trees", _mixture_of_forests),
)
#: Registry name -> model, in the order in which they are listed and run.
REGISTRY: dict[str, Model] = {model.name: model for model in _MODELS}
#: What a study runs that names no model.
DEFAULT_MODELS: tuple[str, ...] = tuple(name for name in REGISTRY if name not in ("moe-boosted", "moe-trees"))


def find_models(names: Sequence[str]) -> tuple[Model, ...]:
    """Look models up by name.

    Parameters
    ----------
    names : sequence of str
        Registry names, each once.

    Returns
    -------
    tuple of Model
        In the order given.

    Raises
    ------
    UserError
        When a name is unknown, given twice, or none is given.

    Examples
    --------
    >>> find_models(["logistic"])[0].label
    'Logistic regression'
    >>> find_models(["forest"])
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown model 'forest': did you mean 'random-forest'? Valid: logistic, ...
    """
    if not names:
        raise UserError(f"no model is named. Valid: {', '.join(REGISTRY)}.")
    for position, name in enumerate(names):
        if name not in REGISTRY:
            raise unknown_name("model", name, REGISTRY)
        if name in names[:position]:
            raise UserError(f"model {name!r} is named twice.")
    return tuple(REGISTRY[name] for name in names)


def by_value(factory: Callable[[int], Any]) -> bytes:
    """Pickle a factory so that a process can make the estimator that cannot import its class.

    Parameters
    ----------
    factory : callable
        Of a model that is not registered; a class from the caller's own script travels with it.

    Returns
    -------
    bytes

    Examples
    --------
    >>> pickle.loads(by_value(model_from_estimator("m", LogisticRegression(C=2.0)).factory))(7)
    LogisticRegression(C=2.0, random_state=7)
    """
    return pickle.dumps(wrap_non_picklable_objects(factory, keep_wrapper=False))


def import_models() -> None:
    """Make every registered model once, so that its libraries are imported.

    Examples
    --------
    >>> import_models()
    """
    for model in REGISTRY.values():
        with contextlib.suppress(ImportError):
            model.factory(0)


def model_from_estimator(name: str, estimator: Any) -> Model:
    """Let a reader's own estimator take part.

    It gets the table as numbers, categories one-hot and missing cells filled in, but not scaled; on a table of plain
    numbers that is the table itself. Every parameter called ``random_state`` is set anew on each fold.

    Parameters
    ----------
    name : str
        What the report calls it.
    estimator : estimator
        A scikit-learn classifier, not fitted; it is cloned.

    Returns
    -------
    Model

    Examples
    --------
    >>> model_from_estimator("stump", LogisticRegression()).definition()
    'LogisticRegression(random_state=0)'
    """

    def factory(seed: int) -> Any:
        fresh = clone(estimator)
        seeds = [key for key in fresh.get_params(deep=True) if key.split("__")[-1] == "random_state"]
        return fresh.set_params(**dict.fromkeys(seeds, seed))

    return Model(name, name, "single", "trees", factory, registered=False)
