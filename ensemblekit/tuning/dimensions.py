"""Kinds of parameters that a search may change: real, whole, a choice, and the members of an ensemble.

Each kind draws a value for scikit-learn's searches (`rvs`, as the distributions of scipy do) and asks an Optuna trial for
one (`suggest`), from the same limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sklearn.base import clone
from sklearn.utils import check_random_state

from ensemblekit.ensembles.members import Task, make_members


class Dimension(Protocol):
    """What a search space is made of.

    Examples
    --------
    >>> dimension: Dimension = Whole(1, 3)
    >>> dimension.rvs(random_state=0) in (1, 2, 3)
    True
    """

    def rvs(self, random_state: Any = None) -> Any:
        """Draw a value; scikit-learn calls it by this name.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Source of chance.

        Returns
        -------
        object
            Within the limits.
        """
        ...

    def suggest(self, trial: Any, name: str) -> Any:
        """Let an Optuna trial choose a value.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            The trial.
        name : str
            What it calls the parameter, or the beginning of it.

        Returns
        -------
        object
            Within the limits.
        """
        ...


@dataclass(frozen=True)
class Real:
    """A real number, uniform or uniform in its logarithm.

    Parameters
    ----------
    low, high : float
        Limits; both positive where ``log``.
    log : bool, default=False
        Uniform in the logarithm.

    Examples
    --------
    >>> 0.01 <= Real(0.01, 1.0, log=True).rvs(random_state=0) <= 1
    True
    """

    low: float
    high: float
    log: bool = False

    def rvs(self, random_state: Any = None) -> float:
        """Draw a value: see `Dimension.rvs`."""
        rng = check_random_state(random_state)
        if not self.log:
            return float(rng.uniform(self.low, self.high))
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)  # exp(log(x)) may lie a bit beyond x

    def suggest(self, trial: Any, name: str) -> float:
        """Let an Optuna trial choose: see `Dimension.suggest`."""
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Whole:
    """A whole number, uniform or about uniform in its logarithm.

    Parameters
    ----------
    low, high : int
        Limits, both among the values; positive where ``log``.
    log : bool, default=False
        Uniform in the logarithm, rounded: Optuna's way.

    Examples
    --------
    >>> {Whole(1, 3).rvs(random_state=seed) for seed in range(20)}
    {1, 2, 3}
    """

    low: int
    high: int
    log: bool = False

    def rvs(self, random_state: Any = None) -> int:
        """Draw a value: see `Dimension.rvs`."""
        rng = check_random_state(random_state)
        if not self.log:
            return int(rng.randint(self.low, self.high + 1))
        drawn = round(math.exp(rng.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5))))
        return min(max(drawn, self.low), self.high)

    def suggest(self, trial: Any, name: str) -> int:
        """Let an Optuna trial choose: see `Dimension.suggest`."""
        return int(trial.suggest_int(name, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Choice:
    """One of some values, all alike.

    Parameters
    ----------
    options : tuple of None, bool, int, float or str
        The values.

    Examples
    --------
    >>> Choice(("hard", "soft")).rvs(random_state=0) in ("hard", "soft")
    True
    """

    options: tuple[bool | int | float | str | None, ...]

    def rvs(self, random_state: Any = None) -> Any:
        """Draw a value: see `Dimension.rvs`."""
        return self.options[int(check_random_state(random_state).randint(len(self.options)))]

    def suggest(self, trial: Any, name: str) -> Any:
        """Let an Optuna trial choose: see `Dimension.suggest`."""
        return trial.suggest_categorical(name, self.options)


@dataclass(frozen=True)
class Members:
    """The members of an ensemble, the default kinds with settings of their own: the value of ``estimators``.

    Parameters
    ----------
    kinds : mapping from str to mapping from str to Dimension
        Kind of `ensemblekit.ensembles.members.make_members` -> name of its parameter -> dimension.
    task : {"classification", "regression"}
        What the members do.

    Examples
    --------
    >>> members = Members({"forest": {"max_depth": Whole(2, 4)}}, "classification").rvs(random_state=0)
    >>> [(name, 2 <= member.max_depth <= 4, member.random_state) for name, member in members]
    [('forest', True, 0)]
    """

    kinds: Mapping[str, Mapping[str, Dimension]]
    task: Task

    def rvs(self, random_state: Any = None) -> list[tuple[str, Any]]:
        """Draw settings for every member.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Source of chance.

        Returns
        -------
        list of (str, estimator) tuples
            Not fitted; ``random_state`` 0.
        """
        rng = check_random_state(random_state)
        return [self._member(kind, {name: dimension.rvs(rng) for name, dimension in space.items()}) for kind, space in self.kinds.items()]

    def suggest(self, trial: Any, name: str) -> list[tuple[str, Any]]:
        """Let an Optuna trial choose every member's settings.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            The trial; it sees parameters such as ``estimators.forest.max_features``.
        name : str
            Begin of their names.

        Returns
        -------
        list of (str, estimator) tuples
            Not fitted; ``random_state`` 0.
        """
        return [
            self._member(kind, {own: dimension.suggest(trial, f"{name}.{kind}.{own}") for own, dimension in space.items()})
            for kind, space in self.kinds.items()
        ]

    def _member(self, kind: str, settings: dict[str, Any]) -> tuple[str, Any]:
        ((name, member),) = make_members(kind, task=self.task, random_state=0)
        return name, clone(member).set_params(**settings)
