"""What a mixture learns from a stream: gate and experts by small steps, the gate alone, or one number for each expert."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils._array_api import _estimator_with_converted_arrays

from ensemblekit.mixture import routing as routes
from ensemblekit.mixture.adapting import Recent, check_memory
from ensemblekit.mixture.base import BaseMixture
from ensemblekit.mixture.contracts import Data, Float
from ensemblekit.mixture.em import posterior
from ensemblekit.mixture.linear.kinds import LinearBank, LinearGate
from ensemblekit.mixture.linear.namespaces import namespace, on_host
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.restarts import depart, one_expert_each
from ensemblekit.mixture.linear.solve import Solution
from ensemblekit.mixture.linear.stochastic import Stepper, one_pass
from ensemblekit.mixture.paired_gates import PairedGates, learn, pair


class _Online(NamedTuple):
    """Where learning by pieces stands."""

    problem: LinearMixture
    theta: Float
    stepper: Stepper


def fits_by_pieces(mixture: StreamingMixture) -> bool:
    """Whether ``partial_fit`` is there: for linear gates with linear experts, of a given number."""
    if mixture.n_experts == "auto":
        raise AttributeError("n_experts='auto' needs a whole table: fit first, and then set_params(n_experts=model.n_experts_).")
    return mixture._linear


class StreamingMixture(BaseMixture):
    """A mixture that goes on learning after it was fitted; the three ways differ in what of it moves."""

    _gates: PairedGates
    _online: _Online
    _seen: float
    _given: Any
    _earned: Any

    def _begin_stream(self, seen: float) -> None:
        self._seen = seen
        for stream in ("_online", "_gates"):
            self.__dict__.pop(stream, None)
        self._forget_feedback()

    def _begin_by_pieces(self, X: Any) -> None:
        """Settle what the first piece has to settle."""
        for parameter in ("routing", "combination"):
            if getattr(self, parameter) == "auto":
                raise ValueError(f"{parameter}='auto' needs a whole table: fit first, or set another {parameter} before partial_fit.")
        self.n_experts_ = int(self.n_experts)
        self._resolve_columns(X)

    def _going_on(self) -> LinearBank:
        """Return the fitted experts, where the steps can go on from them and from the gate."""
        if not (isinstance(self.gate_, LinearGate) and isinstance(self.experts_, LinearBank)):
            raise ValueError(  # noqa: TRY004 (what was set is wrong, and not a type)
                f"partial_fit goes on from linear gates and experts, and those of the last fit are {type(self.gate_).__name__} and "
                f"{type(self.experts_).__name__}. Fit a table with the present parameters first; warm_start=True begins from the last fit."
            )
        if self.n_experts != self.n_experts_:
            raise ValueError(
                f"partial_fit goes on with the {self.n_experts_} experts that there are, and n_experts={self.n_experts}: fit anew for "
                f"another number, or set_params(n_experts={self.n_experts_})."
            )
        return self.experts_

    def _learn_batch(self, data: Data, gate: Any, experts: Any) -> Self:
        """One pass over a further piece of the table; columns stay scaled and preconditioned as the first piece was."""
        rng = np.random.default_rng(self._seed)
        if not hasattr(self, "_online"):
            first = self._problem(data, gate, experts)
            stepper = Stepper("sgd" if self.optimizer == "sgd" else "adam", self.learning_rate)
            start = depart(first, one_expert_each(first), rng)
            if hasattr(self, "gate_"):
                start = first.parameters(self._present(first.design))
            self._online = _Online(first, start, stepper)
        online = self._online
        seen = vars(self).get("_seen", 0.0) + float(namespace(data.sample_weight).sum(data.sample_weight))
        design = online.problem.design.standardise(data.X, data.sample_weight)
        piece = online.problem.on(design, experts.start(data.y, data.sample_weight)[1], seen)
        theta = one_pass(piece, online.theta, online.stepper, rng.permutation(data.y.shape[0]), self.batch_size)
        self._online, self._seen = _Online(piece, theta, online.stepper), seen
        self.__dict__.pop("_gates", None)  # what is remembered tells of other experts
        self._reads = self._read_now()
        self._take_over(piece, Solution(theta, [piece.value(theta)], converged=True), gate, experts)
        self._forget_feedback()
        self._settle_beside(data.sample_weight)
        return self

    def adapt_gate(self, X: Any, y: Any, sample_weight: Any = None, *, memory: float = 200.0) -> Self:
        """Let the gate follow a stream, piece by piece, while the experts stay as they are.

        Two gates are kept, and the one under which the latest rows were likelier answers. A quick one is refitted to recent rows, whose
        weights fade. A stable one stays as it was fitted until Page's test finds a change, and is then refitted to all rows since. While
        nothing changes, the quick one may be ahead for a while by chance, at a small loss. :mod:`ensemblekit.mixture.paired_gates` says
        more.

        It is one of three ways to follow a stream; which to take depends on what changes:

        =============================  ====================================  ========================================================
        what changes                   what follows                          what it does
        =============================  ====================================  ========================================================
        how often a regime holds       :meth:`update_feedback`, with         one number for each expert; from the first row on
                                       ``routing="feedback"``
        where, or how often, it holds  :meth:`adapt_gate`                    a new gate, of any kind; the experts stay as they are
        the rules themselves, slowly   ``partial_fit``                       small steps of gate and experts, both of which are linear
        all of it, or no one knows     :meth:`fit` on recent rows            a new model, as exact as these rows are many
        =============================  ====================================  ========================================================

        Five hundred rows after three regimes had changed places the gate fitted here lost 0.7 points of accuracy against the true one, as
        does a gate learnt from just these rows; a mixture left alone or with feedback lost 50, ``partial_fit`` 43 (means of 20 generated
        streams). Where only frequencies had changed, all of them were within one point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The latest rows, in the order in which they came.
        y : array-like of shape (n_samples,)
            Their answers.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative. They weigh rows in the fits of the gates, as in :meth:`fit`. Memory is counted in rows, and what tells of a
            change in rows too, whatever they weigh, so that the scale of weights is no evidence.
        memory : float, default=200.0
            Rows after which the quick gate counts a row for 1 / e: a short memory follows slow changes closely, a long one exactly;
            ``numpy.inf`` keeps all. That gate moves once what its rows count for adds up to half of the memory, or to a hundred, and the
            stable one, after a change, once so many rows have come since. Up to fifteen times as many rows as the memory are kept in the
            model, as the gate sees them.

        Returns
        -------
        self
            With a new ``gate_``, unless the old one is still the better; ``success_`` begins anew. Attributes that tell of the fit, such
            as ``lower_bound_``, are left.

        Raises
        ------
        ValueError
            For a memory that is no number above zero, labels that were not there at fit, columns of another number or name, another
            number of answers than of rows, or weights that are negative or all zero.
        sklearn.exceptions.NotFittedError
            Before a fit.

        Examples
        --------
        >>> from ensemblekit import MixtureOfExpertsClassifier
        >>> X = np.random.default_rng(0).normal(size=(800, 2))
        >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
        >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X[:400], y[:400])
        >>> model.score(X[400:], ~y[400:]) < 0.1  # the two rules have changed places
        True
        >>> model.adapt_gate(X[400:], ~y[400:]).score(X[400:], ~y[400:]) > 0.85
        True
        """
        X = self._check_rows(X)
        check_memory(memory)
        view = self._gate_view(X)
        log_density = on_host(self.experts_.log_likelihood(X, self._targets(y, X)))
        piece = Recent(view if sp.issparse(view) else on_host(view), log_density, on_host(self._weights(sample_weight, X)))
        gates = vars(self).get("_gates") or pair(_estimator_with_converted_arrays(self.gate_, on_host))
        self._gates = learn(gates, piece, memory)
        self.gate_ = self._gates.gate
        self.__dict__.pop("_online", None)
        self._forget_feedback()
        self._settle_beside(X)
        return self

    def _forget_feedback(self) -> None:
        """Begin anew with what ``update_feedback`` notes: the gate that it corrected is another one now."""
        self.success_ = np.ones(self.n_experts_)
        self._given = self._earned = np.ones(self.n_experts_)

    def _update_success(self, X: Any, y: NDArray[Any], sample_weight: Any, memory: float) -> None:
        check_memory(memory)
        weight = self._weights(sample_weight, X)
        proba = self._gate_proba(X)
        xp = namespace(proba)
        with np.errstate(divide="ignore"):
            log_gate = xp.log(routes.feedback(proba, self.success_))
        _, earned = posterior(log_gate + self.experts_.log_likelihood(X, y))
        kept = float(np.exp(-np.count_nonzero(on_host(weight)) / memory))
        self._given = kept * self._given + weight @ proba
        self._earned = kept * self._earned + weight @ earned
        given = self._given > 0  # an expert that was given nothing has shown nothing
        self.success_ = xp.where(given, self._earned / xp.where(given, self._given, xp.ones_like(self._given)), self.success_)
