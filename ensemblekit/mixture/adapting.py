"""A gate that follows a stream: the experts stay as they are, and recent rows say anew where each of them is right.

Rows are remembered with weights that fade, and the gate is refitted to them by EM, in which the likelihoods of the fixed experts are only
looked up. That serves every gate, since it asks for no more than a gate's own M-step.
"""

from __future__ import annotations

from copy import copy
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ensemblekit.mixture.contracts import Data, Float, Gate
from ensemblekit.mixture.em import EMState, begin, e_step, posterior, run
from ensemblekit.mixture.gates.softmax import SoftmaxGate

#: Rows whose weight has faded below this are forgotten.
_FORGOTTEN = 0.01
#: EM steps after one piece of the stream, at most, and the rise of the mean log-likelihood that ends them.
_STEPS, _TOL = 50, 1e-4


class Recent(NamedTuple):
    """What is remembered of a stream.

    Parameters
    ----------
    X_gate : ndarray or sparse array of shape (n_rows, n_gate_features)
    log_density : ndarray of shape (n_rows, n_experts)
        Of each answer under each expert.
    weight : ndarray of shape (n_rows,)
        From 1 for the latest row downwards.
    """

    X_gate: Any
    log_density: Float
    weight: Float


def check_memory(memory: float) -> None:
    """Refuse what is no number of rows.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_memory(0)
    Traceback (most recent call last):
    ValueError: memory must be a number of rows above zero, or numpy.inf; got 0.
    """
    if isinstance(memory, bool) or not (isinstance(memory, Real) and memory > 0):
        raise ValueError(f"memory must be a number of rows above zero, or numpy.inf; got {memory!r}.")


def remember(recent: Recent | None, X_gate: Any, log_density: Float, memory: float) -> Recent:
    """Add a piece of the stream, and let what went before fade.

    Parameters
    ----------
    recent : Recent or None
        None at the beginning.
    X_gate : ndarray or sparse array of shape (n_samples, n_gate_features)
        In the order in which the rows came.
    log_density : ndarray of shape (n_samples, n_experts)
    memory : float
        Rows after which a row counts for 1 / e.

    Returns
    -------
    Recent

    Examples
    --------
    >>> first = remember(None, np.zeros((2, 1)), np.zeros((2, 3)), memory=1.0)
    >>> remember(first, np.zeros((1, 1)), np.zeros((1, 3)), memory=1.0).weight.round(3)
    array([0.135, 0.368, 1.   ])
    """
    n_rows = X_gate.shape[0]
    weight = np.exp((np.arange(n_rows) - n_rows + 1.0) / memory)
    if recent is not None:
        if sp.issparse(recent.X_gate) != sp.issparse(X_gate):  # as the first piece was
            X_gate = X_gate.toarray() if sp.issparse(X_gate) else sp.csr_array(X_gate)
        stack = sp.vstack if sp.issparse(X_gate) else np.vstack
        X_gate = stack([recent.X_gate, X_gate])
        log_density = np.vstack([recent.log_density, log_density])
        weight = np.concatenate([recent.weight * np.exp(-n_rows / memory), weight])
    kept = np.flatnonzero(weight > _FORGOTTEN)
    return Recent(sp.csr_array(X_gate)[kept] if sp.issparse(X_gate) else X_gate[kept], log_density[kept], weight[kept])


def as_open_as_fitted(gate: Gate) -> Gate:
    """Loosen the penalty of a softmax gate that turned out steep, so that a few recent rows can make it as steep again.

    The penalty is a normal prior of variance ``1 / alpha`` on the coefficients. Their mean square in the fit says how large they are on
    this table (empirical Bayes), and the smaller of both penalties is taken. Other gates are returned as they are.

    Parameters
    ----------
    gate : Gate
        Fitted.

    Returns
    -------
    Gate

    Examples
    --------
    >>> gate = SoftmaxGate(alpha=1.0).set_contrasts(np.array([[4.0]]), np.zeros(1))  # coefficients are -2 and 2
    >>> as_open_as_fitted(gate).alpha
    0.25
    """
    if not isinstance(gate, SoftmaxGate) or not gate.alpha:
        return gate
    opened = copy(gate)
    mean_square = float(np.mean(np.square(gate.coef_)))
    opened.alpha = min(gate.alpha, 1 / mean_square) if mean_square > 0 else gate.alpha
    return opened


class _Fixed:
    """A bank of experts that does not learn: its likelihoods are those remembered."""

    def __init__(self, log_density: Float) -> None:
        self.log_density = log_density

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:  # noqa: ARG002
        return self

    def judge(self, X: Any, y: NDArray[Any]) -> Float:  # noqa: ARG002
        return self.log_density

    def penalty(self) -> float:
        return 0.0


def follow(gate: Gate, recent: Recent) -> Gate:
    """Refit a gate to what is remembered.

    Two ways are gone and the higher end is kept: on from the present gate, and from an even one, since after a sudden change a gate that
    was sure of itself learns slowly.

    Parameters
    ----------
    gate : Gate
        Fitted; it is left as it is.
    recent : Recent

    Returns
    -------
    Gate
        Of the same kind.
    """
    fixed: Any = _Fixed(recent.log_density)
    data = Data(recent.X_gate, recent.X_gate, np.zeros(recent.weight.size), recent.weight)
    starts: list[EMState] = [e_step(gate, fixed, data), begin(gate, fixed, data, posterior(recent.log_density)[1])]
    ends = [run(start, data, max_iter=_STEPS, tol=_TOL).state for start in starts]
    return max(ends, key=lambda state: state.lower_bound).gate
