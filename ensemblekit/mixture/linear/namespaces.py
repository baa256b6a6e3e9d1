"""Arrays of other libraries: long ones stay where they are, short ones come to the host.

With scikit-learn's ``array_api_dispatch`` a table may be an array of CuPy, PyTorch or any library that follows the array API standard
(Data APIs consortium, 2023.12 and later), on a device of its own. Whatever has a row for each row of the table stays there; parameters are
few, and the optimiser moves them on the host.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils._array_api import get_namespace, get_namespace_and_device, move_to


def namespace(array: Any) -> Any:
    """Return the array library that an array belongs to; NumPy's for sparse matrices.

    Parameters
    ----------
    array : array or sparse matrix

    Returns
    -------
    module

    Examples
    --------
    >>> float(namespace(np.ones(2)).sum(np.ones(2)))
    2.0
    """
    # NumPy itself keeps to the standard, and is quicker than its wrapper
    return np if isinstance(array, np.ndarray) or sp.issparse(array) else get_namespace(array)[0]


def on_host(array: Any) -> NDArray[Any]:
    """Return an array as NumPy's.

    Parameters
    ----------
    array : array

    Returns
    -------
    ndarray
        The array itself where it is NumPy's.

    Examples
    --------
    >>> on_host(np.ones(2))
    array([1., 1.])
    """
    if isinstance(array, np.ndarray):
        return array
    host: NDArray[Any] = move_to(array, xp=np, device="cpu")
    return host


def beside(array: Any, table: Any) -> Any:
    """Bring an array to the library and device of a table; floats become as exact as the device has them.

    Parameters
    ----------
    array : array
    table : array or sparse matrix

    Returns
    -------
    array

    Examples
    --------
    >>> beside(np.ones(2), np.zeros((3, 2)))
    array([1., 1.])
    """
    if isinstance(table, np.ndarray) or sp.issparse(table):
        return on_host(array)
    xp, _, device = get_namespace_and_device(table)
    return move_to(array, xp=xp, device=device)


def take_rows(array: Any, rows: NDArray[np.intp], axis: int = 0) -> Any:
    """Pick rows, or columns, by position.

    Parameters
    ----------
    array : array or sparse matrix
    rows : ndarray of int
    axis : {0, 1}, default=0
        Axis along which positions count.

    Returns
    -------
    array

    Examples
    --------
    >>> take_rows(np.eye(3), np.array([2]))
    array([[0., 0., 1.]])
    """
    if sp.issparse(array):
        return array[rows] if axis == 0 else array[:, rows]
    return namespace(array).take(array, beside(rows, array), axis=axis)
