"""Many boosted functions grown side by side in one LightGBM booster, each by a gradient that the caller gives.

LightGBM grows one tree per output and round and asks nothing of the outputs but a gradient and a curvature. So one booster can hold
every expert, every class of an expert and every held-out copy of it; rows are binned once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit._extras import require

Float = NDArray[np.float64]

#: Largest cells of a column that LightGBM reads as they are: it takes what is below 1e-35 for zero, and what is above 1e300 for infinite.
_PLAIN = (1e-30, 1e290)


def exponents(X: Any) -> NDArray[np.intp]:
    """Powers of two by which columns must be multiplied for LightGBM to tell their cells apart.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of int of shape (n_features,)
        Zero for a column of any usual size.

    Examples
    --------
    >>> exponents(np.array([[1e-310, 2.0], [3e-310, np.nan]]))
    array([1028,    0])
    """
    peak = np.max(np.abs(X), axis=0, initial=0.0, where=np.isfinite(X))
    plain = (peak == 0) | ((peak >= _PLAIN[0]) & (peak <= _PLAIN[1]))
    powers: NDArray[np.intp] = np.where(plain, 0, -np.frexp(peak)[1]).astype(np.intp)
    return powers


def bins(X: Any, parameters: Mapping[str, Any]) -> Any:
    """Sort the cells into LightGBM's histogram bins.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        NaN is a missing value.
    parameters : mapping
        LightGBM's, as for :class:`Lockstep`.

    Returns
    -------
    lightgbm.Dataset

    Raises
    ------
    ImportError
        Without LightGBM; the message says how to install it.

    Examples
    --------
    >>> bins(np.eye(4), {"verbosity": -1}).construct().num_data()
    4
    """
    lightgbm = require("lightgbm", extra="boosting", purpose="Growing boosted experts")
    return lightgbm.Dataset(np.ascontiguousarray(X, dtype=np.float64), params=dict(parameters))


class Lockstep:
    """A booster whose outputs, arranged in ``shape``, move together.

    Parameters
    ----------
    dataset : lightgbm.Dataset
        From :func:`bins`.
    parameters : mapping
        LightGBM's; ``objective`` and ``num_class`` are set here.
    shape : tuple of int
        How the outputs are arranged, for example (copies, experts, classes).

    Examples
    --------
    Two functions, one towards 1 and one towards -1:

    >>> parameters = {"verbosity": -1, "min_data_in_leaf": 1, "num_threads": 1}
    >>> growth = Lockstep(bins(np.arange(8.0)[:, None], parameters), parameters, (2,))
    >>> goals = np.array([np.repeat([0.0, 1.0], 4), np.repeat([0.0, -1.0], 4)])
    >>> for _ in range(100):
    ...     scores = growth.step(growth.scores() - goals, np.ones((2, 8)))
    >>> growth.scores()[:, -1].round(2)
    array([ 1., -1.])
    """

    def __init__(self, dataset: Any, parameters: Mapping[str, Any], shape: tuple[int, ...]) -> None:
        lightgbm = require("lightgbm", extra="boosting", purpose="Growing boosted experts")
        self.shape = shape
        self.n_outputs = int(np.prod(shape))
        settings = {**parameters, "objective": "none", "metric": "none", "num_class": self.n_outputs}
        self._booster = lightgbm.Booster(settings, dataset)

    def scores(self) -> Float:
        """Sum of the trees so far for the training rows, shape (*shape, n_samples)."""
        seen: list[Float] = []

        def look(scores: Float, _: Any) -> tuple[str, float, bool]:
            seen.append(scores)
            return "scores", 0.0, True

        self._booster.eval_train(look)
        return seen[0].T.reshape(*self.shape, -1)

    def step(self, gradient: Float, curvature: Float) -> bool:
        r"""Grow one tree for every output.

        Parameters
        ----------
        gradient, curvature : ndarray of shape (\*shape, n_samples)
            First and second derivatives of the loss in the scores; the curvature may be any positive stand-in. Rows where both are zero
            do not teach.

        Returns
        -------
        bool
            Whether any tree split; if none did, there is nothing left to learn.
        """

        def given(_scores: Float, _data: Any) -> tuple[Float, Float]:
            return self._table(gradient), self._table(curvature)

        return not self._booster.update(fobj=given)

    def _table(self, values: Float) -> Float:
        """One column an output, as LightGBM wants it; a single output has no column axis."""
        return values.ravel() if self.n_outputs == 1 else values.reshape(self.n_outputs, -1).T

    def part(self, outputs: NDArray[np.intp], n_rounds: int) -> Any:
        """Take some outputs out as a booster of their own.

        Parameters
        ----------
        outputs : ndarray of int
            Positions in the flattened ``shape``; they become outputs 0, 1, ... of the part.
        n_rounds : int
            At least 1; later rounds are left out.

        Returns
        -------
        lightgbm.Booster
            For prediction; ``predict(X, raw_score=True)`` sums its trees.
        """
        lightgbm = require("lightgbm", extra="boosting", purpose="Growing boosted experts")
        return lightgbm.Booster(model_str=_only(self._booster.model_to_string(num_iteration=n_rounds), outputs, self.n_outputs))


def _only(text: str, outputs: NDArray[np.intp], n_outputs: int) -> str:
    """Keep the trees of some outputs in LightGBM's text model; tree i belongs to output ``i % n_outputs``."""
    trees, tail = text.split("end of trees", 1)
    head, *blocks = trees.split("\nTree=")
    rounds = range(0, len(blocks), n_outputs)
    kept = [blocks[first + output] for first in rounds for output in outputs]
    numbered = [f"Tree={i}\n{block.partition(chr(10))[2]}\n" for i, block in enumerate(kept)]
    changed = {
        "num_class": str(len(outputs)),
        "num_tree_per_iteration": str(len(outputs)),
        "tree_sizes": " ".join(str(len(block)) for block in numbered),
    }
    lines = [_renewed(line, changed) for line in head.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n\n" + "".join(numbered) + "end of trees" + tail


def _renewed(line: str, changed: Mapping[str, str]) -> str:
    name = line.partition("=")[0]
    return f"{name}={changed[name]}" if name in changed else line
