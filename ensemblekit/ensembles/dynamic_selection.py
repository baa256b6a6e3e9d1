"""Dynamic selection: for every row, the members that were right about its nearest neighbours.

The classical rival of a learned gate: it too sends each row to some members only, but looks them up among held-out rows
instead of learning where each is good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array

from ensemblekit.ensembles.base import BaseEnsembleClassifier
from ensemblekit.ensembles.cross_fitted import CrossFittedEnsemble
from ensemblekit.ensembles.members import RandomState

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]


def overall_local_accuracy(correct: Bool) -> Float:
    """Take the one member that is right about most neighbours (Woods et al. 1997).

    Parameters
    ----------
    correct : ndarray of shape (n_samples, n_neighbors, n_members), bool
        Whether a member is right about a neighbour; the nearest neighbour first, the best member overall first.

    Returns
    -------
    ndarray of shape (n_samples, n_members), float64
        One for the member, zero for the others; of members that are equally right the first.

    Examples
    --------
    >>> overall_local_accuracy(np.array([[[True, False, True], [False, True, True]]]))
    array([[0., 0., 1.]])
    """
    best = np.argmax(correct.sum(axis=1), axis=1)
    return np.eye(correct.shape[2])[best]


def knora_eliminate(correct: Bool) -> Float:
    """Take the members that are right about all neighbours, of as many neighbours as any member is (Ko et al. 2008).

    Neighbours are given up from the farthest on until some member is right about all that are left. If no member is
    right about the nearest one, all members are taken.

    Parameters
    ----------
    correct : ndarray of shape (n_samples, n_neighbors, n_members), bool
        Whether a member is right about a neighbour; the nearest neighbour first.

    Returns
    -------
    ndarray of shape (n_samples, n_members), float64
        One for the members taken, zero for the others.

    Examples
    --------
    >>> knora_eliminate(np.array([[[True, True, False], [False, True, True]]]))
    array([[0., 1., 0.]])
    """
    reach = np.cumprod(correct, axis=1).sum(axis=1)
    return np.asarray(reach == reach.max(axis=1, keepdims=True), dtype=np.float64)


def knora_union(correct: Bool) -> Float:
    """Give every member as many votes as it is right about neighbours (Ko et al. 2008).

    Parameters
    ----------
    correct : ndarray of shape (n_samples, n_neighbors, n_members), bool
        Whether a member is right about a neighbour.

    Returns
    -------
    ndarray of shape (n_samples, n_members), float64
        Votes; one each where no member is right about any neighbour.

    Examples
    --------
    >>> knora_union(np.array([[[True, True, False], [False, True, False]]]))
    array([[1., 2., 0.]])
    """
    votes = correct.sum(axis=1).astype(np.float64)
    votes[votes.sum(axis=1) == 0] = 1.0
    return votes


RULES: dict[str, Callable[[Bool], Float]] = {
    "ola": overall_local_accuracy,
    "knora-e": knora_eliminate,
    "knora-u": knora_union,
}


class DynamicSelectionClassifier(BaseEnsembleClassifier, CrossFittedEnsemble):
    """For every row, the members that are right about the held-out rows around it.

    Who is right where is judged on held-out answers, so that no table has to be set aside. Distances are Euclidean over
    standardised columns, so that columns must be numbers without missing cells. The chosen members' probabilities are
    averaged, by their votes; the papers count votes of classes instead.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members under names; ``"drop"`` instead of an estimator leaves one out, a `FrozenEstimator` is not fitted again.
        None is a random forest, XGBoost and LightGBM, as in `ensemblekit.ensembles.members.default_classifiers`.
    rule : {"knora-e", "knora-u", "ola"}, default="knora-e"
        ``"knora-e"``: members that are right about all neighbours, of as many of them as some member is.
        ``"knora-u"``: every member, with as many votes as neighbours it is right about. ``"ola"``: the one member that
        is right about most neighbours (overall local accuracy).
    n_neighbors : int, default=7
        Held-out rows around a row; all of them if there are fewer.
    cv : int, splitter or iterable of (train, test), default=5
        Who is held out when. A number gives that many stratified folds of shuffled rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle and of the default members. Given members keep their own.
    n_jobs : int, default=None
        Fits, over members and folds together, that run side by side.
    memory : str or joblib.Memory, default=None
        Where fits are kept, so that ensembles with members in common make them once. Members with ``random_state=None``
        are not kept.
    verbose : int, default=0
        Above zero, print the seconds that each member took on all rows.

    Attributes
    ----------
    correct_ : ndarray of shape (n_held_out, n_members), bool
        Whether a member was right about a held-out row.
    scaler_ : StandardScaler
        Columns as distances see them.
    neighbors_ : NearestNeighbors
        Finds held-out rows.
    estimators_ : list of estimators
        Members fitted on all rows. They answer in codes 0 to C - 1, positions in `classes_`.
    named_estimators_ : Bunch
        Fitted members, or ``"drop"``, by name.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    References
    ----------
    K. Woods, W. P. Kegelmeyer, K. Bowyer, "Combination of multiple classifiers using local accuracy estimates", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 19(4), 1997.

    A. H. R. Ko, R. Sabourin, A. S. Britto Jr., "From dynamic classifier selection to dynamic ensemble selection",
    Pattern Recognition 41(5), 2008.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [("bayes", GaussianNB()), ("stump", DecisionTreeClassifier(max_depth=1, random_state=0))]
    >>> ensemble = DynamicSelectionClassifier(members, random_state=0).fit(X, y)
    >>> ensemble.chosen_members(X[[0, 100]])
    array([[ True,  True],
           [ True, False]])
    """

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        rule: str = "knora-e",
        n_neighbors: int = 7,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.rule = rule
        self.n_neighbors = n_neighbors
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any) -> DynamicSelectionClassifier:
        """Fit each member on each fold and on all rows, and note who is right where.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Handed to the members as it is; numbers without missing cells.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members. Neighbours count alike.
        **fit_params : dict
            Metadata, where scikit-learn's metadata routing is enabled; ``groups`` go to the splitter.

        Returns
        -------
        self
        """
        if self.rule not in RULES:
            raise ValueError(f"rule={self.rule!r} is unknown; choose one of {list(RULES)}.")
        if self.n_neighbors < 1:
            raise ValueError(f"n_neighbors={self.n_neighbors!r}: at least one neighbour is needed.")
        X, codes = self._check_table(X, y)
        columns = check_array(X, dtype=np.float64)
        held_out = self._cross_fit(self._active_members(), X, codes, sample_weight, fit_params)
        self.correct_ = (held_out.answers.argmax(axis=2) == codes[held_out.rows]).T
        self.scaler_ = StandardScaler().fit(columns[held_out.rows])
        self.neighbors_ = NearestNeighbors(n_neighbors=min(self.n_neighbors, len(held_out.rows)))
        self.neighbors_.fit(self.scaler_.transform(columns[held_out.rows]))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Members may take both, distances do not.
        tags.input_tags.allow_nan = tags.input_tags.sparse = False
        return tags

    def _votes_by_row(self, X: Any) -> Float:
        """Votes of each member for each row, of shape (n_samples, n_members)."""
        columns = check_array(X, dtype=np.float64)
        nearest = self.neighbors_.kneighbors(self.scaler_.transform(columns), return_distance=False)
        # Ties between members go to the one that is right most often overall.
        best_first = np.argsort(-self.correct_.mean(axis=0), kind="stable")
        votes = np.empty((len(columns), len(best_first)))
        votes[:, best_first] = RULES[self.rule](self.correct_[nearest][:, :, best_first])
        return votes

    def chosen_members(self, X: Any) -> Bool:
        """Members that have a say about each row.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_members), bool
            Columns in the order of `estimators_`.
        """
        X = self._check_rows(X)
        return self._votes_by_row(X) > 0

    def predict_proba(self, X: Any) -> Float:
        """Mean probabilities of the chosen members, by their votes. Members are asked about rows they have a say in.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        X = self._check_rows(X)
        votes = self._votes_by_row(X)
        total = np.zeros((len(votes), len(self.classes_)))
        for member, say in zip(self.estimators_, votes.T, strict=True):
            rows = np.flatnonzero(say)
            if len(rows):
                total[rows] += say[rows, None] * self._answer(member, _safe_indexing(X, rows))
        return total / votes.sum(axis=1, keepdims=True)
