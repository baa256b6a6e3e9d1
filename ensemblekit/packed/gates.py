"""Gates as plain arrays: what gives every row a logit for each expert, whatever kind of gate was fitted.

One form holds all kinds. A table of logits that are linear in the row is a softmax gate. Grouped into nodes, and added up along
paths, the same table is a hierarchy of softmax gates. A squared distance to each expert's centre makes it a Gaussian gate. And a
classifier is a packed model of its own, whose classes are the experts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

FLOOR = 1e-6  # the smallest probability that a classifier gives an expert, as in ensemblekit.mixture.gates.classifier


class PackedGate(NamedTuple):
    """A gate before assembly; the fields are those of `PackedModel` with the same meaning.

    Attributes
    ----------
    table : ndarray of float64, shape (d + 1, M) or (1, M)
        Linear logits, the intercepts in the last row.
    node : ndarray of int32, shape (M,)
        Node of the hierarchy that a logit belongs to.
    path : ndarray of int32, shape (K, L)
        Logits on the way to each expert.
    mean : ndarray of float64, shape (K, d) or (0, d)
        Centres of a Gaussian gate.
    factor : ndarray of float64, shape (K, d, d), (K, 1, d) or (0, 1, d)
        Its whitening matrices, or their diagonals.
    offset : ndarray of float64, shape (K,)
        Added to the experts' logits.
    model : PackedModel or None
        A classifier of rows into experts.

    Examples
    --------
    >>> linear_gate(np.zeros((4, 2)), n_features=3).path
    array([[0],
           [1]], dtype=int32)
    """

    table: npt.NDArray[np.float64]
    node: npt.NDArray[np.int32]
    path: npt.NDArray[np.int32]
    mean: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    model: PackedModel | None


def linear_gate(table: npt.NDArray[np.float64], *, n_features: int) -> PackedGate:
    """Make a softmax gate, or with a table of one row a constant one.

    Parameters
    ----------
    table : ndarray of float64, shape (d + 1, K) or (1, K)
        Logits, the intercepts in the last row.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    PackedGate
        One node, paths of length one.

    Examples
    --------
    >>> linear_gate(np.zeros((1, 2)), n_features=3).node
    array([0, 0], dtype=int32)
    """
    n_experts = table.shape[1]
    return PackedGate(
        table=np.ascontiguousarray(table, np.float64),
        node=np.zeros(n_experts, np.int32),
        path=np.arange(n_experts, dtype=np.int32)[:, None],
        mean=np.empty((0, n_features)),
        factor=np.empty((0, 1, n_features)),
        offset=np.zeros(n_experts),
        model=None,
    )


def constant_gate(weights: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Write fixed weights as the logits of a gate that looks at no column.

    Parameters
    ----------
    weights : array-like of shape (K,)
        Not negative, not all zero; an expert of weight zero never runs.

    Returns
    -------
    ndarray of float64, shape (1, K)
        Logarithms of the normalised weights.

    Raises
    ------
    ValueError
        For other weights: a mean with negative ones is not a mixture.

    Examples
    --------
    >>> np.exp(constant_gate([1, 3, 0]))
    array([[0.25, 0.75, 0.  ]])
    """
    weight = np.asarray(weights, np.float64)
    if not np.all(weight >= 0) or not 0 < weight.sum() < np.inf:
        raise ValueError(f"weights must be finite numbers that are not negative, and not all zero, to be packed; got {weights!r}.")
    share = weight / weight.sum()
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(share)[None])


def spread_columns(table: npt.NDArray[np.float64], columns: list[int] | None, n_features: int) -> npt.NDArray[np.float64]:
    """Give coefficients of some columns as coefficients of all, zero elsewhere.

    Parameters
    ----------
    table : ndarray of float64, shape (len(columns) + 1, m)
        Coefficients, the intercepts in the last row.
    columns : list of int, or None
        Where they stand; a column that is named twice counts twice. None: all columns, in order.
    n_features : int
        Columns of a row, d.

    Returns
    -------
    ndarray of float64, shape (d + 1, m)
        The table itself where `columns` is None or it has no row but the intercepts.

    Examples
    --------
    >>> spread_columns(np.array([[2.0], [1.0]]), [1], 3).ravel()
    array([0., 2., 0., 1.])
    """
    if columns is None or len(table) == 1:
        return table
    spread = np.zeros((n_features + 1, table.shape[1]))
    np.add.at(spread, [*columns, n_features], table)
    return spread


def with_offset(gate: PackedGate, offset: Any) -> PackedGate:
    """Tilt a gate.

    Parameters
    ----------
    gate : PackedGate
        The gate.
    offset : array-like of shape (K,)
        Added to the experts' logits.

    Returns
    -------
    PackedGate
        The tilted gate.

    Examples
    --------
    >>> with_offset(linear_gate(np.zeros((1, 2)), n_features=3), [0.5, 0]).offset
    array([0.5, 0. ])
    """
    return gate._replace(offset=gate.offset + np.asarray(offset, np.float64))
