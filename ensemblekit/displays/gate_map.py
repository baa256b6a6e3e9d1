"""Which expert the gate asks where, over two columns, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from ensemblekit._extras import require
from ensemblekit.displays.expert_colours import expert_colours
from ensemblekit.mixture.columns import positions

#: Part of a column's range by which the map goes beyond its rows.
_MARGIN = 0.05
#: Gate probability from which an expert's area is drawn darker.
_NEARLY_ALONE = 0.9


class GateDisplay:
    """Gate probabilities over two columns: every point is coloured by its experts, in the shares that the gate gives them.

    Parameters
    ----------
    first, second : ndarray of shape (grid_resolution,)
        Grid values of the two columns.
    proba : ndarray of shape (grid_resolution, grid_resolution, n_experts)
        Gate probabilities; the second column comes first, as in ``imshow``.
    rows : ndarray of shape (n_samples, 2)
        Rows of the table, drawn as dots.
    names : tuple of str
        Labels of the two columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Drawn on.
    figure_ : matplotlib Figure
        Of the axes.
    image_ : matplotlib AxesImage or None
        The coloured map; None where regions are drawn.
    regions_ : dict of int to list of matplotlib ContourSet
        By expert: where it leads, and where it is nearly alone; empty where the image is drawn.
    borders_ : list of matplotlib ContourSet
        Around each expert's region; empty where one expert leads everywhere.
    dots_ : matplotlib PathCollection
        The rows.

    Examples
    --------
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
    >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    >>> display = GateDisplay.from_estimator(model, X, grid_resolution=20)
    >>> display.proba.shape
    (20, 20, 2)
    """

    def __init__(
        self,
        *,
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        proba: NDArray[np.float64],
        rows: NDArray[np.float64],
        names: tuple[str, str],
    ) -> None:
        self.first = first
        self.second = second
        self.proba = proba
        self.rows = rows
        self.names = names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, features: Any = (0, 1), grid_resolution: int = 100, ax: Any = None) -> GateDisplay:
        """Ask the gate of a fitted mixture on a grid, and draw.

        Parameters
        ----------
        estimator : MixtureOfExpertsClassifier or MixtureOfExpertsRegressor
            Fitted.
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows that settle the ranges; sparse ones are filled. Columns beside the two are held at their middle row: the median of numbers.
        features : pair of int or str, default=(0, 1)
            Numeric columns of the map.
        grid_resolution : int, default=100
            Points along each side.
        ax : matplotlib Axes, default=None
            Drawn on; new when None.

        Returns
        -------
        GateDisplay
            Drawn.

        Raises
        ------
        ValueError
            When ``features`` does not name two different columns of ``X``.
        """
        check_is_fitted(estimator)
        X = X.toarray() if sp.issparse(X) else X if hasattr(X, "columns") else np.asarray(X)
        pair = positions(X, list(features), "features")
        if pair is None or len(set(pair)) != 2:
            raise ValueError(f"features must be two different columns; got {features!r}.")
        rows = np.column_stack([np.asarray(_safe_indexing(X, j, axis=1), dtype=np.float64) for j in pair])
        low, high = rows.min(axis=0), rows.max(axis=0)
        margin = _MARGIN * (high - low)
        first, second = np.linspace(low - margin, high + margin, grid_resolution).T
        points = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
        proba = estimator.gate_proba(_grid(X, pair, points)).reshape(grid_resolution, grid_resolution, -1)
        labels = [str(X.columns[j]) if hasattr(X, "columns") else f"column {j}" for j in pair]
        return cls(first=first, second=second, proba=proba, rows=rows, names=(labels[0], labels[1])).plot(ax=ax)

    def plot(self, ax: Any = None, *, plot_method: str = "imshow") -> GateDisplay:
        """Draw the map, its borders and the rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Drawn on; new when None.
        plot_method : {"imshow", "contourf"}, default="imshow"
            An image in which colours mix as probabilities do; or plain areas, lighter where an expert leads and darker where it has
            nine tenths, which vector formats keep sharp.

        Returns
        -------
        GateDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            When ``plot_method`` is neither.
        """
        if plot_method not in ("imshow", "contourf"):
            raise ValueError(f"plot_method must be 'imshow' or 'contourf'; got {plot_method!r}.")
        pyplot = require("matplotlib.pyplot", extra="report", purpose="Drawing")
        if ax is None:
            _, ax = pyplot.subplots()
        n_experts = self.proba.shape[2]
        colours = expert_colours(n_experts)
        extent = (self.first[0], self.first[-1], self.second[0], self.second[-1])
        self.image_: Any = None
        self.regions_: dict[int, list[Any]] = {}
        if plot_method == "imshow":
            # towards white, so that the rows stay visible
            shades = 0.35 + 0.65 * (self.proba @ colours)
            self.image_ = ax.imshow(shades.clip(0, 1), origin="lower", extent=extent, aspect="auto", interpolation="nearest")
        else:
            self._fill(ax, colours)
        self.borders_ = []
        for k in np.unique(self.proba.argmax(axis=2)):
            lead = self.proba[:, :, k] - np.delete(self.proba, k, axis=2).max(axis=2, initial=0.0)
            if lead.min() < 0:
                self.borders_.append(ax.contour(self.first, self.second, lead, levels=[0], colors="0.25", linewidths=1))
        self.dots_ = ax.scatter(*self.rows.T, s=6, color="0.1", alpha=0.4, linewidths=0)
        marks = [ax.plot([], [], "s", color=colour, label=f"expert {k}")[0] for k, colour in enumerate(colours)]
        ax.legend(handles=marks, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
        ax.set(xlim=extent[:2], ylim=extent[2:], xlabel=self.names[0], ylabel=self.names[1])
        for label in (ax.xaxis.label, ax.yaxis.label):
            label.set_parse_math(False)  # a dollar sign in a column's name starts no formula
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _fill(self, ax: Any, colours: NDArray[np.float64]) -> None:
        for k in np.unique(self.proba.argmax(axis=2)):
            lead = self.proba[:, :, k] - np.delete(self.proba, k, axis=2).max(axis=2, initial=0.0)
            layers = [layer for layer in (lead, self.proba[:, :, k] - _NEARLY_ALONE) if layer.max() > 0]
            self.regions_[int(k)] = [
                ax.contourf(self.first, self.second, layer, levels=[0, np.inf], colors=[colours[k]], alpha=0.3) for layer in layers
            ]


def _grid(X: Any, pair: list[int], points: NDArray[np.float64]) -> Any:
    """Rows that differ in two columns alone."""
    if not hasattr(X, "columns"):
        held = np.tile(np.median(X.astype(np.float64), axis=0), (len(points), 1))
        held[:, pair] = points
        return held
    middle = {name: _middle(X[name]) for name in X.columns}
    table = X.iloc[np.zeros(len(points), dtype=np.intp)].reset_index(drop=True).assign(**middle)
    return table.assign(**{X.columns[j]: points[:, i] for i, j in enumerate(pair)})


def _middle(column: Any) -> Any:
    """Median of numbers, most frequent value of anything else."""
    return column.median() if column.dtype.kind in "iuf" else column.mode().iloc[0]
