r"""The penalised log-likelihood of a mixture whose gate and experts are linear predictors, with gradient and Hessian.

For one row, with gate logits and expert predictors stacked into :math:`\eta`,

.. math:: \ell(\eta) = \log \sum_k g_k(\eta)\, p_k(y \mid \eta),

its derivatives are those of the complete-data likelihood under the responsibilities :math:`r_k` (Louis, 1982, eq. 3.1 and 3.2): writing
:math:`s_k` and :math:`h_k` for score and curvature of :math:`\log p_k` in its own predictors,

.. math::

    \partial_{g} \ell = r - g, \quad \partial_{k} \ell = r_k s_k, \qquad
    \partial_{gg} \ell = \mathrm{diag}(r) - r r' - \mathrm{diag}(g) + g g', \\
    \partial_{j,k} \ell = r_k (\delta_{jk} - r_j)\, s_k \;(\text{gate } j, \text{expert } k), \quad
    \partial_{k,l} \ell = \delta_{kl} r_k (h_k + s_k s_k') - r_k r_l s_k s_l'.

References
----------
T. A. Louis (1982). Finding the observed information matrix when using the EM algorithm. JRSS B 44(2), 226-233.
N. Ueda and R. Nakano (1998). Deterministic annealing EM algorithm. Neural Networks 11(2), 271-282.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from ensemblekit.mixture.linear.design import Design, Float
from ensemblekit.mixture.linear.families import Categorical, Family
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows

#: Columns beyond which the products of all pairs of columns, row by row, cost more to write down than to form again for every block.
_WIDE = 32
#: Rows of one block on the host, where temporaries should stay in the cache, and on another device, where few launches count more.
_BLOCK = 8192
_DEVICE_BLOCK = 1 << 20
#: Columns up to which predictors are preconditioned by the full correlation matrix; beyond, by its diagonal.
_WHITENED = 400
#: Smallest eigenvalue of a preconditioner relative to its largest.
_RANK = 1e-9


@dataclass(frozen=True)
class Predictors:
    """Linear predictors that read the same columns and are penalised together.

    Parameters
    ----------
    positions : slice
        Their places among all predictors.
    columns : ndarray of int
        Columns of ``Z`` that they read, the intercept last.
    metric : ndarray of shape (n_predictors, n_predictors)
        Penalty metric across the predictors.
    basis : ndarray of shape (n_columns, n_columns)
        Preconditioner: coefficients on ``Z[:, columns]`` are ``basis @ parameters``.
    penalty : ndarray of shape (n_columns,)
        Penalty of each coefficient on ``Z[:, columns]``; zero for the intercept.
    parameters : slice
        Their places in the parameter vector.
    """

    positions: slice
    columns: NDArray[np.intp]
    metric: Float
    basis: Float
    penalty: Float
    parameters: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Coefficients by predictors."""
        return self.columns.size, self.positions.stop - self.positions.start


