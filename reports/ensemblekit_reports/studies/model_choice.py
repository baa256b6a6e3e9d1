"""A model as a study names it: by the registry or by import path, with parameters of its own."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.running.preprocessing import KINDS
from ensemblekit_reports.studies.imported import estimator_from, with_params
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.values import checked


@dataclass(frozen=True)
class ModelChoice:
    """A model that a study names.

    Parameters
    ----------
    name : str
        What the report calls it; without ``model`` and ``class_`` the registry name, too.
    model : str
        Registry name, as ``ensemblekit models`` lists them.
    class_ : str
        ``"package.module:Class"`` instead; ``class`` in a study file.
    params : mapping of str to object
        Parameters that differ from the defaults; a mapping with the keys ``class`` and ``params`` stands for an estimator.
    preprocessing : str
        ``"linear"`` (columns of one size) or ``"trees"`` (as they are); ``""`` is the registry model's own, and ``"trees"`` for a class.

    Examples
    --------
    >>> ModelChoice("moe2", model="moe", params={"n_experts": 2}).find("classification").definition()
    'MixtureOfExpertsClassifier(n_experts=2, random_state=0)'
    """

    name: str = ""
    model: str = ""
    class_: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: str = ""

    def find(self, task: str) -> Model:
        """Return the model.

        Parameters
        ----------
        task : str
            What it is to do.

        Raises
        ------
        UserError
            When a name or a parameter is unknown.
        """
        checked({name.rstrip("_"): value for name, value in vars(self).items()}, ModelChoice, "ModelChoice")
        if self.preprocessing and self.preprocessing not in KINDS:
            raise unknown_name("preprocessing", self.preprocessing, KINDS)
        found = self._imported(task) if self.class_ else self._registered(task)
        return replace(found, preprocessing=self.preprocessing, registered=False) if self.preprocessing else found

    def _imported(self, task: str) -> Model:
        if self.model:
            raise UserError(f"a model has a registry name or a class, not both: {self.model!r} and {self.class_!r}.")
        estimator = estimator_from(self.class_, self.params)
        return model_from_estimator(self.name or type(estimator).__name__, estimator, task)

    def _registered(self, task: str) -> Model:
        (known,) = find_models([self.model or self.name], task)
        name = self.name or self.model
        if not self.params:
            return known if name == known.name else replace(known, name=name, label=name, registered=False)
        changed = model_from_estimator(name, with_params(known.factory(0), self.params, known.name), task)
        label = known.label if name == known.name else name
        changed = replace(changed, label=label, family=known.family, preprocessing=known.preprocessing)
        return replace(changed, space=known.space, fixed=tuple(self.params))


#: Models as a reader of Python gives them.
Choices = Iterable["str | ModelChoice | Mapping[str, Any]"] | str | ModelChoice | Mapping[str, Any]


def choose_models(choices: Choices, task: str) -> tuple[Model, ...]:
    """Find the models of a study.

    Parameters
    ----------
    choices : list of str, ModelChoice and mappings, or one of them
        Text is a registry name, or an import path if it has a colon; a mapping has estimators of the reader's own by name.
    task : str
        What they are to do.

    Returns
    -------
    tuple of Model
        In the order given, with names of their own.

    Raises
    ------
    UserError
        When a name is unknown, given twice, or none is given, or something else is no model.

    Examples
    --------
    >>> [model.name for model in choose_models(("moe", "sklearn.svm:SVC"), "classification")]
    ['moe', 'SVC']
    """
    if isinstance(choices, (str, Mapping, ModelChoice)):
        choices = (choices,)
    if not isinstance(choices, Iterable) or isinstance(choices, (bytes, type)) or hasattr(choices, "fit"):  # some ensembles can be iterated
        raise _no_model(choices)
    found = [model for choice in choices for model in _find(choice, task)]
    if not found:
        find_models([], task)
    names = [model.name for model in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(
            f"model {twice[0]!r} is named twice; give one of them a name of its own: "
            'name = "..." in a file, ModelChoice("...", model="...") in Python.'
        )
    return tuple(found)


def _find(choice: Any, task: str) -> tuple[Model, ...]:
    match choice:
        case str() if ":" in choice:
            return (ModelChoice(class_=choice).find(task),)
        case str():
            return find_models([choice], task)
        case ModelChoice():
            return (choice.find(task),)
        case Mapping():
            return tuple(model_from_estimator(name, estimator, task) for name, estimator in choice.items())
    raise _no_model(choice)


def _no_model(received: Any) -> UserError:
    kind = received if isinstance(received, type) else type(received)
    if hasattr(kind, "fit"):
        return UserError(f"an estimator needs a name that the report may call it by: write {{{kind.__name__!r}: {kind.__name__}(...)}}.")
    valid = (
        "a name that `ensemblekit models` lists, an import path such as 'sklearn.svm:SVC', a ModelChoice (a [[models]] section in a file), "
        "or a mapping from names to estimators"
    )
    return UserError(f"a model is {valid}; got {reprlib.repr(received)}.")
