"""Search the parameters of one estimator, in as many trials as every other model has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from ensemblekit._extras import require
from ensemblekit.tuning import SearchSpace, space
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.studies.tuning import Tuning


def space_of(name: str, task: str, fixed: tuple[str, ...] = ()) -> SearchSpace | None:
    """Return what may be searched of a model.

    Parameters
    ----------
    name : str
        Of its search space; ``""`` for a model that has none.
    task : str
        What it does.
    fixed : tuple of str, default=()
        Parameters that the study has set; with a part, such as ``experts``, all of its own are left out.

    Returns
    -------
    SearchSpace or None
        None when nothing is left to search.

    Examples
    --------
    >>> list(space_of("moe", "classification", ("alpha",)).dimensions), space_of("", "classification")
    (['n_experts'], None)
    """
    if not name:
        return None
    whole = space(name, task)
    # What the study has put in the place of a part is meant as it is: its own parameters are not searched either.
    left = {key: dimension for key, dimension in whole.dimensions.items() if not any(f"{key}__".startswith(f"{name}__") for name in fixed)}
    return replace(whole, dimensions=left) if left else None


def tune(
    estimator: Any, ranges: SearchSpace, tuning: Tuning, judge: Callable[[Any], float], seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Search the parameters of an estimator.

    Parameters
    ----------
    estimator : estimator
        Not fitted; the first trial.
    ranges : SearchSpace
        What may be changed.
    tuning : Tuning
        How much is tried.
    judge : callable
        From an estimator to its mean score inside the training rows.
    seed : int
        Of the fold; it seeds the sampler.

    Returns
    -------
    chosen : dict
        Optuna's parameters of the best trial, plain values; empty when the model as it is was best.
    found : dict
        ``trials`` done, ``asked``, ``seconds``, and the inner ``score`` of the best trial and of the model as it is.

    Raises
    ------
    ValueError
        When no trial could be judged.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> ranges = space_of("logistic", "classification")
    >>> off = lambda model: abs(np.log(model.C) - np.log(4))
    >>> chosen, found = tune(LogisticRegression(), ranges, Tuning(20, metric="log_loss"), off, seed=0)
    >>> found["trials"], found["score"] < 0.5 < found["default"]
    (20, True)
    """
    optuna = require("optuna", extra="tune", purpose="Tuning")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sign = 1.0 if QUANTITIES[tuning.metric].higher_is_better else -1.0
    failures: list[str] = []

    def value(make: Callable[[], Any]) -> float:
        try:
            return sign * float(judge(make()))
        except Exception as error:  # noqa: BLE001 - a setting that cannot be fitted is a bad one
            failures.append(f"{type(error).__name__}: {error}")
            return float("nan")

    started = time.perf_counter()
    default = value(lambda: estimator)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    left = tuning.time_limit_s - (time.perf_counter() - started)
    if tuning.trials > 1 and left > 0:
        # Optuna takes NaN for a failed trial, and goes on.
        study.optimize(
            lambda trial: value(lambda: with_chosen(estimator, ranges.suggest(trial), seed)), n_trials=tuning.trials - 1, timeout=left
        )
    judged = [(default, {})] + [(trial.value, trial.params) for trial in study.trials if trial.value is not None]
    # Among equals the first: the model as it is.
    best, params = max((pair for pair in judged if not np.isnan(pair[0])), key=lambda pair: pair[0], default=(np.nan, {}))
    if np.isnan(best):
        raise ValueError(f"none of {1 + len(study.trials)} trials could be judged; the first: {failures[0] if failures else 'no score'}")
    done = {"trials": 1 + len(study.trials), "asked": tuning.trials, "seconds": time.perf_counter() - started}
    return params, done | {"score": sign * best, "default": sign * default}


def with_chosen(estimator: Any, params: Mapping[str, Any], seed: int) -> Any:
    """Return a copy of an estimator with other parameters, and the fold's seed in all of its parts.

    Parameters
    ----------
    estimator : estimator
        Not fitted.
    params : mapping of str to object
        As a search space suggests them.
    seed : int
        Of the fold.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> with_chosen(BaggingClassifier(), {"n_estimators": 5}, 7)
    BaggingClassifier(n_estimators=5, random_state=7)
    """
    changed = clone(estimator).set_params(**params)
    seeds = [name for name in changed.get_params(deep=True) if name.split("__")[-1] == "random_state"]
    return changed.set_params(**dict.fromkeys(seeds, seed))


def chosen_again(ranges: SearchSpace, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return an estimator's parameters from what `tune` chose.

    Parameters
    ----------
    ranges : SearchSpace
        That was searched.
    chosen : mapping
        Optuna's parameters of the best trial; empty for the model as it is.

    Examples
    --------
    >>> chosen_again(space_of("logistic", "classification"), {"C": 2.0}), chosen_again(space_of("logistic", "classification"), {})
    ({'C': 2.0}, {})
    """
    if not chosen:
        return {}
    return ranges.suggest(require("optuna", extra="tune", purpose="Tuning").trial.FixedTrial(dict(chosen)))
