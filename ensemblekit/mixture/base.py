"""What classifier and regressor share: from parameters and data to a fitted gate and fitted experts, and from a row to an answer."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._array_api import (
    _estimator_with_converted_arrays,
    _is_numpy_namespace,
    _max_precision_float_dtype,
    check_same_namespace,
    get_namespace_and_device,
    move_to,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_sample_weight,
    check_array,
    check_is_fitted,
    validate_data,
)

from ensemblekit import device as devices
from ensemblekit.mixture import routing as routes
from ensemblekit.mixture.choosing import Mixing, choose_mixing, choose_n_experts, routing_path
from ensemblekit.mixture.columns import positions
from ensemblekit.mixture.combining import COMBINATIONS, shares_that_count
from ensemblekit.mixture.contracts import Data, ExpertBank, Float, Gate
from ensemblekit.mixture.diagram import mixture_block
from ensemblekit.mixture.em import EMInfo, EMState, begin, e_step, posterior, run
from ensemblekit.mixture.experts.boosted import BoostedExperts, check_gate_view, reads_missing
from ensemblekit.mixture.experts.estimators import EstimatorExperts
from ensemblekit.mixture.experts.kinds import holds_out
from ensemblekit.mixture.experts.linear import LinearExperts
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.experts.seeding import with_seeds
from ensemblekit.mixture.gates.classifier import ClassifierGate
from ensemblekit.mixture.gates.constant import ConstantGate
from ensemblekit.mixture.gates.gaussian import GaussianGate
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.holding_out import part_of
from ensemblekit.mixture.linear.design import Design, make_design
from ensemblekit.mixture.linear.kinds import LinearBank, LinearGate
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.restarts import best_of_starts, depart, one_expert_each
from ensemblekit.mixture.linear.solve import Solution, maximise
from ensemblekit.mixture.linear.stochastic import Stepper, ascend
from ensemblekit.mixture.mixing import RoutingPath
from ensemblekit.mixture.revival import idle_experts, revive
from ensemblekit.mixture.row_hash import row_hash, uniform
from ensemblekit.mixture.selection import SELECTIONS
from ensemblekit.mixture.start import random_gate, thin
from ensemblekit.mixture.transfer import check_columns

#: EM steps of a short run. Few are enough to tell a good start from a bad one.
_SHORT_RUN = 5
#: Penalty by default, but for boosted experts.
_ALPHA = 1.0
#: Random starts by default: of linear mixtures, where one costs little, of these once more where they grow to their number, and of others.
_STARTS = {"linear": 20, "restart": 10, "other": 5}
#: Folds of held-out responsibilities by default.
_CROSS_FIT = 5

#: Optimizers that go through the table batch by batch.
_STOCHASTIC = ("sgd", "adam")

_GATES = {"softmax": SoftmaxGate, "gaussian": GaussianGate, "constant": ConstantGate}


def _set_as(fresh: Any, fitted: Any) -> Any:
    """Return a fitted part under the parameters of a fresh one: those of the last fit, or of a stream since, do not go on."""
    return copy(fitted).set_params(**fresh.get_params(deep=False))


class BaseMixture(BaseEstimator):
    """Fits a gate and a bank of experts; subclasses say what the answers are."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_experts": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "selection": [StrOptions(set(SELECTIONS))],
        "min_experts": [Interval(Integral, 1, None, closed="left")],
        "max_experts": [Interval(Integral, 1, None, closed="left")],
        "gate": [StrOptions(set(_GATES)), HasMethods("fit")],
        "gate_features": "no_validation",
        "expert_features": "no_validation",
        "alpha": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"auto", "em", *_STOCHASTIC})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "cross_fit": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left"), None],
        "routing": [StrOptions({"auto", *routes.ROUTINGS})],
        "top_k": [Interval(Integral, 1, None, closed="left"), None],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "combination": [StrOptions({"auto", *COMBINATIONS})],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "annealing": [Interval(Real, 0, 1, closed="right")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
        "device": [StrOptions(set(devices.DEVICES))],
        "verbose": ["verbose"],
    }

    n_experts: int | str
    selection: str
    min_experts: int
    max_experts: int
    experts: Any
    gate: Any
    gate_features: Any
    expert_features: Any
    alpha: Any
    optimizer: str
    batch_size: int
    learning_rate: float
    cross_fit: Any
    routing: str
    top_k: int | None
    threshold: float
    combination: str
    n_init: Any
    annealing: float
    max_iter: int
    tol: float
    warm_start: bool
    random_state: Any
    n_jobs: int | None
    device: str
    verbose: int

    n_experts_: int
    gate_: Any
    experts_: Any
    success_: Any
    _reads: tuple[Any, ...]

    @abstractmethod
    def _make_experts(self) -> ExpertBank:
        """Experts that are not fitted, ``n_experts_`` of them."""

    @abstractmethod
    def _targets(self, y: Any, X: Any) -> NDArray[Any]:
        """Answers as the experts read them, beside the table."""

    @abstractmethod
    def _row_losses(self, X: Any, targets: NDArray[Any]) -> Float:
        """Loss of the mixture for every row, as it is routed and combined now; on the host."""

    @abstractmethod
    def _begin_stream(self, seen: float) -> None:
        """Forget what pieces of a table taught: rows of weight ``seen`` were fitted, and what comes from here on is new."""

    # ---- the table -------------------------------------------------------------------------------------------------------------

    def _table(self, X: Any, *, reset: bool) -> Any:
        """Check a table: numbers for linear experts; other estimators may be given whatever they can read."""
        if not (self._free_columns and hasattr(X, "columns")):
            xp, _, device = get_namespace_and_device(X)
            if not (self._linear or _is_numpy_namespace(xp)):
                raise ValueError(f"Only linear gates and experts read arrays of {xp.__name__}; bring the table to NumPy for these.")
            dtype = _max_precision_float_dtype(xp, device)
            finite = "allow-nan" if self._boosted else True  # the gate's columns are checked where it reads them
            sparse = "csr" if self._linear else False
            return validate_data(self, X, reset=reset, dtype=dtype, accept_sparse=sparse, ensure_all_finite=finite)
        _check_feature_names(self, X, reset=reset)
        _check_n_features(self, X, reset=reset)
        return X

    def _weights(self, sample_weight: Any, X: Any) -> Any:
        """Check weights and bring them to the table."""
        xp, _, device = get_namespace_and_device(X)
        weight = move_to(sample_weight, xp=xp, device=device)
        return _check_sample_weight(weight, X, dtype=_max_precision_float_dtype(xp, device), ensure_non_negative=True)

    @property
    def _free_columns(self) -> bool:
        """Whether columns may be of any type: where no part of the mixture reads all of them as numbers."""
        return not isinstance(self.experts, (str, BoostedExperts)) and self.gate_features is not None

    @property
    def _linear(self) -> bool:
        """Whether gate and experts are linear predictors: then the table may be sparse, or an array of another library."""
        gate = self.gate in ("softmax", "constant") if isinstance(self.gate, str) else isinstance(self.gate, LinearGate)
        return gate and self.experts in ("logistic", "linear")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.array_api_support = bool(self._linear)
        tags.input_tags.allow_nan = self._boosted and reads_missing(self.gate)
        return tags

    def _gate_view(self, X: Any) -> Any:
        columns = self.gate_columns_
        if columns is None:
            view = X
        elif hasattr(X, "columns"):
            view = _safe_indexing(X, columns, axis=1)
        else:
            view = take_rows(X, np.asarray(columns, dtype=np.intp), axis=1)
        if self._boosted:
            check_gate_view(self.gate, view)
        return check_array(view, dtype=np.float64, accept_sparse="csr") if hasattr(view, "columns") else view

    def _resolve_columns(self, X: Any) -> None:
        self.gate_columns_ = positions(X, self.gate_features, "gate_features")
        chosen = self.expert_features
        if chosen is not None and self.n_experts == "auto":
            raise ValueError("n_experts='auto' splits and merges experts that read the same columns: expert_features must be None.")
        if chosen is not None and len(chosen) != self.n_experts:
            raise ValueError(f"expert_features must hold a choice of columns for each of {self.n_experts} experts; got {len(chosen)}.")
        self.expert_columns_ = None if chosen is None else [positions(X, columns, "expert_features") for columns in chosen]

    # ---- the parts -------------------------------------------------------------------------------------------------------------

    def _make_gate(self) -> Gate:
        if isinstance(self.gate, str):
            gate = _GATES[self.gate]()
        elif is_classifier(self.gate):
            if not hasattr(self.gate, "predict_proba"):
                raise ValueError(f"A classifier as gate must have predict_proba; {self.gate!r} has none.")
            gate = ClassifierGate(with_seeds(self.gate, self._chance_of("gate")))
        elif hasattr(self.gate, "log_proba"):
            gate = with_seeds(self.gate, self._chance_of("gate"))
        else:
            raise ValueError(f"gate must be one of {sorted(_GATES)}, a gate object or a classifier; got {self.gate!r}.")
        if "alpha" in gate.get_params(deep=False) and gate.alpha is None:
            gate.set_params(alpha=self._alpha)
        made: Gate = gate
        return made

    @property
    def _boosted(self) -> bool:
        return isinstance(self.experts, BoostedExperts) or (isinstance(self.experts, str) and self.experts == "boosted")

    @property
    def _alpha(self) -> Any:
        """The penalty; None where it is left to boosted experts."""
        if not isinstance(self.alpha, str):
            return self.alpha
        return None if self._boosted else _ALPHA

    @property
    def _n_classes(self) -> int | None:
        return self.classes_.shape[0] if hasattr(self, "classes_") else None

    def _make_boosted(self) -> BoostedExperts:
        if self.expert_columns_ is not None:
            raise ValueError(
                "Boosted experts grow in one booster, and all read all columns: expert_features must be None. Linear experts, and "
                "estimators such as LGBMClassifier() or LGBMRegressor(), take columns of their own."
            )
        return BoostedExperts(n_jobs=self.n_jobs or 1) if isinstance(self.experts, str) else clone(self.experts)

    def _make_estimators(self, classes: NDArray[Any] | None) -> EstimatorExperts:
        """Experts given as estimators: one cloned n_experts times, or a list of different ones."""
        several = isinstance(self.experts, (list, tuple))
        estimators = list(self.experts) if several else [self.experts] * self.n_experts_
        if len(estimators) != self.n_experts_:
            raise ValueError(f"experts holds {len(estimators)} estimators, and n_experts={self.n_experts}; they must be equal.")
        for k, estimator in enumerate(estimators):
            if not hasattr(estimator, "fit"):
                raise ValueError(f"experts must be a name, an estimator or a list of estimators; got {estimator!r}.")
            if classes is not None and not hasattr(estimator, "predict_proba"):
                raise ValueError(f"Experts for classes must be classifiers with predict_proba; {estimator!r} has none.")
            if isinstance(estimator, FrozenEstimator):
                self._check_frozen(estimator, k)
            if classes is None and hasattr(estimator, "__sklearn_tags__") and is_classifier(estimator):
                raise ValueError(f"Experts for amounts must be regressors; got the classifier {estimator!r}.")
        cross_fit = self.cross_fit or 0
        if cross_fit == "auto":
            cross_fit = _CROSS_FIT if any(holds_out(estimator) for estimator in estimators) else 0
        rng = self._chance_of("experts")
        estimators = [with_seeds(estimator, rng) for estimator in estimators]
        return EstimatorExperts(estimators, classes, columns=self.expert_columns_, cross_fit=cross_fit, n_jobs=self.n_jobs)

    def _check_frozen(self, estimator: FrozenEstimator, k: int) -> None:
        """Refuse a fitted expert of other columns, where it is given numbers; of a frame it sees the names itself, and may choose."""
        names = getattr(self, "feature_names_in_", None)
        if self._free_columns and names is not None:
            return
        chosen = None if self.expert_columns_ is None else self.expert_columns_[k]
        if chosen is None:
            chosen = list(range(self.n_features_in_))
        check_columns(estimator, len(chosen), None if names is None else names[chosen])

    def _sk_visual_block_(self) -> _VisualBlock:
        if not hasattr(self, "experts_"):
            return mixture_block(self.gate, self._drawn(self.experts, self.n_experts))
        steps = f"{self.n_iter_} iteration{'' if self.n_iter_ == 1 else 's'}"
        outcome = f"{'converged' if self.converged_ else 'not converged'} after {steps}"
        experts = getattr(self.experts_, "estimators_", self.experts)
        return mixture_block(self.gate_, self._drawn(experts, len(self.load_)), self.load_, outcome)

    @staticmethod
    def _drawn(experts: Any, n_experts: Any) -> list[Any]:
        """Return an expert for each block; one bank holds all linear or boosted ones, which are no estimators of their own."""
        if isinstance(experts, (list, tuple)):
            return list(experts)
        return [experts] * (n_experts if isinstance(n_experts, Integral) else 1)  # a wrong number is for `fit` to refuse

    # ---- fitting ---------------------------------------------------------------------------------------------------------------

    def _fit_mixture(self, data: Data) -> Self:
        self._check_device(data.X)
        again = self.warm_start and hasattr(self, "lower_bounds_") and self.n_experts in ("auto", self.n_experts_)
        again = again and self._reads == self._read_now()
        for told in ("_chosen_mixing", "mixing_path_"):
            self.__dict__.pop(told, None)
        if self.n_experts != "auto":
            self.n_experts_ = int(self.n_experts)
            for told in ("selection_path_", "selection_"):
                self.__dict__.pop(told, None)
        elif not again:
            again = choose_n_experts(self, data)
        converged = self._fit_parts(data, again=again)
        self.load_ = self._load(data)
        self.lower_bound_ = self.lower_bounds_[-1]
        self.n_iter_ = max(len(self.lower_bounds_) - 1, 1)
        self.converged_ = converged
        self._reads = self._read_now()
        self._begin_stream(float(namespace(data.sample_weight).sum(data.sample_weight)))
        if "auto" in (self.routing, self.combination):
            self._chosen_mixing, self.mixing_path_ = choose_mixing(self, data)
        self._settle_beside(data.sample_weight)
        if not converged:
            warnings.warn(
                f"The mixture did not converge in max_iter={self.max_iter} steps; raise max_iter, tol or alpha.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return self

    def _fit_parts(self, data: Data, *, again: bool) -> bool:
        """Fit ``n_experts_`` experts and their gate, from random starts or again from the present ones; tell whether it converged."""
        gate, experts = self._make_gate(), self._make_experts()
        if isinstance(experts, BoostedExperts):
            return self._grow(data, gate, experts)
        if again:
            self._resume(data, gate, experts)
        if self.optimizer != "em" and isinstance(gate, LinearGate) and isinstance(experts, LinearBank):
            return self._climb(data, gate, experts, again)
        if self.optimizer in _STOCHASTIC:
            raise ValueError(f"optimizer={self.optimizer!r} fits linear gates and experts only; use optimizer='auto' for these.")
        return self._alternate(data, gate, experts, again)

    def _read_now(self) -> tuple[Any, ...]:
        """Columns of table, gate and experts: coefficients of others are no start."""
        return self.n_features_in_, repr(self.gate_columns_), repr(self.expert_columns_)

    def _resume(self, data: Data, gate: Gate, experts: ExpertBank) -> None:
        """Bring gate and experts of the last fit to this table, where they are of another kind or remember the rows of their own."""
        if same_gate := type(self.gate_) is type(gate):
            self.gate_ = _set_as(gate, self.gate_)
        if same_gate and type(self.experts_) is type(experts) and not isinstance(experts, EstimatorExperts):
            self.experts_ = _set_as(experts, self.experts_)
            return
        log_joint = self.gate_.log_proba(data.X_gate) + self.experts_.log_likelihood(data.X, data.y)
        state = begin(self.gate_ if same_gate else gate, experts, data, posterior(log_joint)[1])
        self.gate_, self.experts_ = state.gate, state.experts

    def _climb(self, data: Data, gate: LinearGate, experts: LinearBank, again: bool) -> bool:
        """Linear gate and experts: climb the marginal likelihood itself."""
        whole = self._placed(self._problem(data, gate, experts))
        tol = float(np.sqrt(self.tol)) / 10  # curvature is near one: a gradient g leaves about g ** 2 / 2 to gain
        if self.optimizer in _STOCHASTIC:
            solution = self._ascend(whole, again)
        elif again:
            start = whole.parameters(self._present(whole.design))
            solution = maximise(whole, start, max_iter=self.max_iter, tol=tol)
        else:
            rows = thin(data.X, data.y)
            part = whole if rows is None else self._placed(self._problem(part_of(data, rows), gate, experts))
            rng = np.random.default_rng(self._seed)
            n_init = self._n_starts("linear")
            solution = best_of_starts(whole, part, n_init=n_init, max_iter=self.max_iter, tol=tol, rng=rng, annealing=self.annealing)
        self._take_over(whole, solution, gate, experts)
        return solution.converged

    def _ascend(self, whole: LinearMixture, again: bool) -> Solution:
        """Batch by batch from one random start."""
        rng = np.random.default_rng(self._seed)
        start = depart(whole, one_expert_each(whole), rng)
        if again:
            start = whole.parameters(self._present(whole.design))
        stepper = Stepper(self.optimizer, self.learning_rate)
        return ascend(whole, start, stepper, batch_size=self.batch_size, max_iter=self.max_iter, tol=self.tol, rng=rng)

    def _settle_beside(self, rows: Any) -> None:
        """Leave what was fitted in the library and on the device of the table, as scikit-learn's estimators do."""
        if isinstance(rows, np.ndarray):
            return

        def bring(array: NDArray[Any]) -> Any:
            return beside(array, rows)

        for name in ("gate_", "experts_", "load_", "success_", "_given", "_earned"):
            if hasattr(self, name):
                setattr(self, name, _estimator_with_converted_arrays(getattr(self, name), bring))

    def _problem(self, data: Data, gate: LinearGate, experts: LinearBank) -> LinearMixture:
        family, targets = experts.start(data.y, data.sample_weight)
        return LinearMixture(
            make_design(data.X, data.sample_weight),
            family,
            targets,
            n_experts=self.n_experts_,
            alpha=experts.alpha,
            gate_alpha=gate.strength,
            gate_columns=self.gate_columns_ if gate.reads is None else gate.reads,
            expert_columns=experts.reads,
        )

    def _placed(self, problem: LinearMixture) -> LinearMixture:
        """Let a GPU evaluate the likelihood and its gradient, where it was asked for."""
        Z = problem.design.Z
        if devices.resolve(self.device) == "cpu" or not isinstance(Z, np.ndarray):  # an array of another library stays where it is
            return problem
        floor = getattr(problem.family, "floor", None)
        weight = problem.design.sample_weight
        try:
            problem.on_device = devices.marginal_likelihood(Z, problem.targets, weight, n_experts=problem.n_experts, variance_floor=floor)
        except MemoryError:
            if self.device == "cuda":
                raise
        return problem

    def _check_device(self, X: Any) -> None:
        if self.device == "cuda" and not (self._linear and self.optimizer == "auto" and isinstance(X, np.ndarray)):
            raise ValueError(
                "device='cuda' fits softmax or constant gates with logistic or linear experts, by optimizer='auto', to dense NumPy tables. "
                "Use device='cpu' or 'auto' for others; pack(model).to_gpu() answers on a GPU for all."
            )

    def _take_over(self, whole: LinearMixture, solution: Solution, gate: LinearGate, experts: LinearBank) -> None:
        W, cut = whole.coefficients(solution.theta), self.n_experts_ - 1
        contrasts, intercepts = whole.design.raw_coefficients(W[:, :cut])
        columns = slice(None) if self.gate_columns_ is None else self.gate_columns_
        self.gate_ = gate.set_contrasts(contrasts[:, columns], intercepts)
        self.experts_ = experts.set_predictors(whole.design, W[:, cut:], self.n_experts_)
        self.lower_bounds_ = [(value - experts.log_unit) * whole.total_weight for value in solution.values]
        for step, bound in enumerate(self.lower_bounds_):
            self._say(step, bound)

    def _present(self, design: Design) -> Float:
        """Coefficients of the last fit on the columns of a new design."""
        narrow, intercepts = self.gate_.contrasts()
        contrasts = np.zeros((intercepts.size, design.n_features))
        contrasts[:, slice(None) if self.gate_columns_ is None else self.gate_columns_] = narrow
        return np.hstack([design.standardised_coefficients(contrasts, intercepts), self.experts_.predictors(design)])

    def _grow(self, data: Data, gate: Gate, experts: BoostedExperts) -> bool:
        """Boosted experts and their gate move together, round by round."""
        grown = experts.grow(
            data.X,
            data.y,
            data.sample_weight,
            gate,
            n_experts=self.n_experts_,
            n_classes=self._n_classes,
            rng=np.random.default_rng(self._seed),
            X_gate=data.X_gate,
        )
        self.gate_, self.experts_, self.lower_bounds_ = grown.gate, grown.experts, grown.log_likelihoods
        for step, bound in enumerate(self.lower_bounds_):
            self._say(step, bound)
        return True

    def _alternate(self, data: Data, gate: Gate, experts: ExpertBank, again: bool) -> bool:
        """Run EM: short runs from every start, then one long run of the best."""
        best = e_step(self.gate_, self.experts_, data) if again else self._best_start(data, gate, experts)
        found = run(best, data, max_iter=self.max_iter, tol=self.tol, report=self._report)
        if found.fell:
            warnings.warn(
                "The penalised log-likelihood fell: the M-step of the gate or of an expert does not climb it. "
                f"The best iterate is kept, with lower_bound_={found.state.lower_bound:.6g}.",
                ConvergenceWarning,
                stacklevel=5,
            )
        alike = self.expert_columns_ is None and not isinstance(self.experts, (list, tuple))
        revived, met = revive(found.state, data, max_iter=self.max_iter, tol=self.tol, alike=alike)
        self.gate_, self.experts_ = revived.gate, revived.experts
        self.lower_bounds_ = found.lower_bounds
        if revived is not found.state:
            self.lower_bounds_ = [*found.lower_bounds, revived.lower_bound]
            self._say(len(found.lower_bounds), revived.lower_bound, "  idle experts began anew")
            return met
        return found.converged or found.fell

    def _best_start(self, data: Data, gate: Gate, experts: ExpertBank) -> EMState:
        rng = np.random.default_rng(self._seed)
        design = make_design(data.X_gate, data.sample_weight)
        if self.n_experts_ == 1:
            return begin(gate, experts, data, beside(np.ones((data.y.shape[0], 1)), data.sample_weight))
        if isinstance(experts, EstimatorExperts):
            return begin(gate, experts, data, self._first_responsibilities(data, design, experts, rng))
        states = []
        for _ in range(self._n_starts("other")):
            responsibilities = random_gate(design.Z[:, :-1], data.sample_weight, self.n_experts_, rng)
            state = begin(gate, experts, data, responsibilities)
            states.append(run(state, data, max_iter=_SHORT_RUN, tol=self.tol, sharpness=self.annealing).state)
        best = max(states, key=lambda state: state.lower_bound)
        return e_step(best.gate, best.experts, data) if self.annealing < 1 else best

    def _first_responsibilities(self, data: Data, design: Design, experts: EstimatorExperts, rng: np.random.Generator) -> Float:
        """Costly experts begin from the regions that a mixture of linear experts finds; frozen ones from their own likelihood."""
        if not experts.learns:
            fitted = copy(experts).fit(data.X, data.y, np.full((data.y.shape[0], self.n_experts_), 1.0), data.sample_weight)
            return posterior(fitted.judge(data.X, data.y))[1]
        bank: LinearBank = LinearExperts() if experts.classes is None else LogisticExperts(experts.classes.size)
        family, targets = bank.start(data.y, data.sample_weight)
        problem = LinearMixture(design, family, targets, n_experts=self.n_experts_, alpha=1.0)
        rows = thin(data.X_gate, data.y)
        part = (
            problem
            if rows is None
            else LinearMixture(
                make_design(data.X_gate[rows], data.sample_weight[rows]), family, targets[:, rows], n_experts=self.n_experts_, alpha=1.0
            )
        )
        found = best_of_starts(problem, part, n_init=self._n_starts("linear"), max_iter=100, tol=1e-3, rng=rng)
        return posterior(problem.log_joint(found.theta).T)[1]

    def _n_starts(self, kind: str) -> int:
        return _STARTS[kind] if self.n_init == "auto" else int(self.n_init)

    def _load(self, data: Data) -> Float:
        """Share of the training rows that each expert answers for; those that answer for none are named in a warning."""
        log_joint = self.gate_.log_proba(data.X_gate) + self.experts_.judge(data.X, data.y)
        responsibilities = posterior(log_joint)[1]
        rows = on_host(data.sample_weight @ responsibilities)
        idle = idle_experts(responsibilities, data.sample_weight)
        if idle.size:
            warnings.warn(
                f"Experts {idle.tolist()} answer for less than a hundredth of a row: n_experts={self.n_experts_ - idle.size} would do.",
                UserWarning,
                stacklevel=4,
            )
        return rows / rows.sum()

    def _report(self, step: int, state: EMState, info: EMInfo) -> None:
        self._say(step, state.lower_bound, f"  load {np.array2string(info.load, precision=3)}")

    def _say(self, step: int, bound: float, more: str = "") -> None:
        if self.verbose:
            print(f"step {step}: penalised log-likelihood {bound:.6f}{more}")  # noqa: T201 (asked for by verbose)

    @property
    def _seed(self) -> int:
        """A fresh generator's seed: the same for every fit where random_state is a number."""
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _chance_of(self, part: str) -> np.random.Generator:
        """Seeds for a part that draws by itself, others than those of the starts and of the other part."""
        return np.random.default_rng([self._seed, *part.encode()])

    # ---- answering -------------------------------------------------------------------------------------------------------------

    def _check_rows(self, X: Any) -> Any:
        check_is_fitted(self)
        self._check_mixing()
        if self._linear:
            check_same_namespace(X, self, attribute="success_", method="predict")
        return self._table(X, reset=False)

    def _check_mixing(self) -> None:
        """Check, at little cost, what may be set after a fit."""
        top_k, limit = self.top_k, self.threshold
        known = self.routing in ("auto", *routes.ROUTINGS) and self.combination in ("auto", *COMBINATIONS)
        if not (known and (top_k is None or (isinstance(top_k, Integral) and top_k > 0)) and isinstance(limit, Real) and 0 <= limit <= 1):
            self._validate_params()

    def gate_proba(self, X: Any) -> Float:
        """Probability that the gate gives each expert, before any routing.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        return self._gate_proba(self._check_rows(X))

    def _gate_proba(self, X: Any) -> Float:
        log_proba = self.gate_.log_proba(self._gate_view(X))
        return namespace(log_proba).exp(log_proba)

    @property
    def routing_(self) -> str:
        """Routing in force: the parameter, or what fit chose."""
        return self._mixing("routing").routing if self.routing == "auto" else self.routing

    @property
    def top_k_(self) -> int | None:
        """Number of experts in force: the parameter, or what fit chose."""
        return self._mixing("routing").top_k if self.routing == "auto" else self.top_k

    @property
    def combination_(self) -> str:
        """Combination in force: the parameter, or what fit chose."""
        return self._mixing("combination").combination if self.combination == "auto" else self.combination

    def _mixing(self, parameter: str) -> Mixing:
        chosen_mixing = vars(self).get("_chosen_mixing")
        if chosen_mixing is None or getattr(chosen_mixing, parameter) is None:
            raise AttributeError(f"{parameter}='auto' is settled by fit: fit (again), or set another one.")
        made: Mixing = chosen_mixing
        return made

    def _shares(self, X: Any) -> Float:
        """Share of each expert in each row's answer, after routing."""
        proba = self._gate_proba(X)
        routing, top_k = self.routing_, self.top_k_
        k = self.n_experts_ if top_k is None else min(top_k, self.n_experts_)
        if routing == "top_k":
            return routes.top_k(proba, k if top_k is not None else 1)
        if routing == "threshold":
            return routes.threshold(proba, self.threshold)
        if routing == "random":
            return routes.random(proba, k if top_k is not None else 1, uniform(row_hash(X), self.n_experts_, self._seed))
        if routing == "feedback":
            return routes.top_k(routes.feedback(proba, self.success_), k)
        return proba

    def route(self, X: Any) -> NDArray[np.intp]:
        """Return the indices of the experts that run for each row, the one that counts most first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of int of shape (n_samples, n_running)
            As many columns as the row with most experts has; shorter rows end in -1.
        """
        shares = on_host(self._shares(self._check_rows(X)))
        order = np.argsort(-shares, axis=1, kind="stable")
        running = np.where(np.take_along_axis(shares, order, axis=1) > 0, order, -1)
        return running[:, : int((shares > 0).sum(axis=1).max(initial=1))]

    def _mixed(self, X: Any, n_outputs: int) -> Float:
        """Sum over the experts that run of share times answer, or of share times log-answer for ``"product"``."""
        shares = self._shares(X)
        counts = shares_that_count(shares, self.combination_)
        xp = namespace(shares)
        mixed: Float = beside(np.zeros((shares.shape[0], n_outputs)), shares)
        for k in range(self.n_experts_):
            count = counts[:, k][:, None]
            if xp.all(runs := shares[:, k] > 0):
                mixed += count * self._contribution(self.experts_.predict_one(X, k), k)
            elif xp.any(runs):
                part = _safe_indexing(X, rows := xp.nonzero(runs)[0])
                mixed[runs] += xp.take(count, rows, axis=0) * self._contribution(self.experts_.predict_one(part, k), k)
        return mixed

    def _contribution(self, answers: Float, k: int) -> Float:  # noqa: ARG002 (a regressor weighs by the expert's precision)
        if self.combination_ != "product":
            return answers
        with np.errstate(divide="ignore"):
            logs: Float = namespace(answers).log(answers)
            return logs

    def _posterior(self, X: Any, y: NDArray[Any]) -> tuple[Float, Float]:
        return posterior(self.gate_.log_proba(self._gate_view(X)) + self.experts_.log_likelihood(X, y))

    def tune_routing(self, X: Any, y: Any, *, max_cost: float, costs: Any = None, sample_weight: Any = None) -> RoutingPath:
        """Set the routing that loses least within a budget, by rows that were not fitted.

        Every top-k and a range of thresholds are tried. The parameters ``routing``, ``top_k`` and ``threshold`` are set to the best that
        the budget allows, as if by ``set_params``: predictions follow them from now on, and clones keep them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Held-out rows.
        y : array-like of shape (n_samples,)
            Their answers.
        max_cost : float
            Budget: mean cost of the experts that run for a row.
        costs : array-like of shape (n_experts,) or None, default=None
            Cost of each expert in any unit, such as node visits; ones when None, so that the budget is a number of experts.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative.

        Returns
        -------
        RoutingPath
            All routings tried, with cost and loss (log-loss in nats, or squared error), and the chosen one.

        Raises
        ------
        ValueError
            When the budget allows no routing, or costs are negative or not one for each expert.
        TypeError
            When the budget is no number.

        Examples
        --------
        >>> from ensemblekit import MixtureOfExpertsClassifier
        >>> X = np.random.default_rng(0).normal(size=(400, 2))
        >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
        >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X[:200], y[:200])
        >>> path = model.tune_routing(X[200:], y[200:], max_cost=1.0)
        >>> path.chosen.cost, model.routing, model.top_k
        (1.0, 'top_k', 1)
        """
        X = self._check_rows(X)
        targets, weight = self._targets(y, X), on_host(self._weights(sample_weight, X))
        path = routing_path(self, X, targets, weight, max_cost=max_cost, costs=costs)
        best = path.chosen
        self.set_params(routing=best.routing, top_k=best.top_k, threshold=self.threshold if best.threshold is None else best.threshold)
        return path
