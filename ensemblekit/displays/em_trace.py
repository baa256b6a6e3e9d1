"""How the penalised log-likelihood rose while a mixture was fitted, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ensemblekit._extras import require


class EMTraceDisplay:
    """Penalised log-likelihood after every accepted step, and on a second axis what was still to gain.

    Parameters
    ----------
    lower_bounds : ndarray of shape (n_steps + 1,)
        Natural logarithm, summed over the rows.
    converged : bool
        Whether the fit met its tolerance.
    steps : ndarray of shape (n_steps + 1,), default=None
        Step of each value, where not all are there; None for 0, 1, 2, ...

    Attributes
    ----------
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    line_ : matplotlib Line2D
        The log-likelihood.
    gap_ : matplotlib Line2D
        How far each step is below the last, on a logarithmic axis.

    Examples
    --------
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, X[:, 0] * X[:, 1] > 0)
    >>> display = EMTraceDisplay.from_estimator(model)
    >>> display.ax_.get_xlabel()
    'step'
    """

    def __init__(self, *, lower_bounds: NDArray[np.float64], converged: bool, steps: NDArray[np.int64] | None = None) -> None:
        self.lower_bounds = lower_bounds
        self.converged = converged
        self.steps = np.arange(lower_bounds.size) if steps is None else steps

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> EMTraceDisplay:
        """Draw the trace of a fitted mixture.

        Parameters
        ----------
        estimator : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
            Fitted.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EMTraceDisplay
            Drawn.
        """
        check_is_fitted(estimator)
        return cls(lower_bounds=np.asarray(estimator.lower_bounds_, dtype=np.float64), converged=estimator.converged_).plot(ax=ax)

    def plot(self, ax: Any = None) -> EMTraceDisplay:
        """Draw the trace.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EMTraceDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots()
        steps = self.steps
        (self.line_,) = ax.plot(steps, self.lower_bounds, color="#0072B2")
        ended = "converged" if self.converged else "stopped before it converged"
        ax.set(xlabel="step", ylabel="penalised log-likelihood", title=f"{steps[-1]} steps, {ended}")
        beside = ax.twinx()
        gap = self.lower_bounds.max() - self.lower_bounds
        (self.gap_,) = beside.plot(steps[gap > 0], gap[gap > 0], color="#D55E00", linestyle=":")
        beside.set(yscale="log", ylabel="still to gain (dotted)")
        self.ax_, self.figure_ = ax, ax.figure
        return self