class LinearMixture:
    """Mean penalised log-likelihood per unit of weight, as a function of preconditioned parameters.

    Parameters
    ----------
    design : Design
        Standardised columns and sample weights.
    family : Family
        Density of the experts.
    targets : ndarray of shape (n_targets, n_samples)
        The answers as the family reads them.
    n_experts : int
        With one expert there is no gate and the problem is an ordinary regression.
    alpha : float
        L2 penalty on the experts' raw coefficients, on the scale of the summed log-likelihood.
    gate_alpha : float or None
        The same for the gate; None for ``alpha``.
    gate_columns : sequence of int or None
        Columns that the gate reads; None for all, empty for a constant gate.
    expert_columns : sequence of (sequence of int or None) or None
        The same for each expert.

    Attributes
    ----------
    sharpness : float
        1 for the likelihood itself. Below it, each row counts by the free energy of deterministic annealing,
        ``log(sum_k (g_k p_k) ** sharpness) / sharpness``, under which responsibilities are more even (Ueda and Nakano, 1998).

    Examples
    --------
    >>> from ensemblekit.mixture.linear.design import make_design
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> objective = LinearMixture(make_design(X, np.ones(3)), Categorical(2), y, n_experts=2, alpha=1.0)
    >>> value, gradient = objective.value_and_gradient(np.zeros(objective.size))
    >>> round(value, 4)  # one bit for each row
    -0.6931
    """

    def __init__(
        self,
        design: Design,
        family: Family,
        targets: Float,
        *,
        n_experts: int,
        alpha: float,
        gate_alpha: float | None = None,
        gate_columns: Sequence[int] | None = None,
        expert_columns: Sequence[Sequence[int] | None] | None = None,
    ) -> None:
        self.design = design
        self.family = family
        self.targets = targets
        self.n_experts = n_experts
        self.alpha = alpha
        self.gate_alpha = alpha if gate_alpha is None else gate_alpha
        # an expert without a single row is left to its penalty
        self.total_weight = max(float(namespace(design.sample_weight).sum(design.sample_weight)), np.finfo(float).tiny)
        self.gate_columns = gate_columns
        self.expert_columns = list(expert_columns or [None] * n_experts)
        self.on_device: Callable[..., tuple[float, Float]] | None = None  # evaluates sums over all rows elsewhere
        self.groups = self._make_groups(gate_columns)
        self.size = self.groups[-1].parameters.stop
        self.n_predictors = self.groups[-1].positions.stop
        self.sharpness = 1.0

    def _make_groups(self, gate_columns: Sequence[int] | None) -> list[Predictors]:
        layout: list[tuple[Sequence[int] | None, Float, float]] = []
        if self.n_experts > 1:
            layout.append((gate_columns, Categorical(self.n_experts, symmetric=True).metric, self.gate_alpha))
        reads = np.array(self.family.reads_columns)
        for columns in self.expert_columns:
            layout.append((columns, self.family.metric[np.ix_(reads, reads)], self.alpha))
            layout += [([], np.zeros((1, 1)), 0.0)] * int((~reads).sum())
        groups: list[Predictors] = []
        position = parameter = 0
        bases: dict[tuple[float, ...], tuple[Float, Float]] = {}
        for columns, metric, alpha in layout:
            read = np.arange(self.design.n_features) if columns is None else np.asarray(columns, dtype=np.intp)
            read = np.append(read, self.design.n_features)
            if (alpha, *read) not in bases:
                bases[alpha, *read] = self._precondition(read, alpha)
            basis, penalty = bases[alpha, *read]
            stop = position + metric.shape[0], parameter + metric.shape[0] * read.size
            groups.append(Predictors(slice(position, stop[0]), read, metric, basis, penalty, slice(parameter, stop[1])))
            position, parameter = stop
        return groups

    def _precondition(self, columns: NDArray[np.intp], alpha: float) -> tuple[Float, Float]:
        """Make curvature near one in every direction: the inverse root of the columns' second moments plus the penalty."""
        penalty = np.append(np.square(np.sqrt(alpha) / self.design.scale[columns[:-1]]), 0.0) / self.total_weight
        # a penalty this strong holds the coefficient at zero already
        penalty = np.minimum(penalty, 1e8)
        share = self.design.sample_weight / self.total_weight
        Z = take_rows(self.design.Z, columns, axis=1)
        if columns.size > _WHITENED:
            square = Z.multiply(Z) if sp.issparse(Z) else Z * Z
            return np.diag(1.0 / np.sqrt(on_host(share @ square) / 4 + penalty + _RANK)), penalty
        weighted = Z.multiply(share[:, None]).tocsr() if sp.issparse(Z) else Z * share[:, None]
        moments = weighted.T @ Z
        moments = (moments.toarray() if sp.issparse(moments) else on_host(moments)) / 4 + np.diag(penalty)
        eigenvalues, vectors = scipy.linalg.eigh(moments)
        # without a single row there is no curvature at all
        eigenvalues = np.maximum(eigenvalues, _RANK * (eigenvalues[-1] or 1.0))
        return vectors / np.sqrt(eigenvalues), penalty

    def coefficients(self, theta: Float) -> Float:
        """Return the coefficients on the columns of ``Z``, shape (n_features + 1, n_predictors)."""
        W = np.zeros((self.design.n_features + 1, self.n_predictors))
        for group in self.groups:
            W[group.columns, group.positions] = group.basis @ theta[group.parameters].reshape(group.shape)
        return W

    def parameters(self, W: Float) -> Float:
        """Undo :meth:`coefficients`."""
        theta = np.empty(self.size)
        for group in self.groups:
            solved = np.linalg.lstsq(group.basis, W[group.columns, group.positions], rcond=None)[0]
            theta[group.parameters] = solved.ravel()
        return theta

    def annealed(self, sharpness: float) -> LinearMixture:
        """Return the same problem with more even responsibilities."""
        other = copy(self)
        other.sharpness = sharpness
        return other

    def on(self, design: Design, targets: Float, total_weight: float) -> LinearMixture:
        """Return the same parameters on other rows, the penalty being spread over ``total_weight``."""
        other = copy(self)
        other.design, other.targets, other.total_weight, other.on_device = design, targets, total_weight, None
        share = self.total_weight / total_weight
        other.groups = [replace(group, penalty=group.penalty * share) for group in self.groups]
        return other

    def resized(self, n_experts: int, design: Design, targets: Float) -> LinearMixture:
        """Return the problem of another number of experts, all of which read all columns, on rows of their own."""
        return LinearMixture(
            design,
            self.family,
            targets,
            n_experts=n_experts,
            alpha=self.alpha,
            gate_alpha=self.gate_alpha,
            gate_columns=self.gate_columns,
        )

    def mean(self, rows: Float) -> float:
        """Weighted mean of a number for every row."""
        return float(self.design.sample_weight @ rows) / self.total_weight

    def value(self, theta: Float) -> float:
        """Mean penalised log-likelihood."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: Float, batch: NDArray[np.intp] | None = None) -> tuple[float, Float]:
        """Mean penalised log-likelihood and its gradient in the parameters; with ``batch``, the estimates from those rows."""
        W = self.coefficients(theta)
        if self.on_device is not None and batch is None:
            value, slope = self.on_device(W, self.sharpness)
            return self._penalised(value / self.total_weight, slope / self.total_weight, W)
        value, slope, total = 0.0, np.zeros(W.shape), 0.0
        for Z, targets, weight in self._blocks() if batch is None else [self._batch(batch)]:
            row = self._evaluate(_predict(Z, W), targets)
            value += float(weight @ row.log_likelihood)
            slope += on_host(Z.T @ (row.gradient * weight).T)
            total += float(namespace(weight).sum(weight))
        total = max(total, np.finfo(float).tiny)
        return self._penalised(value / total, slope / total, W)

    def _penalised(self, value: float, slope: Float, W: Float) -> tuple[float, Float]:
        gradient = np.empty(self.size)
        for group in self.groups:
            coef = W[group.columns, group.positions]
            pull = group.penalty[:, None] * (coef @ group.metric)
            value -= 0.5 * float(np.sum(coef * pull))
            gradient[group.parameters] = (group.basis.T @ (slope[group.columns, group.positions] - pull)).ravel()
        return value, gradient

    def log_joint(self, theta: Float) -> Float:
        """Return log g_k + log p_k of every row, (n_experts, n_samples)."""
        log_gate, log_density = self.log_parts(theta)
        return log_gate + log_density

    def log_parts(self, theta: Float) -> tuple[Float, Float]:
        """Return log g_k and log p_k of every row, (n_experts, n_samples) each."""
        W, xp = self.coefficients(theta), namespace(self.targets)
        blocks = [self._log_parts(_predict(Z, W), targets) for Z, targets, _ in self._blocks()]
        return xp.concat([gate for gate, _ in blocks], axis=1), xp.concat([density for _, density in blocks], axis=1)

    def _log_parts(self, eta: Float, targets: Float) -> tuple[Float, Float]:
        logits, predictors = self._split(eta)
        density = self.family.density(predictors, targets).value
        return (log_softmax(logits) if self.n_experts > 1 else namespace(density).zeros_like(density)), density

    def hessian(self, theta: Float) -> Float:
        """Hessian of the mean penalised log-likelihood in the parameters, shape (size, size)."""
        W = self.coefficients(theta)
        q, p = self.n_predictors, W.shape[0]
        upper = np.triu_indices(q)
        moments = np.zeros((upper[0].size, p * p))
        for Z, targets, weight in self._blocks(_BLOCK // 4):
            Z = Z.toarray() if sp.issparse(Z) else on_host(Z)  # noqa: PLW2901 (the same rows; only short tables come here)
            curvature = self._curvature(_predict(Z, W), on_host(targets))
            weights = curvature[upper] * on_host(weight)
            if p > _WIDE:
                moments += np.stack([((Z.T * row) @ Z).ravel() for row in weights])
            else:
                moments += weights @ (Z[:, :, None] * Z[:, None, :]).reshape(Z.shape[0], -1)
        full = np.zeros((q, q, p, p))
        full[upper] = moments.reshape(-1, p, p) / self.total_weight
        full[upper[1], upper[0]] = full[upper]  # each block is symmetric: it is a weighted sum of z z'
        return self._in_parameters(full)

    def _in_parameters(self, full: Float) -> Float:
        hessian = np.empty((self.size, self.size))
        for a in self.groups:
            for b in self.groups:
                block = full[a.positions, b.positions][:, :, a.columns][:, :, :, b.columns]
                block = np.einsum("ijcd,ce,df->eifj", block, a.basis, b.basis, optimize=True)
                hessian[a.parameters, b.parameters] = block.reshape(a.shape[0] * a.shape[1], b.shape[0] * b.shape[1])
            pull = (a.basis.T * a.penalty) @ a.basis
            hessian[a.parameters, a.parameters] -= np.kron(pull, a.metric)
        return hessian

    def _blocks(self, size: int | None = None) -> Iterator[tuple[Any, Any, Any]]:
        """Columns, targets and weights of successive rows."""
        Z, weight = self.design.Z, self.design.sample_weight
        size = size or (_BLOCK if isinstance(weight, np.ndarray) else _DEVICE_BLOCK)
        for start in range(0, Z.shape[0], size):
            rows = slice(start, min(start + size, Z.shape[0]))
            yield Z[rows, :], self.targets[:, rows], weight[rows]

    def _batch(self, rows: NDArray[np.intp]) -> tuple[Any, Any, Any]:
        return take_rows(self.design.Z, rows), take_rows(self.targets, rows, axis=1), take_rows(self.design.sample_weight, rows)

    def _split(self, eta: Float) -> tuple[Float, Float]:
        """Gate logits (n_experts - 1, n) and expert predictors (n_experts, n_predictors, n)."""
        gate = self.n_experts - 1
        return eta[:gate, :], namespace(eta).reshape(eta[gate:, :], (self.n_experts, self.family.n_predictors, -1))

    def _evaluate(self, eta: Float, targets: Float) -> _Rows:
        logits, predictors = self._split(eta)
        density = self.family.density(predictors, targets)
        if self.n_experts == 1:
            return _Rows(density.value[0, :], density.score[0, :, :])
        xp = namespace(eta)
        log_gate = log_softmax(logits)
        log_joint = log_gate + density.value
        tempered = log_joint * self.sharpness
        log_norm = logsumexp(tempered)
        responsibilities = xp.exp(tempered - log_norm)
        gate = (responsibilities - xp.exp(log_gate))[1:, :]
        experts = xp.reshape(responsibilities[:, None, :] * density.score, (-1, eta.shape[1]))
        return _Rows(log_norm / self.sharpness, xp.concat([gate, experts]))

    def _curvature(self, eta: Float, targets: Float) -> Float:
        """Second derivatives of every row's log-likelihood in its predictors, (q, q, n)."""
        logits, predictors = self._split(eta)
        density = self.family.density(predictors, targets)
        bend = self.family.curvature(predictors, targets)
        if self.n_experts == 1:
            return np.asarray(bend[0])
        log_gate = log_softmax(logits)
        gate = np.exp(log_gate)
        log_joint = log_gate + density.value
        r = np.exp(log_joint - logsumexp(log_joint))
        weighted = r[:, None] * density.score
        K, M = self.n_experts, self.family.n_predictors
        out = np.empty((eta.shape[0], eta.shape[0], eta.shape[1]))
        out[: K - 1, : K - 1] = gate[1:, None] * gate[None, 1:] - r[1:, None] * r[None, 1:]
        diagonal = np.arange(K - 1)
        out[diagonal, diagonal] += r[1:] - gate[1:]
        for k in range(K):
            mine = slice(K - 1 + k * M, K - 1 + (k + 1) * M)
            cross = -r[1:, None] * weighted[None, k]
            if k:
                cross[k - 1] += weighted[k]
            out[: K - 1, mine] = cross
            out[mine, : K - 1] = cross.swapaxes(0, 1)
            for other in range(K):
                theirs = slice(K - 1 + other * M, K - 1 + (other + 1) * M)
                out[mine, theirs] = -weighted[k][:, None] * weighted[other][None]
            out[mine, mine] += r[k] * bend[k] + weighted[k][:, None] * density.score[k][None]
        return out


