"""The mixture of experts for regression."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise
from scipy.special import ndtr, ndtri
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._array_api import _max_precision_float_dtype, get_namespace_and_device, move_to
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_y, check_consistent_length

from ensemblekit.mixture.combining import shares_that_count
from ensemblekit.mixture.contracts import Data, ExpertBank, Float
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.experts.linear import LinearExperts
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.streaming import StreamingMixture, fits_by_pieces


class MixtureOfExpertsRegressor(RegressorMixin, StreamingMixture):
    r"""Mixture of Gaussian experts with a learned gate.

    .. math:: p(y \mid x) = \sum_k g_k(x)\, N(y \mid \mu_k(x), \sigma_k^2)

    The answer is a whole distribution: its mean, its standard deviation, its quantiles and its density.

    Parameters
    ----------
    n_experts : int or "auto", default=4
        Number of experts K.
        "auto" tries ``min_experts`` and more until further ones are no use, and takes the number with the best ``selection``. Linear
        mixtures grow by splitting the expert that explains its rows worst and shrink by merging twins, each fit begun from its neighbour;
        others are fitted anew for each number. A list of experts, ``expert_features`` and a ``HierarchicalGate`` need a number.
    selection : {"bic", "icl", "cv"}, default="bic"
        What "auto" goes by. "bic": Bayesian information criterion; all coefficients and intercepts of gate and experts count, penalised
        ones too. "icl": the same plus twice the entropy of the responsibilities (Biernacki, Celeux and Govaert, 2000), for experts that
        divide the rows clearly. Both are for softmax and constant gates with experts given as a name of linear ones. "cv", for all:
        log-likelihood of held-out rows; the smallest number within one standard error of the best.
    min_experts, max_experts : int, default=1 and 8
        Range of "auto".
    experts : {"linear", "boosted"}, BoostedExperts, estimator or list of estimators, default="linear"
        A name: "boosted" grows gradient-boosted trees for all experts at once (extra ``boosting``), and a ``BoostedExperts`` object
        holds their settings; or a scikit-learn estimator, which is cloned for each expert; or a list of ``n_experts`` different ones.
        Boosted experts have their own ``n_init``, ``cross_fit`` and early stopping: they do not read those below, nor ``optimizer``,
        ``annealing``, ``max_iter``, ``tol`` and ``warm_start``. Estimators that cannot take ``sample_weight`` are fitted to weighted
        resamples, with a warning. With ``FrozenEstimator`` experts only the gate learns; see
        ``ensemblekit.mixture.frozen_experts`` for those of another mixture.
    gate : {"softmax", "gaussian", "constant"}, gate object or classifier, default="softmax"
        Kind of the gate: a name; an object out of ``ensemblekit.mixture.gates``, whose ``alpha=None`` means the mixture's; or a
        scikit-learn classifier, fitted to the responsibilities.
    gate_features : columns or None, default=None
        Columns that the gate reads: names, positions, a slice, a mask, a callable or ``make_column_selector``; None for all.
    expert_features : list of columns or None, default=None
        The same for each expert. With ``gate_features`` numeric and estimators as experts, other columns may be of any type.
    alpha : float or "auto", default="auto"
        L2 penalty on the coefficients of linear gates and experts for the raw columns, on the scale of the summed log-likelihood;
        intercepts are free. Experts' coefficients are measured in standard deviations of the answers. 0 is maximum likelihood.
        Columns on very different scales should be standardised before, as for any penalty. "auto" is 1, and 0.001 for the gate of
        boosted experts.
    optimizer : {"auto", "em", "sgd", "adam"}, default="auto"
        "em" alternates E- and M-steps throughout. "auto" does so too, except where gate and experts are linear: there it climbs the same
        penalised likelihood by quasi-Newton steps, whose gradient is made of the same responsibilities, and ends with Newton steps where
        exact curvature is cheap: it needs far fewer passes. "sgd" and "adam" go through the table in batches, from one random start;
        ``max_iter`` then counts passes.
    batch_size : int, default=256
        Rows of a batch.
    learning_rate : float, default=0.05
        Step length of "sgd", "adam" and :meth:`partial_fit`, in parameters in which curvature is near one.
    cross_fit : "auto", int or None, default="auto"
        Folds in which responsibilities are held out: an expert that can learn its rows by heart must not judge them. "auto" is 5
        for estimators other than linear ones, and none for the rest.
    routing : {"soft", "top_k", "threshold", "random", "feedback", "auto"}, default="soft"
        Which experts run for a row at prediction; may be set after fit. "soft": all. "top_k": the most probable ``top_k`` (default
        1). "threshold": those that reach ``threshold``. "random": ``top_k`` (default 1) drawn by the gate. "feedback": the gate,
        tilted by what :meth:`update_feedback` noted; with ``top_k``, its best. An expert that is routed away is not evaluated.
        "auto": the smallest top-k whose held-out squared error is within one standard error of the best's (Breiman et al., 1984). For
        this :meth:`fit` fits five times more, without a fifth of the rows each, or once from 10,000 rows on. See also
        :meth:`tune_routing`.
    top_k : int or None, default=None
    threshold : float, default=0.1
    combination : {"linear", "product", "additive", "auto"}, default="linear"
        How answers become one: the mixture itself, the mean weighted by share and precision (the product of the experts'
        densities), or the plain mean of those that ran. "auto": chosen as
        ``routing`` is, and with it; of those within one standard error the first in this order.
    n_init : "auto" or int, default="auto"
        Random starts; "auto" is 20 for linear mixtures, 10 where these choose their number of experts, and 5 for others. Each is
        followed for a few steps; the best go on. Estimators as experts begin from the regions that the best of so many linear
        mixtures finds.
    annealing : float, default=1.0
        Sharpness of the responsibilities in the first climbs of every start, in (0, 1]; 1 is none. Below it rows are shared more evenly at
        first (deterministic annealing; Ueda and Nakano, 1998). On generated mixtures of three experts 0.5 let more starts reach the best
        optimum of linear experts (63 % against 48 %) and fewer that of logistic ones (23 % against 29 %); smaller values harmed both.
    max_iter : int, default=1000
        Steps of the final run, at most.
    tol : float, default=1e-6
        The fit ends when a step can no longer raise the mean penalised log-likelihood by ``tol``: in EM by the rise of the last
        step, otherwise by the gradient.
    warm_start : bool, default=False
        Begin from the last fit instead of from random starts, also where ``experts`` or ``gate`` have changed since: frozen experts may be
        freed. With ``n_experts="auto"`` the number is kept.
    random_state : int, RandomState instance or None, default=None
        Draws the starts; a seed for the gate and for each expert that has a ``random_state`` of its own and left it at None; and the
        experts of ``routing="random"``, by what a row holds: with a number here it gets the same ones alone and in a batch. Nothing is
        drawn per row in fitting, so that a row of weight two equals two rows, and their order does not matter: up to rounding, which may
        choose between optima of much the same height. Exceptions are ``optimizer="sgd"`` and "adam", whose batches are drawn, and
        experts fitted to resamples.
    n_jobs : int or None, default=None
        Estimators fitted at a time.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where the likelihood and its gradient are evaluated in fitting. "cuda", with ``optimizer="auto"``, for softmax or constant gates and
        experts given as a name of linear ones: the table is copied to the GPU once. "auto" does so where there is a GPU and the mixture is
        such a one. To answer on a GPU, see ``ensemblekit.packed.pack``.
    verbose : int, default=0
        Print the penalised log-likelihood after every step.

    Attributes
    ----------
    n_experts_ : int
        Number of experts.
    selection_path_ : list of SelectionStep
        With ``n_experts="auto"``: ``n_experts``, ``loss`` (mean negative log-likelihood, held out for "cv"), ``n_parameters`` and
        ``criterion`` (the smaller the better) of every number that was tried.
    combination_, routing_, top_k_ : str, str, int or None
        Those in force: the parameters, or what "auto" chose.
    selection_ : {"bic", "icl", "cv"}
        Criterion of that path.
    mixing_path_ : list of MixingStep
        With "auto": ``combination``, ``top_k``, held-out ``loss`` (squared error) and its ``standard_error`` of all that was tried.
    gate_ : gate object
        A softmax gate has ``coef_`` (n_experts, n_features) and ``intercept_`` (n_experts,).
    experts_ : bank of experts
        With ``deviation_`` (n_experts,), the standard deviation of each expert's answers, at least a thousandth of that of all
        answers. Linear experts have ``coef_`` (n_experts, n_features) and ``intercept_`` (n_experts,); estimators are in ``estimators_``.
    load_ : ndarray of shape (n_experts,)
        Share of the training rows that each expert is responsible for.
    success_ : ndarray of shape (n_experts,)
        What :meth:`update_feedback` noted; ones after fit.
    lower_bound_ : float
        Penalised log-likelihood of the training rows, natural logarithm, summed over weights.
    lower_bounds_ : list of float
        Its value at the start of the final run and after every accepted step; never falls. For boosted experts: after every round, and it
        may fall where the gate moves to what held-out rows say.
    n_iter_ : int
        Steps of the final run.
    converged_ : bool
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where the columns have names that are all text.

    References
    ----------
    L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone (1984). Classification and regression trees. Wadsworth.
    C. Biernacki, G. Celeux and G. Govaert (2000). Assessing a mixture model for clustering with the integrated completed likelihood. IEEE
    Transactions on Pattern Analysis and Machine Intelligence 22(7), 719-725.
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton (1991). Adaptive mixtures of local experts. Neural Computation 3(1), 79-87.
    M. I. Jordan and R. A. Jacobs (1994). Hierarchical mixtures of experts and the EM algorithm. Neural Computation 6(2), 181-214.
    N. Ueda and R. Nakano (1998). Deterministic annealing EM algorithm. Neural Networks 11(2), 271-282.

    Examples
    --------
    Two lines that meet: one expert for each.

    >>> import numpy as np
    >>> from ensemblekit import MixtureOfExpertsRegressor
    >>> X = np.linspace(-2, 2, 200)[:, None]
    >>> y = np.abs(X).ravel() + 0.1 * np.random.default_rng(0).normal(size=200)
    >>> model = MixtureOfExpertsRegressor(n_experts=2, alpha=1e-3, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> mean, deviation = model.predict([[1.0]], return_std=True)
    >>> bool(abs(mean[0] - 1) < 0.1), bool(abs(deviation[0] - 0.1) < 0.05)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **StreamingMixture._parameter_constraints,
        "experts": [StrOptions({"linear", "boosted"}), HasMethods("fit"), list, tuple],
    }

    def __init__(
        self,
        n_experts: int | str = 4,
        *,
        selection: str = "bic",
        min_experts: int = 1,
        max_experts: int = 8,
        experts: Any = "linear",
        gate: Any = "softmax",
        gate_features: Any = None,
        expert_features: Any = None,
        alpha: float | str = "auto",
        optimizer: str = "auto",
        batch_size: int = 256,
        learning_rate: float = 0.05,
        cross_fit: Any = "auto",
        routing: str = "soft",
        top_k: int | None = None,
        threshold: float = 0.1,
        combination: str = "linear",
        n_init: Any = "auto",
        annealing: float = 1.0,
        max_iter: int = 1000,
        tol: float = 1e-6,
        warm_start: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
        device: str = "cpu",
        verbose: int = 0,
    ) -> None:
        self.n_experts = n_experts
        self.selection = selection
        self.min_experts = min_experts
        self.max_experts = max_experts
        self.experts = experts
        self.gate = gate
        self.gate_features = gate_features
        self.expert_features = expert_features
        self.alpha = alpha
        self.optimizer = optimizer
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.cross_fit = cross_fit
        self.routing = routing
        self.top_k = top_k
        self.threshold = threshold
        self.combination = combination
        self.n_init = n_init
        self.annealing = annealing
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit gate and experts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers. Linear gates and experts read sparse matrices too, and with scikit-learn's ``array_api_dispatch`` arrays of
            CuPy, PyTorch and other libraries: these are worked on where they are, and answers come back in the same library and device.
            Boosted experts read NaN, where the gate's columns are complete.
        y : array-like of shape (n_samples,)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative; None for equal weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a bad parameter, or weights that are negative or all zero.
        """
        given, X = X, self._table(X, reset=True)
        y = self._targets(y, X)
        weight = self._weights(sample_weight, X)
        self._resolve_columns(given if hasattr(given, "columns") else X)  # names are lost in checking
        counts = np.flatnonzero(on_host(weight) > 0)  # a row of weight zero is as good as not there
        rows = X if counts.size == X.shape[0] else _safe_indexing(X, beside(counts, weight))
        y, weight = take_rows(y, counts), take_rows(weight, counts)
        self._fit_mixture(Data(rows, self._gate_view(rows), y, weight))
        if isinstance(self.experts_, LinearExperts):
            self.experts_.bound_deviations(rows, y)
        return self

    @available_if(fits_by_pieces)
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from a further piece of a table, by one pass of stochastic gradient steps; for linear gates and experts.

        After :meth:`fit` it goes on from the fitted model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The first piece settles how columns are scaled: it should be typical.
        y : array-like of shape (n_samples,)
            The first piece settles their unit.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For columns of another number or name than before, NaN, infinity, or negative weights; if the number of experts was changed
            since, or gate or experts of the last fit are not linear; and, before a fit, for ``routing`` or ``combination`` "auto".

        See Also
        --------
        adapt_gate : which way to follow a stream, and when.
        """
        first = not hasattr(self, "gate_")
        given, X = X, self._table(X, reset=first)
        y = self._targets(y, X)
        weight = self._weights(sample_weight, X)
        if first:
            self._begin_by_pieces(given if hasattr(given, "columns") else X)  # names are lost in checking
        experts = self._make_experts() if first else self._going_on()
        return self._learn_batch(Data(X, self._gate_view(X), y, weight), self._make_gate(), experts)

    def _targets(self, y: Any, X: Any) -> Float:
        y = _check_y(y, y_numeric=True, estimator=self)
        check_consistent_length(X, y)
        xp, _, device = get_namespace_and_device(X)
        answers: Float = xp.astype(move_to(y, xp=xp, device=device), _max_precision_float_dtype(xp, device))
        return answers

    def _make_experts(self) -> ExpertBank:
        if self.experts == "boosted" or isinstance(self.experts, BoostedExperts):
            return self._make_boosted()
        if isinstance(self.experts, str):
            return LinearExperts(self._alpha, columns=self.expert_columns_)
        return self._make_estimators(None)

    def predict(self, X: Any, *, return_std: bool = False) -> Any:
        """Mean of the answer, and its standard deviation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False
            Return the standard deviation of the mixture too: of the experts that run, their own variances and the spread of their means.

        Returns
        -------
        mean : ndarray of shape (n_samples,)
        deviation : ndarray of shape (n_samples,)
            Only with ``return_std``.
        """
        X = self._check_rows(X)
        if return_std:
            shares, means = self._parts(X)
            xp = namespace(means)
            mean = xp.sum(shares * means, axis=1)
            square = xp.square(means - mean[:, None]) + xp.square(beside(self.experts_.deviation_, means))
            return mean, xp.sqrt(xp.sum(shares * square, axis=1))
        return self._mean(X)

    def _mean(self, X: Any) -> Float:
        mixed = self._mixed(X, 2 if self.combination_ == "product" else 1)
        return mixed[:, 0] / mixed[:, 1] if self.combination_ == "product" else mixed[:, 0]

    def _row_losses(self, X: Any, targets: NDArray[Any]) -> Float:
        """Squared error of every row."""
        return np.square(on_host(targets) - on_host(self._mean(X)))

    def _contribution(self, answers: Float, k: int) -> Float:
        if self.combination_ != "product":
            return answers
        deviation = on_host(self.experts_.deviation_)
        precision = float(deviation.min() / deviation[k]) ** 2
        xp = namespace(answers)
        joined: Float = xp.concat([precision * answers, xp.full_like(answers, precision)], axis=1)
        return joined

    def _parts(self, X: Any) -> tuple[Float, Float]:
        """Weights and means of the normal distributions that the answer is made of."""
        shares = shares_that_count(self._shares(X), self.combination_)
        if self.combination_ != "product":
            return shares, self.experts_.predict(X)[:, :, 0]
        raise ValueError('A distribution is defined for combination="linear" and "additive"; "product" has a mean only. Set another one.')

    def predict_quantiles(self, X: Any, q: Any) -> Float:
        """Quantiles of the answer's distribution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        q : float or array-like of shape (n_quantiles,)
            Probabilities, each strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles), or (n_samples,) for a single number
        """
        levels = np.atleast_1d(np.asarray(q, dtype=np.float64))
        if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
            raise ValueError(f"q must hold probabilities strictly between 0 and 1; got {q!r}.")
        parts = self._parts(self._check_rows(X))
        shares, means, deviation = (on_host(each) for each in (*parts, self.experts_.deviation_))
        # in units of the widest expert around the row's own mean, so that answers far from zero keep their digits
        centre, unit = np.sum(shares * means, axis=1, keepdims=True), deviation.max()
        means, deviation = (means - centre) / unit, deviation / unit
        # the quantile of a mixture lies between the smallest and the largest of its parts'
        theirs = means[:, :, None] + deviation[:, None] * ndtri(levels)
        running = (shares > 0)[:, :, None]
        low = np.where(running, theirs, np.inf).min(axis=1)
        high = np.where(running, theirs, -np.inf).max(axis=1)
        margin = 1e-9 * np.maximum(1, np.maximum(abs(low), abs(high)))

        def excess(z: Float, row: NDArray[np.intp], level: Float) -> Float:
            row = row.astype(np.intp)
            below = ndtr((z[..., None] - means[row]) / deviation)
            result: Float = np.sum(shares[row] * below, axis=-1) - level
            return result

        rows = np.broadcast_to(np.arange(means.shape[0])[:, None], low.shape)
        found = elementwise.find_root(excess, (low - margin, high + margin), args=(rows, np.broadcast_to(levels, low.shape)))
        if not np.all(found.success):
            raise RuntimeError(f"{int(np.sum(~found.success))} quantiles were not found; are there answers or columns beyond 1e150?")
        answers = centre + unit * found.x
        quantiles: Float = beside(answers[:, 0] if np.ndim(q) == 0 else answers, parts[1])
        return quantiles

    def expert_predict(self, X: Any) -> Float:
        """Mean of each expert alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
        """
        means: Float = self.experts_.predict(self._check_rows(X))[:, :, 0]
        return means

    def responsibilities(self, X: Any, y: Any) -> Float:
        """Probability that each expert answered, once the answer is known.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        X = self._check_rows(X)
        return self._posterior(X, self._targets(y, X))[1]

    def log_density(self, X: Any, y: Any) -> Float:
        """Natural log-density of each answer under the mixture, before any routing.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples,)
            In units of one over the answers' unit.
        """
        X = self._check_rows(X)
        return self._posterior(X, self._targets(y, X))[0]

    def log_likelihood(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Log-likelihood of known answers, natural logarithm, without the penalty.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
            Sum over the rows.
        """
        density = self.log_density(X, y)
        return float(self._weights(sample_weight, density[:, None]) @ density)

    def update_feedback(self, X: Any, y: Any, sample_weight: Any = None, *, memory: float = 1000.0) -> Self:
        """Note how well the experts did on known answers; ``routing="feedback"`` tilts the gate by it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative; memory is counted in rows, whatever they weigh.
        memory : float, default=1000.0
            Rows after which an observation counts for 1 / e.

        Returns
        -------
        self

        See Also
        --------
        adapt_gate : which way to follow a stream, and when.
        MixtureOfExpertsClassifier.update_feedback : what is noted, and why.
        """
        X = self._check_rows(X)
        self._update_success(X, self._targets(y, X), sample_weight, memory)
        return self
