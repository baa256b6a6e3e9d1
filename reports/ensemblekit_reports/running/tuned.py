"""Nested tuning: parameters are searched inside each training fold, with as many trials for every model.

The test rows of a fold take no part: trials are judged by a cross-validation inside its training rows, by the study's own metric.
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from ensemblekit._extras import require
from ensemblekit.tuning import SearchSpace, space
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.studies.scheme import Split, group_folds, strata_of

#: Folds inside a training fold.
INNER_FOLDS = 3
#: Seconds that the search of one model on one fold may take, where the study does not say.
TIME_LIMIT_S = 600.0


@dataclass(frozen=True)
class Tuning:
    """How much is searched, the same for every model.

    Parameters
    ----------
    trials : int
        Settings that are tried in each training fold; the first is the model as it is.
    time_limit_s : float, default=600
        Seconds after which no further trial begins, for one model on one fold.
    metric : str, default=""
        What the trials are judged by: the study's primary metric.

    Examples
    --------
    >>> Tuning(30).time_limit_s
    600.0
    """

    trials: int
    time_limit_s: float = TIME_LIMIT_S
    metric: str = ""

    def check(self, seconds: float) -> None:
        """Refuse what cannot be run.

        Parameters
        ----------
        seconds : float
            What a model may take on a fold, 0 for no limit.

        Raises
        ------
        UserError
            When there are no trials or no time, or Optuna is not installed.
        """
        if self.trials < 1 or not self.time_limit_s > 0:
            raise UserError(f"tuning needs at least one trial and some time, got {self.trials} trials in {self.time_limit_s:g} s.")
        if 0 < seconds <= self.time_limit_s:
            raise UserError(
                f"tuning may take {self.time_limit_s:g} s for a model on a fold, which may take {seconds:g} s in all: "
                "give the search less, or raise the time limit (--time-limit)."
            )
        if importlib.util.find_spec("optuna") is None:
            raise UserError("tuning needs the package 'optuna', which is not installed. Install it: pip install 'ensemblekit[tune]'")

    def identity(self) -> list[Any]:
        """Return what a result depends on that was found by this search."""
        return [self.trials, self.time_limit_s, self.metric, INNER_FOLDS, metadata.version("optuna")]


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


def inner_folds(y: NDArray[Any], groups: NDArray[np.int64] | None, seed: int) -> Iterator[Split]:
    """Deal training rows out for the search, as the study deals all rows out.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Classes or amounts of the training rows.
    groups : ndarray of shape (n_rows,), int64, or None
        Rows of one group stay together.
    seed : int
        Of the fold.

    Yields
    ------
    train, test : ndarray of int
        Positions in the training rows.

    Examples
    --------
    >>> [len(test) for _, test in inner_folds(np.arange(12) % 2, None, 0)]
    [4, 4, 4]
    """
    n_folds = INNER_FOLDS if groups is None else min(INNER_FOLDS, len(np.unique(groups)))
    if n_folds < 2:
        raise ValueError("there is one group of training rows: nothing can be held out to judge a trial by")
    # The smallest point of a learning curve may hold a row or two of each class.
    n_folds = min(n_folds, int(np.unique(strata_of(y, n_folds), return_counts=True)[1].max()))
    if n_folds < 2:
        raise ValueError("there is one training row of each class: none can be held out to judge a trial by")
    strata = strata_of(y, n_folds)
    if groups is None:
        yield from StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(np.zeros(len(y)), strata)
    else:
        yield from group_folds(strata, groups, n_folds, seed)


def say_tuning(records: list[dict[str, Any]]) -> list[str]:
    """Say what was searched and what the first fold chose, one sentence for each table and model, and who was not tuned beside others.

    Parameters
    ----------
    records : list of dict
        Of cells.

    Examples
    --------
    >>> search = {"trials": 20, "asked": 20, "seconds": 3.0, "score": 0.9, "default": 0.8, "params": {"C": 4.0}}
    >>> say_tuning([{"dataset": "iris", "model": "logistic", "tuning": search}])
    ['iris, logistic: tuned in each fold, 20 of 20 trials, 3 s a fold in the median; in the first fold it chose C = 4.']
    """
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if record.get("tuning"):
            by_pair.setdefault((record["dataset"], record["model"]), []).append(record["tuning"])
    said = [f"{table}, {model}: {_say_searches(searches)}" for (table, model), searches in by_pair.items()]
    as_they_are = sorted({r["model"] for r in records if r.get("status") == "ok" and not r.get("tuning")}) if said else []
    return said + [f"{model}: not tuned, since it has no search space." for model in as_they_are]


def _say_searches(searches: list[dict[str, Any]]) -> str:
    least, most = min(search["trials"] for search in searches), max(search["trials"] for search in searches)
    done = f"{least}" if least == most else f"{least} to {most}"
    seconds = float(np.median([search["seconds"] for search in searches]))
    chosen = ", ".join(f"{name} = {_short(value)}" for name, value in searches[0]["params"].items()) or "the model as it is"
    cost = f"{seconds:.2g} s a fold in the median"
    return f"tuned in each fold, {done} of {searches[0]['asked']} trials, {cost}; in the first fold it chose {chosen}."


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
