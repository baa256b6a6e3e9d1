"""A search space: one declaration, read by Optuna and by scikit-learn's searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ensemblekit.tuning.dimensions import Dimension


@dataclass(frozen=True)
class SearchSpace:
    """Parameters of an estimator that a search may change, and their ranges.

    Parameters
    ----------
    name : str
        The model's name.
    task : {"classification", "regression"}
        What it does.
    dimensions : mapping from str to Dimension
        Parameter, as `set_params` names it -> its range.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import RandomizedSearchCV
    >>> from ensemblekit.tuning import space
    >>> logistic = space("logistic")
    >>> search = RandomizedSearchCV(LogisticRegression(), logistic.distributions(), n_iter=5, random_state=0)

    Optuna chooses from the same ranges; this trial was fixed beforehand.

    >>> from optuna.trial import FixedTrial
    >>> logistic.suggest(FixedTrial({"C": 0.5}))
    {'C': 0.5}
    """

    name: str
    task: str
    dimensions: Mapping[str, Dimension]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Let an Optuna trial choose.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            A trial of any sampler. ``FixedTrial(study.best_params)`` gives the parameters of the best trial back.

        Returns
        -------
        dict
            For ``set_params`` of an estimator that is not fitted.
        """
        return {name: dimension.suggest(trial, name) for name, dimension in self.dimensions.items()}

    def distributions(self) -> dict[str, Any]:
        """Give distributions for `RandomizedSearchCV`, `HalvingRandomSearchCV` or `ParameterSampler`.

        Returns
        -------
        dict
            Parameter -> object with ``rvs(random_state=...)``.
        """
        return dict(self.dimensions)
