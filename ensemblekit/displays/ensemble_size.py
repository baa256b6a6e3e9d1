"""How many members, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier

from ensemblekit._extras import require
from ensemblekit.ensembles.size_curve import size_curve


class EnsembleSizeDisplay:
    """Score against the number of members, trees or rounds of boosting, with its interval.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Members, trees or rounds.
    mean, lower, upper : ndarray of shape (n_sizes,)
        Mean score over folds and its confidence interval, or the range over choices of that many members.
    worse_below : int or None
        Smaller sizes are worse than the largest one, told by the paired difference over folds; a dashed line. None where that is not
        known.
    part : str
        What is counted: ``"members"``, ``"trees"`` or ``"rounds"``.
    score_name : str
        Label of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    line_ : matplotlib Line2D
        The mean.
    band_ : matplotlib artist
        The interval.
    edge_ : matplotlib Line2D or None
        Where sizes stop being worse than the largest one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> display = EnsembleSizeDisplay.from_estimator(forest, *load_iris(return_X_y=True), random_state=0)
    >>> display.ax_.get_xlabel()
    'trees'
    """

    def __init__(
        self,
        *,
        sizes: NDArray[np.int64],
        mean: NDArray[np.float64],
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        worse_below: int | None,
        part: str,
        score_name: str,
    ) -> None:
        self.sizes = sizes
        self.mean = mean
        self.lower = lower
        self.upper = upper
        self.worse_below = worse_below
        self.part = part
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        cv: Any = 5,
        scoring: Any = None,
        sizes: ArrayLike | None = None,
        n_orders: int = 10,
        random_state: Any = None,
        ax: Any = None,
    ) -> EnsembleSizeDisplay:
        """Fit the ensemble on each fold, score smaller ones taken from it, and draw.

        Parameters
        ----------
        estimator, X, y, cv, scoring, sizes, n_orders, random_state
            As in `ensemblekit.ensembles.size_curve.size_curve`.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EnsembleSizeDisplay
            Drawn.
        """
        curve = size_curve(estimator, X, y, cv=cv, scoring=scoring, sizes=sizes, n_orders=n_orders, random_state=random_state)
        default = "neg_log_loss" if is_classifier(estimator) else "r2"
        name = str(scoring or default) if not callable(scoring) else getattr(scoring, "__name__", "score")
        display = cls(
            sizes=curve.sizes,
            mean=curve.mean,
            lower=curve.lower,
            upper=curve.upper,
            worse_below=curve.worse_below,
            part=curve.part,
            score_name=name.replace("neg_", "minus ").replace("_", " "),
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> EnsembleSizeDisplay:
        """Draw the mean and its interval.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        EnsembleSizeDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="report", purpose="Drawing").subplots()
        (self.line_,) = ax.plot(self.sizes, self.mean, marker="o", markersize=3)
        self.band_ = ax.fill_between(self.sizes, self.lower, self.upper, alpha=0.2, linewidth=0)
        self.edge_ = None
        if self.worse_below is not None:
            told = f"fewer {self.part} are worse than {self.sizes[-1]}"
            self.edge_ = ax.axvline(self.worse_below, linestyle="--", color="0.5", label=told)
            ax.legend()
        ax.set(xlabel=self.part, ylabel=self.score_name, xscale="log")
        self.ax_, self.figure_ = ax, ax.figure
        return self
