"""The loop of boosted experts: a round of trees, the responsibilities anew, and now and then the gate."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from ensemblekit.mixture.contracts import Float, Gate
from ensemblekit.mixture.em import posterior
from ensemblekit.mixture.experts.boosting_copies import Copies
from ensemblekit.mixture.experts.boosting_losses import Loss
from ensemblekit.mixture.experts.lockstep import Lockstep

#: Log-probability that counts as impossible.
_NEVER = -700.0


class Division:
    """Who answers for which row: the gate, and what the answers say about it. Experts come first, rows last.

    A gate of many columns can learn answers by heart as trees can: the responsibilities that it is fitted to know them. So every copy of
    the experts has a gate of its own, fitted to the rows that teach that copy.

    Parameters
    ----------
    gate : Gate
        Not fitted; it is left as it is.
    X_gate : ndarray of shape (n_samples, n_gate_features)
    copies : Copies
    responsibilities : ndarray of shape (n_samples, n_experts)
        To begin with.
    tempering : float
        Power of the likelihood in the responsibilities that teach.

    Attributes
    ----------
    gates : list of Gate
        Of each copy; the last one has seen all rows.
    posterior : ndarray of shape (n_experts, n_samples)
        Responsibilities.
    log_gate : ndarray of shape (n_experts, n_samples)
        Of each row, by the gate that judges it.

    Examples
    --------
    >>> from ensemblekit.mixture.experts.boosting_copies import make_copies
    >>> from ensemblekit.mixture.gates.constant import ConstantGate
    >>> copies = make_copies(np.zeros((2, 1)), np.zeros(2), np.ones(2), n_folds=2, n_held_out=0)
    >>> division = Division(ConstantGate(), np.zeros((2, 1)), copies, np.array([[1.0, 0.0], [0.5, 0.5]]), tempering=0.0)
    >>> division.teaching
    array([[0.75, 0.75],
           [0.25, 0.25]])
    """

    def __init__(self, gate: Gate, X_gate: Any, copies: Copies, responsibilities: Float, tempering: float) -> None:
        self.gates = [gate] * len(copies.weight)
        self.X_gate = X_gate
        self.copies = copies
        self.posterior = responsibilities.T
        self.tempering = tempering
        self.refit()

    @property
    def n_experts(self) -> int:
        """Number of experts."""
        return len(self.posterior)

    @property
    def gate(self) -> Gate:
        """The gate that has seen all rows."""
        return self.gates[-1]

    def refit(self) -> None:
        """Fit the gates to the responsibilities."""
        self.gates = [self._fitted(gate, weight) for gate, weight in zip(self.gates, self.copies.weight, strict=True)]
        self.log_gate = np.empty(self.posterior.shape)
        for number, gate in enumerate(self.gates):
            rows = self.copies.judge == number
            if rows.any():
                self.log_gate[:, rows] = self._log_proba(gate, self.X_gate[rows])

    @staticmethod
    def _log_proba(gate: Gate, X_gate: Any) -> Float:
        return np.maximum(gate.log_proba(X_gate).T, _NEVER)

    def _fitted(self, gate: Gate, weight: Float) -> Gate:
        rows = np.flatnonzero(weight)
        return copy(gate).fit(self.X_gate[rows], self.posterior.T[rows], weight[rows])

    @property
    def teaching(self) -> Float:
        """Tempered responsibilities, (n_experts, n_samples): the gate's share times a power of the density."""
        with np.errstate(divide="ignore"):
            log_posterior = np.maximum(np.log(self.posterior), _NEVER)
        # the posterior is gate times density already
        logits = (1 - self.tempering) * self.log_gate + self.tempering * log_posterior
        return posterior(logits.T)[1].T

    def log_likelihood(self, log_density: Float) -> Float:
        """Log-likelihood of each row, (n_samples,), from the log-densities (n_experts, n_samples), under the gate that has seen all."""
        return posterior((self._log_proba(self.gate, self.X_gate) + log_density).T)[0]

    def judge(self, log_density: Float) -> Float:
        r"""Take the responsibilities anew, and return each row's tempered log-likelihood, (n_samples,).

        That is :math:`\frac1\beta \log \sum_k g_k p_k^\beta`, whose gradient the experts follow: the log-likelihood itself at
        :math:`\beta = 1`, and at :math:`\beta = 0` the mean of the experts' own, each by its share, as if one expert were drawn by the
        gate. It is never above the log-likelihood.
        """
        self.posterior = posterior((self.log_gate + log_density).T)[1].T
        if self.tempering == 0:
            return np.sum(np.exp(self.log_gate) * log_density, axis=0)
        return posterior((self.log_gate + self.tempering * log_density).T)[0] / self.tempering


