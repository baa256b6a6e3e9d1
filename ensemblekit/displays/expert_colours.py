"""One colour per expert, told apart by colour-blind readers as well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Okabe and Ito (2008), black and grey left out, then darker and lighter ones.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#F0E442", "#7F4F24", "#A6A6FF", "#8FBC8F")


def expert_colours(n_experts: int) -> NDArray[np.float64]:
    """Return the colours of experts 0, 1, 2, ...; they repeat after ten.

    Parameters
    ----------
    n_experts : int

    Returns
    -------
    ndarray of shape (n_experts, 3)
        Red, green and blue, from 0 to 1.

    Examples
    --------
    >>> expert_colours(2).round(2)
    array([[0.9 , 0.62, 0.  ],
           [0.34, 0.71, 0.91]])
    """
    codes = [_COLOURS[k % len(_COLOURS)] for k in range(n_experts)]
    return np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes])
