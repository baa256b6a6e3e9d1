"""The mixture of experts for classification."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length

from ensemblekit.mixture.combining import renormalise
from ensemblekit.mixture.contracts import Data, ExpertBank, Float
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.experts.logistic import LogisticExperts
from ensemblekit.mixture.linear.namespaces import beside, namespace, on_host, take_rows
from ensemblekit.mixture.streaming import StreamingMixture, fits_by_pieces


class MixtureOfExpertsClassifier(ClassifierMixin, StreamingMixture):
    r"""Mixture of experts with a learned gate.

    .. math:: p(y \mid x) = \sum_k g_k(x)\, p_k(y \mid x)

    A softmax gate :math:`g` weighs multinomial-logistic experts :math:`p_k`; all are fitted together by maximising the penalised
    likelihood (Jacobs, Jordan, Nowlan and Hinton, 1991; Jordan and Jacobs, 1994).

    Parameters
    ----------
    n_experts : int or "auto", default=4
        Number of experts K. One expert is ``LogisticRegression(C=1 / alpha)``.
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
    experts : {"logistic", "boosted"}, BoostedExperts, estimator or list of estimators, default="logistic"
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
        intercepts are free. 0 is maximum likelihood. Columns on very different scales should be standardised before, as for any
        penalty. "auto" is 1.
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
        "auto": the smallest top-k whose held-out log-loss is within one standard error of the best's (Breiman et al., 1984). For
        this :meth:`fit` fits five times more, without a fifth of the rows each, or once from 10,000 rows on. See also
        :meth:`tune_routing`.
    top_k : int or None, default=None
    threshold : float, default=0.1
    combination : {"linear", "product", "additive", "auto"}, default="linear"
        How answers become one: the mixture itself, the renormalised geometric mean, or the plain mean of those that ran. "auto": chosen as
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
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
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
        With "auto": ``combination``, ``top_k``, held-out ``loss`` (log-loss) and its ``standard_error`` of all that was tried.
    gate_ : gate object
        A softmax gate has ``coef_`` (n_experts, n_features) and ``intercept_`` (n_experts,).
    experts_ : bank of experts
        Logistic experts have ``coef_`` (n_experts, n_classes, n_features) and ``intercept_`` (n_experts, n_classes); estimators are in
        ``estimators_``.
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
    Two regimes that no single linear model can hold: the answer follows the second column where the first is positive, and its opposite
    where it is negative.

    >>> import numpy as np
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
    >>> model = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.97
    True
    >>> model.gate_proba(X).shape
    (400, 2)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **StreamingMixture._parameter_constraints,
        "experts": [StrOptions({"logistic", "boosted"}), HasMethods("fit"), list, tuple],
    }

    def __init__(
        self,
        n_experts: int | str = 4,
        *,
        selection: str = "bic",
        min_experts: int = 1,
        max_experts: int = 8,
        experts: Any = "logistic",
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
            Class labels of any type; at least two different ones.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative; None for equal weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a bad parameter, fewer than two classes, weights that are negative or all zero.
        """
        given, X = X, self._table(X, reset=True)
        y = _check_y(y, estimator=self)
        check_consistent_length(X, y)
        check_classification_targets(y)
        weight = self._weights(sample_weight, X)
        self._resolve_columns(given if hasattr(given, "columns") else X)  # names are lost in checking
        counts = np.flatnonzero(on_host(weight) > 0)  # a row of weight zero is as good as not there
        classes, codes = np.unique(on_host(y)[counts], return_inverse=True)
        if classes.size < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes among the rows of positive weight; got 1 class: {classes.tolist()[0]!r}."
            )
        self._check_classes(classes)
        self.classes_ = beside(classes, y)
        rows = X if counts.size == X.shape[0] else _safe_indexing(X, beside(counts, weight))
        weight = take_rows(weight, counts)
        return self._fit_mixture(Data(rows, self._gate_view(rows), beside(codes, weight), weight))

    @available_if(fits_by_pieces)
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from a further piece of a table, by one pass of stochastic gradient steps; for linear gates and experts.

        After :meth:`fit` it goes on from the fitted model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The first piece settles how columns are scaled: it should be typical.
        y : array-like of shape (n_samples,)
            Labels out of ``classes``.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels; needed in the first call.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the first call names no classes or fewer than two, or a later one others; for labels that are none of them, columns of
            another number or name, NaN, infinity, or negative weights; if the number of experts was changed since, or gate or experts of
            the last fit are not linear; and, before a fit, for ``routing`` or ``combination`` "auto".

        See Also
        --------
        adapt_gate : which way to follow a stream, and when.

        Examples
        --------
        >>> X = np.random.default_rng(0).normal(size=(4000, 2))
        >>> y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
        >>> model = MixtureOfExpertsClassifier(n_experts=2, batch_size=25, random_state=0)
        >>> for rows, answers in zip(np.split(X, 4), np.split(y, 4), strict=True):
        ...     model = model.partial_fit(rows, answers, classes=[False, True])
        >>> model.score(X, y) > 0.9
        True
        """
        first = not hasattr(self, "gate_")
        given, X = X, self._table(X, reset=first)
        if first and classes is None:
            raise ValueError("The first call of partial_fit needs classes: all labels that will come.")
        if classes is not None:
            known = np.unique(classes)
            if known.size < 2:
                raise ValueError(f"A classifier needs at least 2 classes; classes={classes!r}.")
            if not first and not np.array_equal(known, on_host(self.classes_)):
                raise ValueError(f"classes={classes!r} differs from the first call's {on_host(self.classes_).tolist()}.")
            self.classes_ = known
        codes = self._targets(y, X)
        weight = self._weights(sample_weight, X)
        if first:
            self._begin_by_pieces(given if hasattr(given, "columns") else X)  # names are lost in checking
        experts = self._make_experts() if first else self._going_on()
        return self._learn_batch(Data(X, self._gate_view(X), codes, weight), self._make_gate(), experts)

    def _check_classes(self, classes: NDArray[Any]) -> None:
        """Refuse a warm start with other classes."""
        known = on_host(vars(self).get("classes_", classes))
        if self.warm_start and not np.array_equal(classes, known):
            raise ValueError(f"warm_start needs the classes of the last fit, {known.tolist()}; y holds {classes.tolist()}.")

    def _make_experts(self) -> ExpertBank:
        if self.experts == "boosted" or isinstance(self.experts, BoostedExperts):
            return self._make_boosted()
        if isinstance(self.experts, str):
            return LogisticExperts(self.classes_.shape[0], self._alpha, columns=self.expert_columns_)
        return self._make_estimators(self.classes_)

    def predict_proba(self, X: Any) -> Float:
        """Class probabilities of the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        return self._mixed_proba(self._check_rows(X))

    def _mixed_proba(self, X: Any) -> Float:
        mixed = self._mixed(X, self.classes_.shape[0])
        if self.combination_ == "product":
            return renormalise(mixed)
        xp = namespace(mixed)
        return xp.where(mixed > 1, xp.ones_like(mixed), mixed)  # shares sum to one up to rounding; metrics refuse a bit more

    def _row_losses(self, X: Any, targets: NDArray[Any]) -> Float:
        """Log-loss of every row, in nats; a probability of zero counts as the smallest that is not."""
        proba = on_host(self._mixed_proba(X))
        own = np.take_along_axis(proba, on_host(targets)[:, None], axis=1)[:, 0]
        return -np.log(np.maximum(own, np.finfo(float).eps))

    def predict_log_proba(self, X: Any) -> Float:
        """Natural logarithms of :meth:`predict_proba`; minus infinity where a probability is zero.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        proba = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            logs: Float = namespace(proba).log(proba)
            return logs

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each row; among equals the first in ``classes_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        proba = self.predict_proba(X)
        best = namespace(proba).argmax(proba, axis=1)
        labels: NDArray[Any] = on_host(self.classes_)
        return take_rows(labels if labels.dtype.kind in "OSU" else beside(labels, proba), on_host(best))

    def expert_proba(self, X: Any) -> Float:
        """Class probabilities of each expert alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_experts, n_classes)
        """
        return self.experts_.predict(self._check_rows(X))

    def responsibilities(self, X: Any, y: Any) -> Float:
        """Probability that each expert answered, once the answer is known: ``g_k(x) p_k(y | x)``, normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels out of ``classes_``.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        X = self._check_rows(X)
        return self._posterior(X, self._targets(y, X))[1]

    def log_likelihood(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Log-likelihood of labelled rows, natural logarithm, without the penalty, before any routing and combining.

        Of estimators as experts, a thousandth of an even guess is mixed into each one's probabilities, here and in fitting: a class that a
        tree has not seen in a leaf is rare, and not impossible.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels out of ``classes_``.
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
            Sum over the rows.
        """
        X = self._check_rows(X)
        weight = self._weights(sample_weight, X)
        return float(weight @ self._posterior(X, self._targets(y, X))[0])

    def update_feedback(self, X: Any, y: Any, sample_weight: Any = None, *, memory: float = 1000.0) -> Self:
        """Note how well the experts did on labelled rows; ``routing="feedback"`` tilts the gate by it.

        An expert's success is the ratio of the rows that it turned out to be responsible for to those that the gate gave it. Where the
        regimes have only become more or less frequent this is the maximum-likelihood correction of the gate (Saerens, Latinne and
        Decaestecker, 2002, eq. 2.4).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels out of ``classes_``.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Not negative; memory is counted in rows, whatever they weigh.
        memory : float, default=1000.0
            Rows after which an observation counts for 1 / e.

        Returns
        -------
        self

        See Also
        --------
        adapt_gate : for regimes that changed place; which way to follow a stream, and when.

        References
        ----------
        M. Saerens, P. Latinne and C. Decaestecker (2002). Adjusting the outputs of a classifier to new a priori probabilities: a simple
        procedure. Neural Computation 14(1), 21-41.

        Examples
        --------
        Two opposite rules that nothing in the table tells apart; the second holds more often at first, and then the first one does.

        >>> from sklearn.frozen import FrozenEstimator
        >>> from sklearn.linear_model import LogisticRegression
        >>> X = np.random.default_rng(0).normal(size=(400, 1))
        >>> rules = [X[:, 0] > 0, X[:, 0] < 0]
        >>> experts = [FrozenEstimator(LogisticRegression().fit(X, rule)) for rule in rules]
        >>> model = MixtureOfExpertsClassifier(2, experts=experts, gate="constant", routing="feedback")
        >>> model = model.fit(X, np.where(np.arange(400) % 3 == 0, *rules))
        >>> model.score(X, rules[0]), model.update_feedback(X, rules[0]).score(X, rules[0])
        (0.0, 1.0)
        """
        X = self._check_rows(X)
        self._update_success(X, self._targets(y, X), sample_weight, memory)
        return self

    def _targets(self, y: Any, X: Any) -> NDArray[np.intp]:
        """Class codes of known labels, beside the table."""
        y, classes = on_host(_check_y(y, estimator=self)), on_host(self.classes_)
        if y.shape != (X.shape[0],):
            raise ValueError(f"y must hold one label for each of the {X.shape[0]} rows; its shape is {y.shape}.")
        unknown = np.setdiff1d(y, classes)
        if unknown.size:
            raise ValueError(f"y holds labels that were not there at fit: {unknown.tolist()}. Known: {classes.tolist()}.")
        codes: NDArray[np.intp] = np.searchsorted(classes, y)
        return codes if hasattr(X, "columns") else beside(codes, X)
