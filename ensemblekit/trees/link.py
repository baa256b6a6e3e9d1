"""From margins to probabilities, one column per class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from ensemblekit.trees.flat import Link


def probabilities(margins: npt.NDArray[np.float64], link: Link) -> npt.NDArray[np.float64]:
    """Turn the margins of a forest or booster into class probabilities.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, n_outputs)
        From `ensemblekit.trees.walk.margins`.
    link : {"identity", "softmax", "sigmoid", "one-vs-all"}
        The model's link. One-vs-all rows need not sum to one: LightGBM leaves them so.

    Returns
    -------
    ndarray of float64, shape (n, n_classes)
        Two columns for the sigmoid, else as many as margins.

    Examples
    --------
    >>> probabilities(np.array([[0.0]]), "sigmoid")
    array([[0.5, 0.5]])
    """
    if link == "sigmoid":
        return np.hstack([expit(-margins), expit(margins)])
    if link == "softmax":
        return np.asarray(softmax(margins, axis=1))
    return np.asarray(expit(margins)) if link == "one-vs-all" else margins
