"""Copies of the experts that did not see some rows, so that no expert judges a row that it has learnt by heart."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ensemblekit.mixture.start import fold_of

Float = NDArray[np.float64]


class Copies(NamedTuple):
    """Which copy of the experts each row is kept from.

    The last copy learns from every row: it is the one that stays. A row is judged by the copy that it is kept from, or by the last one.

    Parameters
    ----------
    judge : ndarray of int of shape (n_samples,)
        Number of the copy that judges each row.
    judged : ndarray of bool of shape (n_samples,)
        Rows on which the growth as a whole is judged: those held out, or all where none is.
    weight : ndarray of shape (n_copies, n_samples)
        Weight with which each row teaches each copy; zero where it is kept from it.
    """

    judge: NDArray[np.intp]
    judged: NDArray[np.bool_]
    weight: Float

    def held_out(self, scores: Float) -> Float:
        """Pick each row's scores from the copy that judges it.

        Parameters
        ----------
        scores : ndarray of shape (n_copies, n_experts, n_scores, n_samples)

        Returns
        -------
        ndarray of shape (n_experts, n_scores, n_samples)
        """
        if len(scores) == 1:
            return scores[0]
        picked: Float = np.moveaxis(scores[self.judge, :, :, np.arange(self.judge.size)], 0, -1)
        return picked


def make_copies(X: Any, y: NDArray[Any], sample_weight: Float, *, n_folds: int, n_held_out: int) -> Copies:
    """Divide rows into folds by their content, and keep the first folds each from one copy.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Folds are alike in it.
    sample_weight : ndarray of shape (n_samples,)
    n_folds : int
    n_held_out : int
        Folds that are held out in turn, at most ``n_folds``; 0 for none.

    Returns
    -------
    Copies
        ``n_held_out + 1`` of them, or one where there are too few rows to hold any out.

    Examples
    --------
    >>> copies = make_copies(np.arange(10.0)[:, None], np.zeros(10), np.ones(10), n_folds=5, n_held_out=1)
    >>> copies.weight.shape, int(copies.judged.sum())
    ((2, 10), 2)
    """
    n_samples = y.size
    if n_held_out == 0 or n_samples < 2 * n_folds:
        return Copies(np.zeros(n_samples, np.intp), np.ones(n_samples, bool), sample_weight[None])
    order = np.lexsort((fold_of(X, y, n_samples), y))  # among equal answers in the order of their hash
    fold = np.empty(n_samples, np.intp)
    fold[order] = np.arange(n_samples) % n_folds
    judge = np.minimum(fold, n_held_out)
    teaches = judge != np.arange(n_held_out + 1)[:, None]
    teaches[-1] = True
    return Copies(judge, judge < n_held_out, teaches * sample_weight)
