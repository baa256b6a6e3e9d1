"""The plain score of single experts and members: accuracy, or root mean squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Judge:
    """Scores answers about the test rows.

    Parameters
    ----------
    truth : ndarray of shape (n_rows,)
        Class codes or numbers.
    weights : ndarray of shape (n_rows,) or None
        How much each row counts.
    classes : bool
        Whether answers are classes.

    Examples
    --------
    >>> judge = Judge(np.array([0, 1, 1]), None, classes=True)
    >>> judge.name, judge.score(np.array([0, 1, 0]), np.array([True, True, False]))
    ('accuracy', 1.0)
    """

    truth: NDArray[Any]
    weights: NDArray[np.float64] | None
    classes: bool

    @property
    def name(self) -> str:
        """Return the name of the score: ``"accuracy"`` or ``"rmse"``, in the target's units."""
        return "accuracy" if self.classes else "rmse"

    def score(self, answers: NDArray[Any], rows: NDArray[np.bool_] | None = None) -> float | None:
        """Score answers of shape (n_rows,) on some rows; None where there are none."""
        chosen = np.ones(len(self.truth), dtype=bool) if rows is None else rows
        weights = None if self.weights is None else self.weights[chosen]
        if not chosen.any() or (weights is not None and not weights.sum() > 0):
            return None
        truth, said = self.truth[chosen], answers[chosen]
        if self.classes:
            return round(float(np.average(truth == said, weights=weights)), 5)
        return float(f"{np.sqrt(np.average(np.square(truth - said), weights=weights)):.5g}")