class GivenShares:
    """A gate for responsibilities that stay as they are: they are the columns that it reads.

    Examples
    --------
    >>> GivenShares().log_proba(np.ones((1, 1)))
    array([[0.]])
    """

    def fit(self, X: Any, responsibilities: Float, sample_weight: Float) -> Self:  # noqa: ARG002 (nothing to fit)
        """Return the gate as it is."""
        return self

    def log_proba(self, X: Any) -> Float:
        """Logarithms of the given responsibilities."""
        with np.errstate(divide="ignore"):
            return np.log(X)

    def penalty(self) -> float:
        """Zero: nothing is fitted."""
        return 0.0


class Pace(NamedTuple):
    """How long to grow, and how often to move the gate.

    Parameters
    ----------
    n_rounds : int
        At most.
    patience : int or None
        End when the held-out rows have not gained for so many rounds; None for all rounds, of which the last is the best.
    warm_up : int
        Rounds before the gate first moves.
    gate_every : int
        Rounds between two fits of the gate.
    """

    n_rounds: int
    patience: int | None
    warm_up: int
    gate_every: int


class Task(NamedTuple):
    """What every growth on a table has in common.

    Parameters
    ----------
    loss : Loss
    dataset : lightgbm.Dataset
    parameters : dict
        LightGBM's.
    copies : Copies
    weight : ndarray of shape (n_samples,)
    """

    loss: Loss
    dataset: Any
    parameters: dict[str, Any]
    copies: Copies
    weight: Float


class Best(NamedTuple):
    """The state after the best round.

    Parameters
    ----------
    n_rounds : int
    gate : Gate
    spread : ndarray of shape (n_experts,)
    scores : ndarray of shape (n_copies, n_experts, n_scores, n_samples)
        Of the training rows.
    """

    n_rounds: int
    gate: Any
    spread: Float
    scores: Float


@dataclass
class Track:
    """How a growth went.

    Parameters
    ----------
    growth : Lockstep
    best : Best
    held_out : list of float
        Mean log-likelihood of the judged rows before the first round and after each.
    log_likelihoods : list of float
        Sum over all rows under the copy that saw them all.
    """

    growth: Lockstep
    best: Best
    held_out: list[float] = field(default_factory=list)
    log_likelihoods: list[float] = field(default_factory=list)

    def parts(self) -> list[Any]:
        """Return the booster of each expert up to the best round, out of the copy that saw all rows; None without a round."""
        n_copies, n_experts, n_scores = self.growth.shape
        if self.best.n_rounds == 0:
            return [None] * n_experts
        last = np.arange(self.growth.n_outputs).reshape(n_copies, n_experts, n_scores)[-1]
        return [self.growth.part(outputs, self.best.n_rounds) for outputs in last]


def grow_in_lockstep(task: Task, division: Division, start: Float, pace: Pace) -> Track:
    """Grow all experts round by round.

    Parameters
    ----------
    task : Task
    division : Division
        Moves along.
    start : ndarray of shape (n_copies or 1, n_experts, n_scores, n_samples or 1)
        Scores before the first round.
    pace : Pace

    Returns
    -------
    Track
    """
    loss, copies = task.loss, task.copies
    growth = Lockstep(task.dataset, task.parameters, (len(copies.weight), *start.shape[1:3]))
    scores = start + growth.scores()
    track = Track(growth, Best(0, copy(division.gate), np.ones(division.n_experts), scores))
    _judge(task, division, scores, track, keep=True)
    for n_rounds in range(1, pace.n_rounds + 1):
        gradient, curvature = loss.derivatives(scores)
        teaching = copies.weight[:, None, None, :] * division.teaching[:, None, :]
        if not growth.step(gradient * teaching, curvature * teaching):
            break
        scores = start + growth.scores()
        if n_rounds >= pace.warm_up and n_rounds % pace.gate_every == 0:
            division.refit()
        _judge(task, division, scores, track, keep=pace.patience is None)
        if pace.patience is not None and n_rounds - track.best.n_rounds >= pace.patience:
            break
    return track


def _judge(task: Task, division: Division, scores: Float, track: Track, *, keep: bool) -> None:
    """Take the responsibilities anew, note how well the mixture does, and keep it where it is the best so far."""
    held_out = task.copies.held_out(scores)
    spread = task.loss.spread(held_out, division.posterior, task.weight)
    rows = division.judge(task.loss.log_density(held_out, spread))
    weight = task.weight[task.copies.judged]
    value = float(weight @ rows[task.copies.judged] / weight.sum())
    if keep or value > max(track.held_out):
        track.best = Best(len(track.held_out), copy(division.gate), spread, scores)
    track.held_out.append(value)
    known = task.loss.log_density(scores[-1], spread)
    track.log_likelihoods.append(float(task.weight @ division.log_likelihood(known)))
