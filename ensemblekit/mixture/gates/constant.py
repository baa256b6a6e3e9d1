"""The constant gate: every row has the same mixing proportions; a plain mixture of regressions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.kinds import LinearGate
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host


class ConstantGate(LinearGate, BaseEstimator):
    """Mixing proportions that do not depend on the row (Quandt, 1972).

    Attributes
    ----------
    intercept_ : ndarray of shape (n_experts,)
        Natural logarithms of the proportions.
    n_features_in_ : int
        Columns that it was shown, and ignores.

    References
    ----------
    R. E. Quandt (1972). A new approach to estimating switching regressions. JASA 67(338), 306-310.

    Examples
    --------
    >>> import numpy as np
    >>> gate = ConstantGate().fit(np.zeros((2, 1)), np.array([[1.0, 0.0], [0.5, 0.5]]), np.ones(2))
    >>> np.exp(gate.log_proba(np.zeros((1, 1))))
    array([[0.75, 0.25]])
    """

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Take the weighted mean of the responsibilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        rows = on_host(sample_weight @ responsibilities)
        self.n_features_in_ = X.shape[1]
        with np.errstate(divide="ignore"):
            self.intercept_ = np.log(rows / rows.sum())
        return self

    def set_contrasts(self, contrasts: Float, intercepts: Float) -> Self:
        """Take over the logits of all experts but the first, relative to the first; coefficients are not read."""
        logits = np.append(0.0, intercepts)
        self.n_features_in_ = contrasts.shape[1]
        self.intercept_ = logits - np.logaddexp.reduce(logits)
        return self

    def contrasts(self) -> tuple[Float, Float]:
        """Undo :meth:`set_contrasts`."""
        logits = on_host(self.intercept_)
        intercepts = logits[1:] - logits[0]
        return np.zeros((intercepts.size, self.n_features_in_)), intercepts

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the proportions, once for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        logits = beside(self.intercept_, X)
        return namespace(logits).tile(logits, (X.shape[0], 1))

    def penalty(self) -> float:
        """Zero: nothing is penalised."""
        return 0.0

    @property
    def reads(self) -> list[int]:
        """No column."""
        return []

    @property
    def strength(self) -> float:
        """No penalty."""
        return 0.0
