r"""Boosted experts: gradient-boosted trees for every expert, grown together on the likelihood of the mixture.

With responsibilities :math:`r_{ik}` the gradient of the mixture's log-likelihood in the scores of expert k is :math:`r_{ik}` times that
of the expert's own (Jordan and Jacobs, 1994). So each round grows one tree for every expert, and class, on its share of every row; the
gate is refitted now and then; and the responsibilities follow. Three things keep trees, which can learn any row by heart, honest:

- Responsibilities, standard deviations and the number of rounds rest on copies of experts and gate that did not see the row.
- Responsibilities are tempered, :math:`r_{ik} \propto g_k(x_i)\, p_k(y_i \mid x_i)^\beta` (Ueda and Nakano, 1998). At :math:`\beta = 1`
  experts of a noisy class divide rows by their answers, and one expert alone answers badly; at :math:`\beta = 0` they divide them by
  the gate alone, and a row on the wrong side of a border spoils an expert. A little goes a long way where regimes differ clearly.
- Rows that are equal are merged and nothing is drawn per row: a row of weight two is two rows.

References
----------
M. I. Jordan and R. A. Jacobs (1994). Hierarchical mixtures of experts and the EM algorithm. Neural Computation 6(2), 181-214.
J. H. Friedman (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29(5), 1189-1232.
N. Ueda and R. Nakano (1998). Deterministic annealing EM algorithm. Neural Networks 11(2), 271-282.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from ensemblekit.mixture.contracts import Float, Gate
from ensemblekit.mixture.experts.boosting_copies import Copies, make_copies
from ensemblekit.mixture.experts.boosting_growth import Division, GivenShares, Pace, Task, grow_in_lockstep
from ensemblekit.mixture.experts.boosting_losses import ClassLoss, Loss, NormalLoss, class_probabilities
from ensemblekit.mixture.experts.boosting_start import first_responsibilities
from ensemblekit.mixture.experts.lockstep import bins, exponents
from ensemblekit.mixture.experts.normal import normal_log_density
from ensemblekit.mixture.gates.classifier import ClassifierGate
from ensemblekit.mixture.gates.constant import ConstantGate
from ensemblekit.mixture.start import fold_of

#: Rows up to which every row is held out from some copy by default; beyond, one fold is enough to judge by.
_CROSS_FIT_ROWS = 10_000
#: Penalty of a gate that leaves it open. In regression answers show the regime: on generated tables any blur of a sharp border cost far
#: more than a steep gate did elsewhere. A class shows little of it, and there a weaker penalty lets the gate follow chance.
_GATE_ALPHA = {"regression": 1e-3, "classification": 1.0}


class Grown(NamedTuple):
    """A fitted mixture of boosted experts.

    Parameters
    ----------
    gate : Gate
    experts : BoostedExperts
    log_likelihoods : list of float
        Of the training rows, summed over weights, before the first round and after each round that is kept.
    n_rounds : int
        Rounds that are kept, those of a shared base not among them.
    held_out : list of float or None
        Mean log-likelihood of rows that were held out, before the first round and after each round that was tried; None where early
        stopping is off.
    """

    gate: Any
    experts: BoostedExperts
    log_likelihoods: list[float]
    n_rounds: int
    held_out: list[float] | None


class BoostedExperts(BaseEstimator):
    """A bank of gradient-boosted experts in one LightGBM booster.

    Parameters have LightGBM's names and meaning. A row counts in a leaf by its responsibility: ``min_child_weight`` limits the sum of
    curvatures, which for regression is the number of rows an expert answers for, and for classes about a quarter of it at most. The
    defaults were chosen on generated tables, for good answers at few node visits a row.

    Parameters
    ----------
    n_estimators : int, default=500
        Rounds at most, of the shared base and of the experts each.
    learning_rate : float, default=0.2
    num_leaves : int, default=15
    max_depth : int, default=-1
    min_child_samples : int, default=1
        Different rows in a leaf, whoever answers for them.
    min_child_weight : float, default=1.0
    subsample : float, default=0.8
        Share of the rows that each round reads, drawn anew.
    colsample_bytree : float, default=0.8
        Share of the columns that each tree reads.
    reg_lambda : float, default=2.0
        Curvature that is added to every leaf's.
    max_bin : int, default=255
    shared : bool or int, default=False
        Rounds of a boosted base under all experts, which is grown first; True for as many as its own early stopping allows. Experts
        then hold only what sets them apart: good where regimes share most of their structure, or there may be none.
    early_stopping_rounds : int or None, default=30
        End when held-out rows have not gained for so many rounds, and keep the best; None for all ``n_estimators`` rounds.
    validation_fraction : float, default=0.2
        Share of the rows held out at a time, rounded to one over a whole number. Rows are chosen by their content. The experts and the gate
        that stay learn from all rows: held-out rows are judged by copies.
    cross_fit : bool or "auto", default="auto"
        Hold every row out in turn, with a copy of experts and gate for each part; else only the first part, with one copy, and the other
        rows are judged by experts that know them. "auto" does so up to 10,000 rows.
    tempering : float, default=0.25
        Power of the likelihood in the responsibilities that teach the experts, from 0, by the gate alone, to 1, as in EM.
    gate_every : int, default=5
        Rounds between two fits of the gate.
    n_init : int, default=10
        Starts of the small mixture that gives the first responsibilities.
    n_jobs : int, default=1
        LightGBM's threads.

    Attributes
    ----------
    boosters_ : list of lightgbm.Booster or None
        One for each expert; an expert's scores are the sum of its raw predictions, those of the shared base and ``base_``. None where
        no round was worth keeping.
    shared_booster_ : lightgbm.Booster or None
    base_ : ndarray of shape (n_experts, n_scores)
        With two classes there is one score, the logit of the second; with C > 2 there are C; in regression one.
    n_classes_ : int or None
        None for regression.
    exponents_ : ndarray of int of shape (n_features,)
        Powers of two by which columns are multiplied for LightGBM: zeros, but for columns of very small or very large cells.
    location_, unit_ : float
        Regression: an expert's mean is ``location_ + unit_ * score``.
    deviation_ : ndarray of shape (n_experts,)
        Regression: standard deviation of each expert's answers, from held-out rows; at least a thousandth of that of all answers.
    judged_ : ndarray of shape (n_samples, n_experts)
        Log-density of the training answers, by experts that did not see them where rows are held out.

    Examples
    --------
    >>> import numpy as np
    >>> from ensemblekit.mixture.gates.softmax import SoftmaxGate
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = np.where(X[:, 0] > 0, 5 + X[:, 1], -5 - X[:, 1]) + 0.1 * rng.normal(size=400)
    >>> bank = BoostedExperts(n_estimators=100)
    >>> grown = bank.grow(X, y, np.ones(400), SoftmaxGate(alpha=0.01), n_experts=2, n_classes=None, rng=rng)
    >>> shares = np.exp(grown.gate.log_proba(X))
    >>> mean = np.sum(shares * grown.experts.predict(X)[:, :, 0], axis=1)
    >>> bool(np.median(np.abs(mean - y)) < 0.2)
    True
    """

    def __init__(
        self,
        *,
        n_estimators: int = 500,
        learning_rate: float = 0.2,
        num_leaves: int = 15,
        max_depth: int = -1,
        min_child_samples: int = 1,
        min_child_weight: float = 1.0,
        subsample: float = 0.8,
        colsample_bytree: float = 0.8,
        reg_lambda: float = 2.0,
        max_bin: int = 255,
        shared: bool | int = False,
        early_stopping_rounds: int | None = 30,
        validation_fraction: float = 0.2,
        cross_fit: bool | str = "auto",
        tempering: float = 0.25,
        gate_every: int = 5,
        n_init: int = 10,
        n_jobs: int = 1,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_child_samples = min_child_samples
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.shared = shared
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.cross_fit = cross_fit
        self.tempering = tempering
        self.gate_every = gate_every
        self.n_init = n_init
        self.n_jobs = n_jobs

    # ---- fitting ---------------------------------------------------------------------------------------------------------------

    def grow(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: Float,
        gate: Gate,
        *,
        n_experts: int,
        n_classes: int | None,
        rng: np.random.Generator,
        X_gate: Any = None,
    ) -> Grown:
        """Grow experts and fit the gate between rounds.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            What the experts see; NaN is a missing value.
        y : ndarray of shape (n_samples,)
            Class codes 0 .. n_classes - 1, or finite numbers.
        sample_weight : ndarray of shape (n_samples,)
            Positive.
        gate : Gate
            Not fitted; it is left as it is. Where it has ``alpha=None``, its penalty is 1 for classes and 0.001 in regression.
        n_experts : int
        n_classes : int or None
            None for regression.
        rng : numpy.random.Generator
            Draws the starts, and rows and columns where a round reads only some.
        X_gate : ndarray of shape (n_samples, n_gate_features) or None
            What the gate sees, a function of ``X``; None for ``X``.

        Returns
        -------
        Grown
            With a fitted copy of this bank.

        Raises
        ------
        ImportError
            Without LightGBM.
        ValueError
            When the gate would see a missing value and cannot read it.
        """
        X_gate = X if X_gate is None else X_gate
        check_gate_view(gate, X_gate)
        if getattr(gate, "alpha", 0.0) is None:
            gate = copy(gate)
            gate.alpha = _GATE_ALPHA["classification" if n_classes else "regression"]  # type: ignore[attr-defined]
        table, place = _merge(X, X_gate, y, sample_weight)
        start = np.ones((table.y.size, 1))
        if n_experts > 1:
            start = first_responsibilities(*table, n_experts=n_experts, n_classes=n_classes, n_init=self.n_init, rng=rng)
        grown = self._grow(table, gate, start, self.tempering, n_classes, int(rng.integers(2**31)))
        grown.experts.judged_ = grown.experts.judged_[place]
        return grown

    def fit(self, X: Any, y: NDArray[Any], responsibilities: Float, sample_weight: Float) -> Self:
        """Fit the experts to given responsibilities, which stay as they are.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class codes, whole numbers, or real answers.
        responsibilities : ndarray of shape (n_samples, n_experts)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        n_classes = int(y.max()) + 1 if np.issubdtype(y.dtype, np.integer) else None
        table = _Table(X, responsibilities, y, sample_weight)
        fitted = self._grow(table, GivenShares(), responsibilities, 0.0, n_classes, seed=0)
        for name, value in vars(fitted.experts).items():
            setattr(self, name, value)
        return self

    def _grow(self, table: _Table, gate: Gate, start: Float, tempering: float, n_classes: int | None, seed: int) -> Grown:
        bank = copy(self)
        bank.n_classes_, bank.n_features_in_ = n_classes, table.X.shape[1]
        bank.location_, bank.unit_ = (0.0, 1.0) if n_classes else _location_and_unit(table.y, table.weight)
        loss: Loss = ClassLoss(table.y, n_classes) if n_classes else NormalLoss((table.y - bank.location_) / bank.unit_)
        parameters = self._parameters(seed, table.y.size)
        bank.exponents_ = exponents(table.X)
        task = Task(loss, bins(bank._readable(table.X), parameters), parameters, self._copies(table), table.weight)
        division = Division(gate, table.X_gate, task.copies, start, tempering)
        if self.shared:
            scores = bank._grow_shared(task, table, division.n_experts)
        else:
            bank.shared_booster_, bank.base_ = None, loss.begin(division.teaching, table.weight)
            scores = bank.base_[None, :, :, None]
        track = grow_in_lockstep(task, division, scores, self._pace(self.n_estimators, self.early_stopping_rounds))
        bank.boosters_ = track.parts()
        if n_classes is None:
            bank.deviation_ = track.best.spread * bank.unit_
        log_unit = float(np.log(bank.unit_))
        bank.judged_ = loss.log_density(task.copies.held_out(track.best.scores), track.best.spread).T - log_unit
        kept = track.log_likelihoods[: track.best.n_rounds + 1]
        return Grown(
            gate=track.best.gate,
            experts=bank,
            log_likelihoods=[value - log_unit * float(table.weight.sum()) for value in kept],
            n_rounds=track.best.n_rounds,
            held_out=None if self.early_stopping_rounds is None else [value - log_unit for value in track.held_out],
        )

    def _grow_shared(self, task: Task, table: _Table, n_experts: int) -> Float:
        """Grow the base under all experts, and return the scores from which they set out, all alike."""
        everyone = np.ones((table.y.size, 1))
        alone = Division(ConstantGate(), table.X_gate, task.copies, everyone, tempering=0.0)
        begin = task.loss.begin(everyone.T, table.weight)
        pace = self._pace(self.n_estimators, self.early_stopping_rounds) if self.shared is True else self._pace(int(self.shared), None)
        track = grow_in_lockstep(task, alone, begin[None, :, :, None], pace)
        (self.shared_booster_,) = track.parts()
        self.base_ = np.tile(begin, (n_experts, 1))
        return np.tile(track.best.scores, (1, n_experts, 1, 1))

    def _pace(self, n_rounds: int, patience: int | None) -> Pace:
        # by then experts have gone most of the way from their common beginning
        return Pace(n_rounds, patience, warm_up=int(np.ceil(1 / self.learning_rate)), gate_every=self.gate_every)

    def _copies(self, table: _Table) -> Copies:
        n_folds = max(2, round(1 / self.validation_fraction))
        every = table.y.size <= _CROSS_FIT_ROWS if self.cross_fit == "auto" else bool(self.cross_fit)
        n_held_out = 0 if self.early_stopping_rounds is None and not every else n_folds if every else 1
        return make_copies(table.X, table.y, table.weight, n_folds=n_folds, n_held_out=n_held_out)

    def _parameters(self, seed: int, n_rows: int) -> dict[str, Any]:
        """LightGBM's parameters; bins and trees must not depend on anything but the rows and the seed."""
        subsample = self.subsample if self.subsample * n_rows >= 1 else 1.0
        return {
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "max_depth": self.max_depth,
            "min_data_in_leaf": self.min_child_samples,
            "min_sum_hessian_in_leaf": self.min_child_weight,
            "bagging_fraction": subsample,
            "bagging_freq": int(subsample < 1),
            "feature_fraction": self.colsample_bytree,
            "lambda_l2": self.reg_lambda,
            "max_bin": self.max_bin,
            "min_data_in_bin": 1,
            "feature_pre_filter": False,
            "num_threads": self.n_jobs,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    # ---- answering -------------------------------------------------------------------------------------------------------------

    def log_likelihood(self, X: Any, y: NDArray[Any]) -> Float:
        """Natural log-density of each answer under each expert, (n_samples, n_experts)."""
        answers = self.predict(X)
        if self.n_classes_ is None:
            return normal_log_density(y[:, None], answers[:, :, 0], self.deviation_)
        proba = np.take_along_axis(answers, y[:, None, None], axis=2)[:, :, 0]
        return np.log(np.maximum(proba, np.finfo(float).tiny))

    def judge(self, X: Any, y: NDArray[Any]) -> Float:  # noqa: ARG002 (the rows are those just fitted)
        """Log-density of the rows just fitted, by experts that did not see them where rows are held out."""
        return self.judged_

    def predict(self, X: Any) -> Float:
        """Each expert's class probabilities, (n_samples, n_experts, n_classes), or means, (n_samples, n_experts, 1)."""
        common = self._raw(self.shared_booster_, X)
        return np.stack([self._answer(X, k, common) for k in range(len(self.boosters_))], axis=1)

    def predict_one(self, X: Any, k: int) -> Float:
        """Answers of expert ``k`` alone, (n_samples, n_outputs); the trees of the others are not read."""
        return self._answer(X, k, self._raw(self.shared_booster_, X))

    def _answer(self, X: Any, k: int, common: Float) -> Float:
        scores = self.base_[k] + common + self._raw(self.boosters_[k], X)
        return self.location_ + self.unit_ * scores if self.n_classes_ is None else class_probabilities(scores)

    def _raw(self, booster: Any, X: Any) -> Float:
        shape = X.shape[0], self.base_.shape[1]
        if booster is None or X.shape[0] == 0:
            return np.zeros(shape)
        raw: Float = booster.predict(self._readable(X), raw_score=True, num_threads=self.n_jobs).reshape(shape)
        return raw

    def _readable(self, X: Any) -> Any:
        return np.ldexp(X, self.exponents_) if self.exponents_.any() else X

    def penalty(self) -> float:
        """Zero: trees are held back by their number and size."""
        return 0.0


def check_gate_view(gate: Any, X_gate: Any) -> None:
    """Refuse missing values that a gate cannot read; trees can.

    Parameters
    ----------
    gate : Gate, classifier or name of a gate
        A classifier's tags say whether it reads NaN; other gates do not.
    X_gate : ndarray of shape (n_samples, n_gate_features)

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> check_gate_view(HistGradientBoostingClassifier(), np.array([[np.nan]]))
    >>> check_gate_view("softmax", np.array([[np.nan]]))
    Traceback (most recent call last):
        ...
    ValueError: The gate cannot read NaN. Boosted experts can: choose complete columns for the gate by gate_features, ...
    """
    if not (reads_missing(gate) or np.isfinite(X_gate).all()):
        raise ValueError(
            "The gate cannot read NaN. Boosted experts can: choose complete columns for the gate by gate_features, "
            "or a classifier as gate that reads NaN, such as HistGradientBoostingClassifier, or impute."
        )


def reads_missing(gate: Any) -> bool:
    """Tell whether a gate reads NaN: classifiers do whose tags say so.

    Parameters
    ----------
    gate : Gate, classifier or name of a gate

    Returns
    -------
    bool

    Examples
    --------
    >>> reads_missing("softmax")
    False
    """
    estimator = gate.estimator if isinstance(gate, ClassifierGate) else gate
    return hasattr(estimator, "predict_proba") and bool(get_tags(estimator).input_tags.allow_nan)


class _Table(NamedTuple):
    """Rows of which no two are equal."""

    X: Any
    X_gate: Any
    y: NDArray[Any]
    weight: Float


def _merge(X: Any, X_gate: Any, y: NDArray[Any], sample_weight: Float) -> tuple[_Table, NDArray[np.intp]]:
    """Merge equal rows and add up their weights; also say where each row went.

    Histograms and folds then cannot tell two rows from a double; and rows are sorted by their content, so that the rows that a round reads
    do not depend on the order in which they came.
    """
    # with as many folds as rows every different row has a fold of its own
    _, rows, place = np.unique(fold_of(X, y, len(y)), return_index=True, return_inverse=True)
    order = np.lexsort((y[rows], fold_of(X[rows], np.zeros(rows.size), rows.size)))  # in which the unit of y plays no part
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    rows, place = rows[order], rank[place]
    return _Table(X[rows], X_gate[rows], y[rows], np.bincount(place, sample_weight).astype(np.float64)), place


def _location_and_unit(y: Float, sample_weight: Float) -> tuple[float, float]:
    largest = float(np.abs(y).max()) or 1.0
    share, scaled = sample_weight / sample_weight.sum(), y / largest  # so that no square overflows
    mean = float(share @ scaled)
    deviation = float(np.sqrt(share @ np.square(scaled - mean)))
    return mean * largest, deviation * largest or 1.0
