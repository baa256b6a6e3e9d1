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

#: EM steps after one piece of the stream, at most, and the rise of the mean log-likelihood that ends them.
_STEPS, _TOL = 50, 1e-4


class Recent(NamedTuple):
    """What is remembered of a stream, in the order in which it came.

    Parameters
    ----------
    X_gate : ndarray or sparse array of shape (n_rows, n_gate_features)
    log_density : ndarray of shape (n_rows, n_experts)
        Of each answer under each expert.
    weight : ndarray of shape (n_rows,)
        What each row counts for, before it fades.
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


def remember(recent: Recent | None, piece: Recent) -> Recent:
    """Add a piece of the stream.

    Parameters
    ----------
    recent : Recent or None
        None at the beginning.
    piece : Recent
        Later rows.

    Returns
    -------
    Recent

    Examples
    --------
    >>> first = Recent(np.zeros((2, 1)), np.zeros((2, 3)), np.ones(2))
    >>> remember(first, Recent(np.ones((1, 1)), np.zeros((1, 3)), np.ones(1))).X_gate.ravel()
    array([0., 0., 1.])
    """
    if recent is None:
        return piece
    X_gate = piece.X_gate
    if sp.issparse(recent.X_gate) != sp.issparse(X_gate):  # as the first piece was
        X_gate = X_gate.toarray() if sp.issparse(X_gate) else sp.csr_array(X_gate)
    joined = sp.csr_array(sp.vstack([recent.X_gate, X_gate])) if sp.issparse(X_gate) else np.vstack([recent.X_gate, X_gate])
    return Recent(joined, np.vstack([recent.log_density, piece.log_density]), np.concatenate([recent.weight, piece.weight]))


def latest(recent: Recent, n_rows: float) -> Recent:
    """Forget all but the latest rows.

    Parameters
    ----------
    recent : Recent
    n_rows : float
        Rows to keep; a part of one is one.

    Returns
    -------
    Recent

    Examples
    --------
    >>> latest(Recent(np.arange(4.0)[:, None], np.zeros((4, 2)), np.ones(4)), 1.5).X_gate.ravel()
    array([2., 3.])
    """
    first = int(max(recent.weight.size - n_rows, 0))
    return recent if first == 0 else Recent(*(part[first:] for part in recent))


def faded(weight: Float, memory: float) -> Float:
    """Let weights fade with every later row, however much that weighs.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        In the order in which the rows came.
    memory : float
        Rows after which a row counts for 1 / e.

    Returns
    -------
    ndarray of shape (n_rows,)

    Examples
    --------
    >>> faded(np.array([1.0, 2.0, 1.0]), memory=1.0).round(3)
    array([0.135, 0.736, 1.   ])
    """
    weights: Float = weight * np.exp((np.arange(weight.size) - weight.size + 1.0) / memory)
    return weights


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


def follow(gate: Gate, recent: Recent, weight: Float) -> Gate:
    """Refit a gate to what is remembered.

    Two ways are gone and the higher end is kept: on from the present gate, and from an even one, since after a sudden change a gate that
    was sure of itself learns slowly.

    Parameters
    ----------
    gate : Gate
        Fitted; it is left as it is.
    recent : Recent
    weight : ndarray of shape (n_rows,)
        What each row counts for.

    Returns
    -------
    Gate
        Of the same kind.
    """
    fixed: Any = _Fixed(recent.log_density)
    data = Data(recent.X_gate, recent.X_gate, np.zeros(weight.size), weight)
    starts: list[EMState] = [e_step(gate, fixed, data), begin(gate, fixed, data, posterior(recent.log_density)[1])]
    ends = [run(start, data, max_iter=_STEPS, tol=_TOL).state for start in starts]
    return max(ends, key=lambda state: state.lower_bound).gate