@dataclass(frozen=True)
class _Rows:
    log_likelihood: Float
    gradient: Float


def _predict(Z: Any, W: Float) -> Float:
    """Linear predictors (n_predictors, n_samples), one contiguous row a predictor."""
    eta = (Z @ beside(W, Z)).T
    return np.ascontiguousarray(eta) if isinstance(eta, np.ndarray) else eta


def log_softmax(logits: Float) -> Float:
    """Log-probabilities (n_experts, n_samples) from the logits of all experts but the first, whose logit is zero.

    Examples
    --------
    >>> log_softmax(np.zeros((1, 1))).ravel().round(4)
    array([-0.6931, -0.6931])
    """
    xp = namespace(logits)
    full = xp.concat([xp.zeros_like(logits[:1, :]), logits])
    result: Float = full - logsumexp(full)
    return result


def logsumexp(values: Float) -> Float:
    """Log of the sum of exponentials over the first axis; minus infinity where all terms are.

    Examples
    --------
    >>> float(logsumexp(np.array([[-1000.0], [-1000.0]]))[0].round(4))
    -999.3069
    """
    xp = namespace(values)
    top = xp.max(values, axis=0)
    finite = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    with np.errstate(divide="ignore"):
        total: Float = finite + xp.log(xp.sum(xp.exp(values - finite), axis=0))
        return total
