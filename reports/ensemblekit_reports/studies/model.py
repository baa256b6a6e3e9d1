"""A model as a study knows it, whoever brought it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ensemblekit_reports.reporting.rebuilding import imports_of
from ensemblekit_reports.results import ModelFacts
from ensemblekit_reports.running.search import chosen_again, space_of, with_chosen
from ensemblekit_reports.studies.fingerprints import without_addresses
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
    >>> from sklearn.linear_model import LogisticRegression
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
        given = {name: value for name, value in estimator.get_params(deep=False).items() if not _is_missing(value)}
        text = f"{kind.__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"
    return " ".join(text.split())


def _is_missing(value: Any) -> bool:
    """Whether a parameter was not given; an array is no number, and is compared with nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value))
