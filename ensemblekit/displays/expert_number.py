"""What every number of experts was worth, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ensemblekit._extras import require
from ensemblekit.mixture.selection import SelectionStep

_LABELS = {"bic": "BIC", "icl": "ICL", "cv": "held-out negative log-likelihood a row"}


class ExpertNumberDisplay:
    """Criterion against the number of experts; the number in use is marked.

    Parameters
    ----------
    path : list of SelectionStep
        From ``selection_path_`` of a mixture.
    used : int
        Number of experts in use.
    selection : {"bic", "icl", "cv"}
        What the criterion is; for "cv" a band of one standard error is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    line_ : matplotlib Line2D
        The criterion; the smaller the better.
    used_ : matplotlib Line2D
        The number in use.
    band_ : matplotlib PolyCollection or None
        One standard error to either side; None without one.

    Examples
    --------
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> model = MixtureOfExpertsClassifier("auto", max_experts=3, random_state=0).fit(X, X[:, 0] * X[:, 1] > 0)
    >>> ExpertNumberDisplay.from_estimator(model).ax_.get_ylabel()
    'BIC'
    """

    def __init__(self, *, path: list[SelectionStep], used: int, selection: str) -> None:
        self.path = path
        self.used = used
        self.selection = selection

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> ExpertNumberDisplay:
        """Draw the path of a mixture that chose its number of experts.

        Parameters
        ----------
        estimator : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
            Fitted with ``n_experts="auto"``.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ExpertNumberDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the number of experts was given.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "selection_path_"):
            raise ValueError(
                "There is no selection path: give a mixture fitted with n_experts='auto', such as the last step of a pipeline; got "
                f"{type(estimator).__name__}."
            )
        return cls(path=estimator.selection_path_, used=estimator.n_experts_, selection=estimator.selection_).plot(ax=ax)

    def plot(self, ax: Any = None) -> ExpertNumberDisplay:
        """Draw the criterion of every number that was tried.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        ExpertNumberDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots()
        numbers = np.array([step.n_experts for step in self.path])
        criterion = np.array([step.criterion for step in self.path])
        (self.line_,) = ax.plot(numbers, criterion, marker="o", color="#0072B2")
        self.band_ = None
        if self.path[0].standard_error is not None:
            error = np.array([step.standard_error for step in self.path])
            self.band_ = ax.fill_between(numbers, criterion - error, criterion + error, alpha=0.2, linewidth=0, color="#0072B2")
        at = numbers == self.used
        (self.used_,) = ax.plot(
            numbers[at], criterion[at], "o", markersize=12, fillstyle="none", color="black", label=f"{self.used} in use"
        )
        ax.legend()
        ax.set(xlabel="number of experts", ylabel=_LABELS[self.selection], xticks=numbers)
        self.ax_, self.figure_ = ax, ax.figure
        return self
