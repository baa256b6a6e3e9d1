"""Cut a packed model down by weakest links, for as long as held-out rows allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.accepting import accepted, rows_for
from ensemblekit.compression.cutting import cut
from ensemblekit.compression.dropping import without_zero_weights
from ensemblekit.compression.footprint import CompressionReport, packed_footprint, report_of
from ensemblekit.compression.judging import ROOM, Judges, Limits, Rows
from ensemblekit.compression.losses import answers_to, mean_loss, targets
from ensemblekit.compression.needless import without_needless_experts
from ensemblekit.compression.restoring import Wanted, restored, wanted_of
from ensemblekit.compression.tempering import tempered
from ensemblekit.compression.weak_links import Candidates, find_candidates, is_average
from ensemblekit.packed import PackedModel
from ensemblekit.packed.experts import Expert, TreeExpert
from ensemblekit.packed.taking_apart import experts_of, gate_of, put_together
from ensemblekit.trees.flat import freeze

#: Share of the work that one step tries to save, and the smallest one worth a step.
FIRST_STEP, LAST_STEP = 0.1, 0.01
#: Pairs of a row and a tree of one expert, at most, in the fits of leaves by many rows, which never are fewer rows than those of each step:
#: bounds the memory.
MOST_PAIRS = 1 << 24


@dataclass(frozen=True)
class Pruned:
    """What pruning gives.

    Attributes
    ----------
    model : PackedModel
        The smaller model.
    report : CompressionReport
        Before and after, on the rows that judged.

    Examples
    --------
    >>> Pruned.__dataclass_fields__.keys()
    dict_keys(['model', 'report'])
    """

    model: PackedModel
    report: CompressionReport


def prune(
    model: Any,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    max_loss_increase: float = 0.005,
    node_visits: float | None = None,
    unlabelled: npt.ArrayLike | None = None,
) -> Pruned:
    """Drop branches, trees and experts that held-out rows hardly miss.

    First go experts that do harm or are hardly missed (`without_needless_experts`), then branches and trees whose answers to made rows
    (`munge`) change least for the work they save. After each step, and by more rows in the end, the leaves that stay are fitted to what
    their expert said before (`restored`). The given rows judge, by their labels, when to stop, which experts do harm, and how sure boosters
    may be (`tempered`). They must be held out from the fit: trees are sure of rows that they know.

    Where to stop is the hard question. Where answers move by d, Kullback-Leibler, the change of a row's loss has a variance of about 2 d,
    so that n labels tell its mean to within sqrt(2 d / n): 0.006 by 500 rows for d = 0.01. And what new rows of 28 generated tables lost
    lay between - 0.25 d and d, 0.45 d on average: where labels are noise, answers may move at no cost. So if you know how much is to go,
    say it by `node_visits`.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        Whatever `ensemblekit.packed.pack` packs, without categorical splits; no pipeline with steps before its last one.
    X : array-like of shape (n, d)
        Held-out rows, at least four.
    y : array-like of shape (n,)
        Their labels, or numbers.
    max_loss_increase : float, default=0.005
        By which the mean loss of these rows may grow: log-loss (natural logarithm), Brier score of a hard vote, or squared error of a
        regressor in squared units of `y`. What goes may move the answers to other made rows by twice as much in all, but for a whole expert
        without which the labels are plainly told better; another one may take the share of it that it has in the work.
    node_visits : float or None, default=None
        Stop once no more than this share is left of the splits that an average held-out row tests, between 0 and 1: 0.5 halves them. The
        branch that crosses it goes whole, so that of few, large trees much less may be left. Up to there branches and trees may move
        answers as far as it takes, while the loss of the held-out rows grows by no more than `max_loss_increase`. None to cut for as long
        as loss and answers allow.
    unlabelled : array-like of shape (m, d) or None, default=None
        More rows of the same kind, to make others of and to fit leaves to; those of the model's own fit serve, since their labels are not
        asked for. None for `X` alone.

    Returns
    -------
    Pruned
        A packed model, and what was gained. Experts are dropped from softmax, constant and Gaussian gates; hierarchies and
        classifiers as gates keep theirs. The order of the rows does not matter. A pruned model that is pruned again is one more model: it
        may lose as much once more.

    Raises
    ------
    ValueError
        For a negative bound; a share that is none, or one of a model without splits; too few rows, infinite ones, ones with other columns
        than the model knows, or `y` of another shape; labels that the model does not know, categorical splits, or a pipeline whose first
        steps rows would skip.
    TypeError
        For a model that cannot be packed, or a bound or a share that is no number.

    References
    ----------
    L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone (1984). Classification and Regression Trees. Chapter 3.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> forest = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    >>> pruned = prune(forest, X[1::2], y[1::2], max_loss_increase=0.01)
    >>> pruned.report.after.node_visits < pruned.report.before.node_visits
    True
    >>> pruned.model.predict(X[:2])
    array([0, 0])
    """
    check_limits(max_loss_increase, node_visits)
    before, rows = accepted(model, X)
    answers = np.asarray(y)
    if len(rows) < 4 or answers.shape != (len(rows),):
        raise ValueError(
            f"prune needs at least four held-out rows with an answer each; received {len(rows)} and y of shape {answers.shape}."
        )
    known = rows if unlabelled is None else np.vstack([rows, rows_for(model, before, unlabelled)])
    order = np.lexsort((targets(before, answers), *rows.T))  # sums of the same numbers in another order end in another digit
    judges = Judges.of(known, rows[order], answers[order])
    least = None if node_visits is None else node_visits * _visits_of(before, rows)
    limits = Limits(mean_loss(before, *judges.held_out) + max_loss_increase, ROOM * max_loss_increase, least)
    whole, moved = without_needless_experts(tempered(without_zero_weights(before), *judges.held_out), judges, limits)
    after = _cut_back(whole, judges, limits._replace(room=limits.room - moved))
    return Pruned(after, report_of("prune", after, packed_footprint(before, rows, answers), packed_footprint(after, rows, answers)))


def check_limits(max_loss_increase: Any, node_visits: Any) -> None:
    """Refuse what cannot say how far to cut.

    Parameters
    ----------
    max_loss_increase : float
        As of `prune`.
    node_visits : float or None
        As of `prune`.

    Raises
    ------
    ValueError
        For a negative bound, or a share that is not between 0 and 1.
    TypeError
        For what is no number.

    Examples
    --------
    >>> check_limits(0.005, 2)
    Traceback (most recent call last):
    ...
    ValueError: node_visits is the share of them to keep, between 0 and 1, such as 0.5; received 2.
    """
    for name, limit in (("max_loss_increase", max_loss_increase), ("node_visits", 0.5 if node_visits is None else node_visits)):
        if isinstance(limit, bool) or not isinstance(limit, Real):
            raise TypeError(f"{name} must be a number; received {limit!r}.")
    if not max_loss_increase >= 0:  # NaN neither
        raise ValueError(f"max_loss_increase must not be negative; received {max_loss_increase}.")
    if node_visits is not None and not 0 < node_visits < 1:
        raise ValueError(f"node_visits is the share of them to keep, between 0 and 1, such as 0.5; received {node_visits}.")


def _cut_back(whole: PackedModel, judges: Judges, limits: Limits) -> PackedModel:
    """Take step after step, while labels and answers allow; a step that costs too much is taken back, and a smaller one tried."""
    model, step = whole, FIRST_STEP
    many = judges.many[: max(len(judges.fitting), MOST_PAIRS // max(_most_trees(whole), 1))]
    wanted, wanted_by_many = wanted_of(whole, judges.fitting), wanted_of(whole, many)
    original, of_others = answers_to(whole, judges.choosing), answers_to(whole, judges.others)
    candidates = find_candidates(whole, judges.choosing, original)
    while step >= LAST_STEP and (spare := _spare(model, judges.held_out[0], limits.visits)) > 0:
        work = _work_of(model, judges.choosing)
        chosen = choose(candidates, min(step * work, max(spare, LAST_STEP * work)))
        if not len(chosen):
            break
        smaller = _restored(cut_branches(model, candidates, chosen), judges.fitting, wanted)
        allowed = limits.allow(smaller, judges, of_others)
        if not allowed and any(wanted):
            smaller = _restored(smaller, many, wanted_by_many)
            allowed = limits.allow(smaller, judges, of_others)
        if allowed:
            model, candidates = smaller, find_candidates(smaller, judges.choosing, original)
        else:
            step /= 2
    if model is whole or not any(wanted):
        return model
    after = _restored(model, many, wanted_by_many)
    return after if limits.allow(after, judges, of_others) else model


def _most_trees(model: PackedModel) -> int:
    return max(expert.trees.n_trees if isinstance(expert, TreeExpert) else 0 for expert in experts_of(model))


def _visits_of(model: PackedModel, rows: Rows) -> float:
    visits = model.node_visits(rows).active
    if not visits:
        raise ValueError("This model tests no splits, so that there is no share of node visits to keep: leave node_visits=None.")
    return visits


def _spare(model: PackedModel, rows: Rows, least: float | None) -> float:
    """Node visits that may still go: any number where no share was asked for, of models without splits too."""
    return np.inf if least is None else model.node_visits(rows).active - least


def _work_of(model: PackedModel, rows: Rows) -> float:
    return model.node_visits(rows).active + model.multiply_adds(rows).active


def _restored(model: PackedModel, rows: Rows, wanted: list[Wanted | None]) -> PackedModel:
    experts = [restored(expert, rows, of_expert) for expert, of_expert in zip(experts_of(model), wanted, strict=True)]
    return put_together(model, gate_of(model), experts)


def choose(candidates: Candidates, work: float) -> npt.NDArray[np.intp]:
    """Choose the weakest links, up to some work.

    Parameters
    ----------
    candidates : Candidates
        What could go.
    work : float
        Operations a row to save in one step.

    Returns
    -------
    ndarray of int
        Candidates, the weakest first.

    Examples
    --------
    >>> expert, node = np.array([0, 0, 1]), np.array([4, 7, 2])
    >>> found = Candidates(expert, node, np.array([0.1, 0.0, 0.3]), np.array([5.0, 5.0, 2.0]), ())
    >>> choose(found, 6.0)
    array([1, 0])
    """
    weakest = np.argsort(candidates.change / candidates.saved, kind="stable")
    return weakest[: int(np.searchsorted(np.cumsum(candidates.saved[weakest]), work)) + 1]


def cut_branches(model: PackedModel, candidates: Candidates, chosen: npt.NDArray[np.intp]) -> PackedModel:
    """Let the chosen branches go.

    Parameters
    ----------
    model : PackedModel
        The model.
    candidates : Candidates
        What could go.
    chosen : ndarray of int
        Branches among them, from `choose`.

    Returns
    -------
    PackedModel

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> X, y = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]], np.float32), [0, 0, 0, 1, 1]
    >>> model = pack(DecisionTreeClassifier().fit(X, y))
    >>> found = find_candidates(model, X, model.predict_proba(X))
    >>> cut_branches(model, found, np.array([0])).predict_proba(X[:1]).round(6)
    array([[0.6, 0.4]])
    """
    experts = experts_of(model)
    for k in np.unique(candidates.expert[chosen]):
        nodes = candidates.node[chosen][candidates.expert[chosen] == k]
        experts[k] = _cut_expert(experts[k], nodes, candidates.values[k])
    return put_together(model, gate_of(model), experts)


def _cut_expert(expert: Expert, nodes: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> Expert:
    """Make leaves of nodes; a tree of a forest that goes is no longer counted, one of a booster leaves its mean in the base."""
    if not isinstance(expert, TreeExpert):
        return expert
    trees = expert.trees
    collapsed = np.zeros(len(trees.left), bool)
    collapsed[nodes] = True
    gone = collapsed[trees.roots]
    gone[0] &= not gone.all()  # one tree stays, if only as a leaf
    smaller = cut(trees, collapsed, values, ~gone)
    if is_average(trees):
        changed = replace(smaller, scale=trees.scale * trees.n_trees / smaller.n_trees)
    else:
        changed = replace(smaller, base=trees.base + trees.scale * _constants(expert, gone, values))
    freeze(vars(changed))
    return expert._replace(trees=changed)


def _constants(expert: TreeExpert, gone: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Add up, for each output, what trees that became leaves hold."""
    trees = expert.trees
    left = values[trees.roots[gone]]
    if trees.outputs[0] < 0:
        return np.asarray(left.sum(axis=0))
    return np.asarray(np.bincount(trees.outputs[gone], left[:, 0], minlength=trees.n_outputs), np.float64)
