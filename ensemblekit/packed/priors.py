"""scikit-learn's DummyClassifier, which a mixture keeps for an expert that was given rows of one class only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.experts import LinearExpert, expert_packers


@expert_packers.register("sklearn.DummyClassifier")
def pack_prior(model: Any, columns: npt.NDArray[np.intp]) -> LinearExpert:
    """Write the class frequencies as intercepts.

    Parameters
    ----------
    model : fitted DummyClassifier
        With strategy "prior".
    columns : ndarray of int
        Where its classes stand among the model's.

    Returns
    -------
    LinearExpert
        With coefficients of zero.

    Raises
    ------
    ValueError
        For another strategy: they draw, or answer with certainty.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> np.exp(pack_prior(DummyClassifier().fit([[0.0]] * 4, [0, 1, 1, 1]), np.arange(2)).intercept)
    array([0.25, 0.75])
    """
    if model.strategy != "prior":
        raise ValueError(f"DummyClassifier(strategy={model.strategy!r}) cannot be packed; valid: 'prior'.")
    return LinearExpert(np.zeros((len(model.classes_), model.n_features_in_)), np.log(model.class_prior_), columns)
