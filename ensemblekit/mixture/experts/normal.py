"""The normal density of experts that answer with a mean and a standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.namespaces import namespace


def normal_log_density(y: Any, mean: Any, deviation: Any) -> Float:
    """Natural logarithm of the normal density.

    Parameters
    ----------
    y, mean, deviation : arrays that broadcast to one shape
        Of one library; deviations are positive.

    Returns
    -------
    array of that shape

    Examples
    --------
    >>> normal_log_density(np.array([1.0]), np.array([1.0]), np.array([2.0])).round(4)  # -log(2 sqrt(2 pi))
    array([-1.6121])
    """
    xp = namespace(mean)
    density: Float = -0.5 * (xp.square((y - mean) / deviation) + float(np.log(2 * np.pi))) - xp.log(deviation)
    return density
