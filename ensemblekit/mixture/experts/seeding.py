"""Seeds for estimators that were given none."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone


def with_seeds(estimator: Any, rng: np.random.Generator) -> Any:
    """Clone an estimator, and give a seed to whatever of it has a ``random_state`` that is None.

    Seeds that are set stay, where scikit-learn's own ensembles overwrite them. A frozen estimator stays as it is.

    Parameters
    ----------
    estimator : estimator
    rng : numpy.random.Generator
        Draws one seed for each, in the order of their names.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> seeded = with_seeds(BaggingClassifier(DecisionTreeClassifier(random_state=7)), np.random.default_rng(0))
    >>> seeded.random_state is None, seeded.estimator.random_state
    (False, 7)
    """
    seeded = clone(estimator)
    open_names = [name for name, value in sorted(seeded.get_params().items()) if _is_seed(name) and value is None]
    seeded.set_params(**{name: int(rng.integers(np.iinfo(np.int32).max)) for name in open_names})
    return seeded


def _is_seed(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")
