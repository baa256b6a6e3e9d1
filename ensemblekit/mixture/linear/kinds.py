"""What makes a gate or a bank linear: it can take over coefficients found on the marginal likelihood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import NDArray

from ensemblekit.mixture.linear.design import Design, Float
from ensemblekit.mixture.linear.families import Family

#: An expert that is responsible for less than this many rows has nothing to learn from them, and is left as it is.
NO_ROWS = 1e-9


class LinearGate(ABC):
    """A gate whose logits are linear in the row, or constant."""

    @property
    @abstractmethod
    def reads(self) -> Sequence[int] | None:
        """Columns of its logits: None for all that it is given, empty for a constant gate."""

    @property
    @abstractmethod
    def strength(self) -> float:
        """L2 penalty on the raw coefficients."""

    @abstractmethod
    def set_contrasts(self, contrasts: Float, intercepts: Float) -> Self:
        """Take over coefficients of all experts but the first, relative to the first.

        Parameters
        ----------
        contrasts : ndarray of shape (n_experts - 1, n_features)
        intercepts : ndarray of shape (n_experts - 1,)

        Returns
        -------
        self
        """

    @abstractmethod
    def contrasts(self) -> tuple[Float, Float]:
        """Undo :meth:`set_contrasts`."""


class LinearBank(ABC):
    """Experts whose density depends on linear predictors of the row."""

    alpha: float

    @abstractmethod
    def start(self, y: NDArray[Any], sample_weight: Float) -> tuple[Family, Float]:
        """Return the family for these answers and the answers as it reads them, (n_targets, n_samples)."""

    @property
    @abstractmethod
    def log_unit(self) -> float:
        """Logarithm of the unit in which :meth:`start` measures the answers: what their log-density loses in the answers' own unit."""

    @property
    @abstractmethod
    def reads(self) -> Sequence[Sequence[int] | None] | None:
        """Columns of each expert; None for all."""

    @abstractmethod
    def set_predictors(self, design: Design, W: Float, n_experts: int) -> Self:
        """Take over predictors, expert by expert, on standardised columns.

        Parameters
        ----------
        design : Design
        W : ndarray of shape (n_features + 1, n_experts * n_predictors)
        n_experts : int

        Returns
        -------
        self
        """

    @abstractmethod
    def predictors(self, design: Design) -> Float:
        """Undo :meth:`set_predictors`."""
