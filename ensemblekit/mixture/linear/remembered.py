"""Rows that were tried before: on the way from one number of experts to the next, most experts keep theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.objective import LinearMixture

#: Part of their weight in which rows may differ and count as the same.
_ALIKE = 0.05

Found = TypeVar("Found")


@dataclass
class Remembered(Generic[Found]):
    """What was found for rows, by how much each row counted.

    Parameters
    ----------
    entries : list of (ndarray of shape (n_samples,), anything)

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> from ensemblekit.mixture.linear.families import Categorical
    >>> problem = LinearMixture(make_design(np.eye(3), np.ones(3)), Categorical(2), np.eye(3)[:1], n_experts=2, alpha=1.0)
    >>> known = Remembered[str]()
    >>> known.note(np.array([1.0, 0.99, 0.0]), "the first two")
    >>> known.recall(problem, np.array([1.0, 1.0, 0.0])), known.recall(problem, np.array([1.0, 0.0, 0.0]))
    ('the first two', None)
    """

    entries: list[tuple[Float, Found]] = field(default_factory=list)

    def note(self, share: Float, found: Found) -> None:
        """Remember what was found for rows."""
        self.entries.append((share, found))

    def recall(self, problem: LinearMixture, share: Float) -> Found | None:
        """Return what was found for nearly the same rows, or None."""
        limit = _ALIKE * problem.mean(share)
        return next((found for other, found in self.entries if problem.mean(abs(share - other)) < limit), None)
