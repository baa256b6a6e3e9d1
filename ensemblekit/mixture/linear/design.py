"""Columns made ready for linear predictors: centred and scaled for conditioning, without moving any optimum.

A coefficient ``v`` on the standardised column ``(x - mean) / scale`` is the coefficient ``v / scale`` on the raw column, and the
intercepts are free; so a penalty written on ``v / scale`` is the penalty on the raw coefficients, whatever the scaling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils._array_api import get_namespace_and_device

from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host

Float = NDArray[np.float64]

#: A raw coefficient is ``v / scale``. One that made a column of smaller scale matter would overflow: such a column counts as constant.
_SMALLEST_SCALE = 1e-150


@dataclass(frozen=True)
class Design:
    """Standardised columns with a final column of ones, and the way back to raw coefficients.

    Parameters
    ----------
    Z : array or sparse array of shape (n_samples, n_features + 1)
        Standardised columns, then ones for the intercepts, in the library and on the device of the table. Sparse columns are scaled but
        not centred.
    mean, scale : ndarray of shape (n_features,)
        ``Z[:, :-1] = (X - mean) / scale``.
    sample_weight : array of shape (n_samples,)
        Positive weights; a row of weight two counts as two rows.
    """

    Z: Any
    mean: Float
    scale: Float
    sample_weight: Float

    @property
    def n_features(self) -> int:
        """Number of raw columns."""
        return self.mean.size

    def reweighted(self, sample_weight: Float) -> Design:
        """Return the same columns under other weights; the scaling is kept, since it moves no optimum.

        Examples
        --------
        >>> design = make_design(np.eye(3), np.ones(3))
        >>> design.reweighted(np.full(3, 2.0)).sample_weight
        array([2., 2., 2.])
        """
        return Design(self.Z, self.mean, self.scale, sample_weight)

    def standardise(self, X: Any, sample_weight: Float) -> Design:
        """Return other rows in the columns of this design.

        Examples
        --------
        >>> make_design(np.array([[1.0], [3.0]]), np.ones(2)).standardise(np.array([[5.0]]), np.ones(1)).Z
        array([[3., 1.]])
        """
        ones = beside(np.ones((X.shape[0], 1)), X)
        if sp.issparse(X):
            Z = sp.csr_array(sp.hstack([sp.csr_array(X) @ sp.diags_array(1.0 / self.scale), ones]))
        else:
            Z = namespace(X).concat([(X - beside(self.mean, X)) / beside(self.scale, X), ones], axis=1)
        return Design(Z, self.mean, self.scale, sample_weight)

    def raw_coefficients(self, W: Float) -> tuple[Float, Float]:
        """Turn coefficients on standardised columns into those on raw columns.

        Parameters
        ----------
        W : ndarray of shape (n_features + 1, n_predictors)
            Coefficients on the columns of ``Z``, the intercepts last.

        Returns
        -------
        coef : ndarray of shape (n_predictors, n_features)
        intercept : ndarray of shape (n_predictors,)

        Examples
        --------
        >>> X = np.array([[1.0], [3.0]])
        >>> design = make_design(X, np.ones(2))
        >>> coef, intercept = design.raw_coefficients(np.array([[2.0], [1.0]]))
        >>> np.allclose(X @ coef.T + intercept, design.Z @ np.array([[2.0], [1.0]]))
        True
        """
        coef = W[:-1].T / self.scale
        # mean / scale first: the product of a huge mean and a tiny coefficient is harmless only in this order
        return coef, W[-1] - (self.mean / self.scale) @ W[:-1]

    def standardised_coefficients(self, coef: Float, intercept: Float) -> Float:
        """Undo :meth:`raw_coefficients`.

        Examples
        --------
        >>> design = make_design(np.array([[1.0], [3.0]]), np.ones(2))
        >>> design.standardised_coefficients(*design.raw_coefficients(np.array([[2.0], [1.0]])))
        array([[2.],
               [1.]])
        """
        slopes = (coef * self.scale).T
        return np.vstack([slopes, intercept + (self.mean / self.scale) @ slopes])


def make_design(X: Any, sample_weight: Float) -> Design:
    """Standardise the columns of ``X`` under the given weights.

    Parameters
    ----------
    X : array, sparse array or Design of shape (n_samples, n_features)
        Finite values; a design is returned under the new weights as it is.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.

    Returns
    -------
    Design

    Examples
    --------
    >>> make_design(np.array([[1e160], [3e160]]), np.ones(2)).Z
    array([[-1.,  1.],
           [ 1.,  1.]])
    """
    if isinstance(X, Design):
        return X.reweighted(sample_weight)
    if sp.issparse(X):
        return _sparse_design(X, sample_weight)
    xp, _, device = get_namespace_and_device(X)
    share = sample_weight / xp.sum(sample_weight)
    peak = xp.max(xp.abs(X), axis=0)
    peak = xp.where(peak == 0, xp.ones_like(peak), peak)
    Z = xp.empty((X.shape[0], X.shape[1] + 1), dtype=X.dtype, device=device)
    columns = Z[:, :-1]  # a view: a long table has room for few copies
    columns[...] = X / peak  # so that no square overflows
    Z[:, -1] = 1.0
    centre = share @ columns
    columns -= centre
    spread = xp.sqrt(share @ xp.square(columns))
    eps = float(xp.finfo(X.dtype).eps)
    largest, mean, deviation = (on_host(each).astype(np.float64) for each in (peak, centre, spread))
    # what rounding leaves of a constant column must not be blown up to unit variance
    constant = deviation <= 10 * eps * np.abs(mean) * np.sqrt(X.shape[0])
    constant |= deviation * largest < _SMALLEST_SCALE
    deviation[constant] = 1.0
    columns *= beside(np.where(constant, 0.0, 1.0), X)
    columns /= beside(deviation, X)
    return Design(Z, mean * largest, np.where(constant, 1.0, deviation * largest), sample_weight)


def _sparse_design(X: Any, sample_weight: Float) -> Design:
    """Scale the columns of a sparse matrix by their largest entry; centring would fill it."""
    X = sp.csr_array(X, dtype=np.float64)
    scale = np.abs(X).max(axis=0).toarray().ravel()
    scale[scale < _SMALLEST_SCALE] = 1.0
    Z = sp.csr_array(sp.hstack([X @ sp.diags_array(1.0 / scale), np.ones((X.shape[0], 1))]))
    return Design(Z, np.zeros(X.shape[1]), scale, sample_weight)
