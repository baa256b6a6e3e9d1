r"""The Gaussian gate: each expert owns a Gaussian region of the table, and the gate is Bayes' rule over the regions.

.. math:: g_k(x) = \frac{\pi_k N(x \mid \mu_k, \Sigma_k)}{\sum_j \pi_j N(x \mid \mu_j, \Sigma_j)}

Its M-step is in closed form, because EM then climbs the joint likelihood of rows and answers (Xu, Jordan and Hinton, 1995, eq. 12).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.mixture._gaussian_mixture import (
    _compute_precision_cholesky,
    _estimate_gaussian_parameters,
    _estimate_log_gaussian_prob,
)

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.linear.objective import logsumexp


class GaussianGate(BaseEstimator):
    """Localised gate of Xu, Jordan and Hinton.

    Parameters
    ----------
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Shape of the regions, as in scikit-learn's ``GaussianMixture``.
    reg_covar : float, default=1e-6
        Added to the diagonal of every covariance, relative to the mean variance of the columns.

    Attributes
    ----------
    weights_ : ndarray of shape (n_experts,)
    means_ : ndarray of shape (n_experts, n_features)
        In units of the columns divided by ``unit_``.
    precisions_cholesky_ : ndarray
        Cholesky factors of the precisions, of the shape that ``GaussianMixture`` gives them, in the same units.
    unit_ : float
        Power of two by which columns are divided, so that no square overflows.

    References
    ----------
    L. Xu, M. I. Jordan and G. E. Hinton (1995). An alternative model for mixtures of experts. NIPS 7, 633-640.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> gate = GaussianGate().fit(X, np.repeat(np.eye(2), 2, axis=0), np.ones(4))
    >>> np.exp(gate.log_proba(X)).round(2)
    array([[1., 0.],
           [1., 0.],
           [0., 1.],
           [0., 1.]])
    """

    def __init__(self, covariance_type: str = "full", *, reg_covar: float = 1e-6) -> None:
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:
        """Weighted means and covariances of each expert's rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For an unknown ``covariance_type``.
        """
        valid = ("full", "tied", "diag", "spherical")
        if self.covariance_type not in valid:
            raise ValueError(f"covariance_type must be one of {valid}; got {self.covariance_type!r}.")
        self.unit_ = float(np.exp2(np.ceil(np.log2(max(np.abs(X).max(), 1e-150)))))
        scaled = X / self.unit_
        share = sample_weight / sample_weight.sum()
        variance = share @ np.square(scaled - share @ scaled)
        floor = self.reg_covar * max(float(variance.mean()), np.finfo(float).tiny) + np.finfo(float).eps ** 2
        mass = responsibilities * sample_weight[:, None]
        # scikit-learn's own tied estimate leaves the sample weights out
        kind = "full" if self.covariance_type == "tied" else self.covariance_type
        weights, self.means_, covariances = _estimate_gaussian_parameters(scaled, mass, floor, kind)
        if self.covariance_type == "tied":
            covariances = np.einsum("k,kij->ij", weights / weights.sum(), covariances)
        self.weights_ = weights / weights.sum()
        self.precisions_cholesky_ = _compute_precision_cholesky(covariances, self.covariance_type)
        self.log_density_ = float(sample_weight @ logsumexp(self._log_joint(X).T))
        return self

    def _log_joint(self, X: Any) -> Float:
        density = _estimate_log_gaussian_prob(X / self.unit_, self.means_, self.precisions_cholesky_, self.covariance_type)
        with np.errstate(divide="ignore"):
            joint: Float = density + np.log(self.weights_)
        return joint

    def log_proba(self, X: Any) -> Float:
        """Natural logarithms of the regions' posterior probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        joint = self._log_joint(X)
        result: Float = joint - logsumexp(joint.T)[:, None]
        return result

    def penalty(self) -> float:
        """Minus the log-density of the training rows: this gate models them too, and EM climbs the joint likelihood."""
        return -self.log_density_
