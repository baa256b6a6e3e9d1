"""First responsibilities for boosted experts: the regions that a mixture of piecewise linear experts finds.

Trees that all begin with the same rows stay alike, and nothing may be drawn per row. A small mixture with the same kind of gate and
cheap curved experts, fitted on its marginal likelihood from many starts, breaks the tie where the table itself breaks it. Straight
experts would not do: where regimes differ in curvature alone, they find regions of high and low answers, which no gate can tell apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.contracts import Float
from ensemblekit.mixture.em import posterior
from ensemblekit.mixture.experts.linear import LinearExperts
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.restarts import best_of_starts
from ensemblekit.mixture.start import thin

#: Quantiles of each column at which an expert may bend.
_KNOTS = (0.2, 0.4, 0.6, 0.8)
#: Columns up to which experts bend at all: a bend is a further column.
_BENDING = 40
#: Rows that are enough to find regions.
_ROWS = 4000
_ALPHA = 1.0
_TOL = 0.03


def first_responsibilities(
    X: Any,
    X_gate: Any,
    y: NDArray[Any],
    sample_weight: Float,
    *,
    n_experts: int,
    n_classes: int | None,
    n_init: int,
    rng: np.random.Generator,
) -> Float:
    """Divide a table among experts.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        What the experts see; NaN counts as the column's mean.
    X_gate : ndarray of shape (n_samples, n_gate_features)
        NaN counts as the column's mean.
    y : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,)
    n_experts : int
    n_classes : int or None
        None for regression.
    n_init : int
        Random starts.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples, n_experts)
        Rows sum to one.

    Examples
    --------
    Two parabolas, one upright and one not; the first column says which:

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> y = np.sign(X[:, 0]) * (1 + X[:, 1] ** 2)
    >>> R = first_responsibilities(X, X, y, np.ones(300), n_experts=2, n_classes=None, n_init=5, rng=rng)
    >>> found = R.argmax(axis=1) == (X[:, 0] > 0)
    >>> bool(max(found.mean(), 1 - found.mean()) > 0.9)
    True
    """
    gate, bending = _standardised(X_gate, sample_weight), bends(X, sample_weight)
    n_gate = gate.shape[1]
    design = make_design(np.hstack([gate, bending]), sample_weight)
    bank = LinearExperts() if n_classes is None else LogisticExperts(n_classes)
    family, targets = bank.start(y, sample_weight)

    def problem(design: Design, targets: Float) -> LinearMixture:
        return LinearMixture(
            design,
            family,
            targets,
            n_experts=n_experts,
            alpha=_ALPHA,
            gate_columns=range(n_gate),
            expert_columns=[range(n_gate, design.n_features)] * n_experts,
        )

    rows = thin(design.Z, y, _ROWS)
    rows = np.arange(len(y)) if rows is None else rows
    part = problem(Design(design.Z[rows], design.mean, design.scale, sample_weight[rows]), targets[:, rows])
    found = best_of_starts(part, part, n_init=n_init, max_iter=0, tol=_TOL, rng=rng)
    whole = problem(design, targets)
    return posterior(whole.log_joint(whole.parameters(part.coefficients(found.theta))).T)[1]


def bends(X: Any, sample_weight: Float) -> Float:
    """Standardised columns, each followed by its positive parts beyond a few quantiles: what a piecewise linear function is made of.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        NaN counts as the column's mean.
    sample_weight : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples, 5 * n_features)
        Or (n_samples, n_features) where there are many columns.

    Examples
    --------
    >>> bends(np.arange(6.0)[:, None], np.ones(6)).shape
    (6, 5)
    """
    Z = _standardised(X, sample_weight)
    if Z.shape[1] > _BENDING:
        return Z
    return np.hstack([Z, *(np.maximum(Z - knot, 0.0) for knot in np.quantile(Z, _KNOTS, axis=0))])


def _standardised(X: Any, sample_weight: Float) -> Float:
    """Standardised columns, in which NaN is zero, the mean."""
    known = np.isfinite(X)
    if not known.all():
        share = np.where(known, sample_weight[:, None], 0.0)
        share /= np.maximum(share.sum(axis=0), np.finfo(float).tiny)  # first, so that no huge cell is multiplied by a weight
        X = np.where(known, X, (share * np.where(known, X, 0.0)).sum(axis=0))
    Z: Float = make_design(X, sample_weight).Z[:, :-1]
    return Z
