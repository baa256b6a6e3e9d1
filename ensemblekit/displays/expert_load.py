"""How many rows each expert answers for, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ensemblekit._extras import require
from ensemblekit.displays.expert_colours import expert_colours


class ExpertLoadDisplay:
    r"""Share of the rows that the gate gives each expert, and how many experts share the work in effect.

    The effective number is the exponential of the entropy, :math:`\exp(-\sum_k s_k \log s_k)`: K where all experts carry alike, 1 where
    one carries all (Hill, 1973, order 1). Taken of the mean shares it says how many experts the table uses; taken of each row's own
    shares and averaged, how many experts a row uses.

    Parameters
    ----------
    load : ndarray of shape (n_experts,)
        Mean of the gate's probabilities over the rows.
    effective_experts_per_row : float
        Mean over the rows.
    answered : ndarray of shape (n_experts,) or None
        Share of the rows that each expert turned out to be responsible for; None where the answers are not known.

    Attributes
    ----------
    effective_experts : float
        Of the mean shares.
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    bars_ : matplotlib BarContainer
        One bar an expert.
    marks_ : matplotlib Line2D or None
        What the experts turned out to be responsible for.

    References
    ----------
    M. O. Hill (1973). Diversity and evenness: a unifying notation and its consequences. Ecology 54(2), 427-432.

    Examples
    --------
    >>> display = ExpertLoadDisplay.from_predictions(np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> round(display.effective_experts, 3), round(display.effective_experts_per_row, 3)
    (2.0, 1.0)
    """

    def __init__(self, *, load: NDArray[np.float64], effective_experts_per_row: float, answered: NDArray[np.float64] | None = None) -> None:
        self.load = load
        self.effective_experts = float(effective_number(load[None])[0])
        self.effective_experts_per_row = effective_experts_per_row
        self.answered = answered

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None) -> ExpertLoadDisplay:
        """Ask the gate of a fitted mixture, and draw.

        Parameters
        ----------
        estimator : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
            Fitted.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            Answers; with them, responsibilities are marked beside the bars.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ExpertLoadDisplay
            Drawn.
        """
        check_is_fitted(estimator)
        answered = None if y is None else estimator.responsibilities(X, y).mean(axis=0)
        proba = estimator.gate_proba(X)
        per_row = float(effective_number(proba).mean())
        return cls(load=proba.mean(axis=0), effective_experts_per_row=per_row, answered=answered).plot(ax=ax)

    @classmethod
    def from_predictions(cls, gate_proba: Any, *, ax: Any = None) -> ExpertLoadDisplay:
        """Draw given gate probabilities.

        Parameters
        ----------
        gate_proba : array-like of shape (n_samples, n_experts)
            Rows sum to one.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ExpertLoadDisplay
            Drawn.

        Raises
        ------
        ValueError
            When a row is no distribution.
        """
        proba = np.asarray(gate_proba, dtype=np.float64)
        if proba.ndim != 2 or not np.allclose(proba.sum(axis=1), 1) or np.any(proba < 0):
            raise ValueError(f"gate_proba must hold a distribution over experts for each row; got an array of shape {proba.shape}.")
        return cls(load=proba.mean(axis=0), effective_experts_per_row=float(effective_number(proba).mean())).plot(ax=ax)

    def plot(self, ax: Any = None) -> ExpertLoadDisplay:
        """Draw a bar for each expert.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ExpertLoadDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots()
        experts = np.arange(self.load.size)
        self.bars_ = ax.bar(experts, 100 * self.load, color=expert_colours(experts.size), label="given by the gate")
        self.marks_ = None
        if self.answered is not None:
            (self.marks_,) = ax.plot(experts, 100 * self.answered, "_", color="0.1", markersize=22, markeredgewidth=2, label="responsible")
            ax.legend(frameon=False)
        used = f"{self.effective_experts:.1f} of {experts.size} experts in effect, {self.effective_experts_per_row:.1f} a row"
        ax.set(xticks=experts, xlabel="expert", ylabel="share of the rows, %", title=used)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def effective_number(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many experts share the work in effect, of shape (n_rows,).

    Parameters
    ----------
    shares : ndarray of shape (n_rows, n_experts)
        Rows sum to one.

    Examples
    --------
    >>> effective_number(np.array([[0.5, 0.5], [1.0, 0.0]]))
    array([2., 1.])
    """
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    number: NDArray[np.float64] = np.exp(-np.sum(shares * logs, axis=1))
    return number
