"""The mixture of experts for classification."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

from ensemblekit.mixture.base import BaseMixture
from ensemblekit.mixture.contracts import Data, Float
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.linear.objective import logsumexp


class MixtureOfExpertsClassifier(ClassifierMixin, BaseMixture):
    r"""Mixture of experts with a learned gate.

    .. math:: p(y \mid x) = \sum_k g_k(x)\, p_k(y \mid x)

    A softmax gate :math:`g` weighs multinomial-logistic experts :math:`p_k`; all are fitted together by maximising the penalised
    likelihood (Jacobs, Jordan, Nowlan and Hinton, 1991; Jordan and Jacobs, 1994).

    Parameters
    ----------
    n_experts : int, default=4
        Number of experts K. One expert is ``LogisticRegression(C=1 / alpha)``.
    experts : {"logistic"}, default="logistic"
        Kind of the experts.
    gate : {"softmax"} or SoftmaxGate, default="softmax"
        Kind of the gate. A gate object has its own ``alpha``; None there stands for the mixture's.
    alpha : float, default=1.0
        L2 penalty on the coefficients of gate and experts for the raw columns, on the scale of the summed log-likelihood; intercepts
        are free. 0 is maximum likelihood. Columns on very different scales should be standardised before, as for any penalty.
    optimizer : {"auto", "em"}, default="auto"
        "em" alternates E- and M-steps throughout. "auto" climbs the same penalised likelihood by quasi-Newton steps, whose gradient is
        made of the same responsibilities, and ends with Newton steps where exact curvature is cheap: it needs far fewer passes.
    n_init : int, default=20
        Random starts. Each is followed for a few steps; the best go on.
    max_iter : int, default=1000
        Steps of the final run, at most.
    tol : float, default=1e-6
        The fit ends when a step can no longer raise the mean penalised log-likelihood by ``tol``: in EM by the rise of the last step,
        otherwise by the gradient.
    random_state : int, RandomState instance or None, default=None
        Draws the starts. Nothing is drawn per row, so that a row of weight two equals two rows.
    verbose : int, default=0
        Print the penalised log-likelihood after every step.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    gate_ : SoftmaxGate
        With ``coef_`` (n_experts, n_features) and ``intercept_`` (n_experts,).
    experts_ : LogisticExperts
        With ``coef_`` (n_experts, n_classes, n_features) and ``intercept_`` (n_experts, n_classes).
    lower_bound_ : float
        Penalised log-likelihood of the training rows, natural logarithm, summed over weights.
    lower_bounds_ : list of float
        Its value at the start of the final run and after every accepted step; never falls.
    n_iter_ : int
        Steps of the final run.
    converged_ : bool
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where the columns have names that are all text.

    References
    ----------
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton (1991). Adaptive mixtures of local experts. Neural Computation 3(1), 79-87.
    M. I. Jordan and R. A. Jacobs (1994). Hierarchical mixtures of experts and the EM algorithm. Neural Computation 6(2), 181-214.

    Examples
    --------
    Two regimes that no single linear model can hold: the answer follows the second column where the first is positive, and its opposite
    where it is negative.

    >>> import numpy as np
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
    >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.97
    True
    >>> model.gate_proba(X).shape
    (400, 2)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMixture._parameter_constraints,
        "n_experts": [Interval(Integral, 1, None, closed="left")],
        "experts": [StrOptions({"logistic"})],
    }

    def __init__(
        self,
        n_experts: int = 4,
        *,
        experts: str = "logistic",
        gate: Any = "softmax",
        alpha: float = 1.0,
        optimizer: str = "auto",
        n_init: int = 20,
        max_iter: int = 1000,
        tol: float = 1e-6,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_experts = n_experts
        self.experts = experts
        self.gate = gate
        self.alpha = alpha
        self.optimizer = optimizer
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit gate and experts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,)
            Class labels of any type; at least two different ones.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative; None for equal weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a bad parameter, fewer than two classes, weights that are negative or all zero.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        counts, weight = self._weighted_rows(X, sample_weight)
        self.classes_, codes = np.unique(y[counts], return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes among the rows of positive weight; got 1 class: {self.classes_[0]!r}."
            )
        rows = X[counts]
        experts = LogisticExperts(n_classes=self.classes_.size, alpha=self.alpha)
        self._fit_mixture(Data(rows, rows, codes, weight), self._make_gate(), experts)
        return self

    def predict_proba(self, X: Any) -> Float:
        """Class probabilities of the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        X = self._check_rows(X)
        gate = np.exp(self.gate_.log_proba(X))
        mixed: Float = np.einsum("nk,nkc->nc", gate, self.experts_.predict(X))
        return mixed

    def predict_log_proba(self, X: Any) -> Float:
        """Natural logarithms of :meth:`predict_proba`; minus infinity where a probability is zero.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each row; among equals the first in ``classes_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        proba = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[proba.argmax(axis=1)]
        return labels

    def expert_proba(self, X: Any) -> Float:
        """Class probabilities of each expert alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts, n_classes)
        """
        return self.experts_.predict(self._check_rows(X))

    def responsibilities(self, X: Any, y: Any) -> Float:
        """Probability that each expert answered, once the answer is known: ``g_k(x) p_k(y | x)``, normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels out of ``classes_``.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        X = self._check_rows(X)
        return self._posterior(X, self._encode(y, X.shape[0])).responsibilities

    def log_likelihood(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Log-likelihood of labelled rows, natural logarithm, without the penalty.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels out of ``classes_``.
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
            Sum over the rows.
        """
        X = self._check_rows(X)
        codes = self._encode(y, X.shape[0])
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        log_joint = self.gate_.log_proba(X) + self.experts_.log_likelihood(X, codes)
        return float(weight @ logsumexp(log_joint.T))

    def _encode(self, y: Any, n_samples: int) -> NDArray[np.intp]:
        """Class codes of known labels."""
        y = check_array(y, ensure_2d=False, dtype=None)
        if y.shape != (n_samples,):
            raise ValueError(f"y must hold one label for each of the {n_samples} rows; its shape is {y.shape}.")
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(f"y holds labels that were not there at fit: {unknown.tolist()}. Known: {self.classes_.tolist()}.")
        codes: NDArray[np.intp] = np.searchsorted(self.classes_, y)
        return codes
