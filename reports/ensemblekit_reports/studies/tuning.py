"""How much is searched of each model, the same for all."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.values import checked

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
            When there are no trials or no time, one of them is no number, or Optuna is not installed.
        """
        checked(vars(self), Tuning, "tune")
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
