"""An estimator of the reader's own as a model of a study."""

from __future__ import annotations

import reprlib
from types import NoneType
from typing import Any

from sklearn.base import clone, is_classifier, is_regressor

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.fingerprints import fingerprint_of
from ensemblekit_reports.studies.model import Model

#: Packages whose estimators leave their process as they found it, and whose values are plain ones.
_KNOWN_PACKAGES = {"sklearn", "ensemblekit", "xgboost", "lightgbm", "numpy", "scipy", "builtins"}


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
    >>> from sklearn.linear_model import LogisticRegression
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
