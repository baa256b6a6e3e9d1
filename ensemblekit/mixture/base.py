"""What classifier and regressor share: from parameters and data to a fitted gate and fitted experts."""

from __future__ import annotations

import warnings
from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ensemblekit.mixture.contracts import Data, ExpertBank, Float, Gate
from ensemblekit.mixture.em import EMInfo, EMState, begin, e_step, run
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.restarts import best_of_starts
from ensemblekit.mixture.start import random_gate, thin

#: EM steps of a short run. Few are enough to tell a good start from a bad one.
_SHORT_RUN = 5


class BaseMixture(BaseEstimator):
    """Fits a gate and a bank of experts; subclasses say what the answers are."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_experts": [Interval(Integral, 1, None, closed="left")],
        "gate": [StrOptions({"softmax"}), SoftmaxGate],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"auto", "em"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    n_experts: int
    gate: Any
    alpha: float
    optimizer: str
    n_init: int
    max_iter: int
    tol: float
    random_state: Any
    verbose: int

    gate_: Gate
    experts_: ExpertBank

    def _weighted_rows(self, X: Any, sample_weight: Any) -> tuple[NDArray[np.bool_], Float]:
        """Rows of positive weight and their weights: a row of weight zero is as good as not there."""
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        counts = weight > 0
        return counts, weight[counts]

    def _fit_mixture(self, data: Data, gate: Gate, experts: ExpertBank) -> None:
        if self.optimizer == "auto" and isinstance(gate, SoftmaxGate) and isinstance(experts, LogisticExperts):
            converged = self._climb(data, gate, experts)
        else:
            converged = self._alternate(data, gate, experts)
        self.lower_bound_ = self.lower_bounds_[-1]
        self.n_iter_ = max(len(self.lower_bounds_) - 1, 1)
        self.converged_ = converged
        if not converged:
            warnings.warn(
                f"The mixture did not converge in max_iter={self.max_iter} steps; raise max_iter, tol or alpha.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _climb(self, data: Data, gate: SoftmaxGate, experts: LogisticExperts) -> bool:
        """Linear gate and experts: climb the marginal likelihood itself."""
        rows = thin(data.X, data.y)
        whole = self._problem(data, gate, experts)
        part = whole if rows is None else self._problem(_subset(data, rows), gate, experts)
        solution = best_of_starts(
            whole,
            part,
            n_init=self.n_init,
            max_iter=self.max_iter,
            tol=np.sqrt(self.tol) / 10,  # curvature is near one: a gradient g leaves about g ** 2 / 2 to gain
            rng=np.random.default_rng(self._seed),
        )
        design, W = whole.design, whole.coefficients(solution.theta)
        K = self.n_experts
        self.gate_ = gate.set_coefficients(*design.raw_coefficients(W[:, : K - 1]))
        coef, intercept = design.raw_coefficients(W[:, K - 1 :])
        self.experts_ = experts.set_coefficients(coef.reshape(K, -1, design.n_features), intercept.reshape(K, -1))
        self.lower_bounds_ = [value * whole.total_weight for value in solution.values]
        for step, bound in enumerate(self.lower_bounds_):
            self._say(step, bound)
        return solution.converged

    def _problem(self, data: Data, gate: SoftmaxGate, experts: LogisticExperts) -> LinearMixture:
        return LinearMixture(
            make_design(data.X, data.sample_weight),
            experts.family,
            experts.targets(data.y),
            n_experts=self.n_experts,
            alpha=experts.alpha,
            gate_alpha=gate.alpha,
        )

    def _alternate(self, data: Data, gate: Gate, experts: ExpertBank) -> bool:
        """Run EM: short runs from every start, then one long run of the best."""
        design = make_design(data.X_gate, data.sample_weight)
        rng = np.random.default_rng(self._seed)
        n_starts = self.n_init if self.n_experts > 1 else 1
        starts = [self._short_run(data, gate, experts, design, rng) for _ in range(n_starts)]
        best = max(starts, key=lambda state: state.lower_bound)
        found = run(best, data, max_iter=self.max_iter, tol=self.tol, report=self._report)
        if found.fell:
            warnings.warn(
                "The penalised log-likelihood fell: the M-step of the gate or of an expert does not climb it. "
                f"The best iterate is kept, with lower_bound_={found.state.lower_bound:.6g}.",
                ConvergenceWarning,
                stacklevel=4,
            )
        self.gate_, self.experts_ = found.state.gate, found.state.experts
        self.lower_bounds_ = found.lower_bounds
        return found.converged or found.fell

    def _short_run(self, data: Data, gate: Gate, experts: ExpertBank, design: Design, rng: np.random.Generator) -> EMState:
        responsibilities = random_gate(design.Z[:, :-1], data.sample_weight, self.n_experts, rng)
        state = begin(copy(gate), copy(experts), data, responsibilities)
        return run(state, data, max_iter=_SHORT_RUN, tol=self.tol).state

    def _report(self, step: int, state: EMState, info: EMInfo) -> None:
        self._say(step, state.lower_bound, f"  load {np.array2string(info.load, precision=3)}")

    def _say(self, step: int, bound: float, more: str = "") -> None:
        if self.verbose:
            print(f"step {step}: penalised log-likelihood {bound:.6f}{more}")  # noqa: T201 (asked for by verbose)

    @property
    def _seed(self) -> int:
        """A fresh generator's seed: the same for every fit where random_state is a number."""
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _make_gate(self) -> Gate:
        alpha = self.alpha if isinstance(self.gate, str) or self.gate.alpha is None else self.gate.alpha
        return SoftmaxGate(alpha=alpha)

    def _check_rows(self, X: Any) -> Any:
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=np.float64)

    def gate_proba(self, X: Any) -> Float:
        """Probability that the gate gives each expert.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        return np.exp(self.gate_.log_proba(self._check_rows(X)))

    def _posterior(self, X: Any, y: NDArray[Any]) -> EMState:
        return e_step(self.gate_, self.experts_, Data(X, X, y, np.ones(X.shape[0])))


def _subset(data: Data, rows: NDArray[np.intp]) -> Data:
    return Data(data.X[rows], data.X_gate[rows], data.y[rows], data.sample_weight[rows])
