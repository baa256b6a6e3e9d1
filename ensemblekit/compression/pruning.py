"""Cut a packed model down by weakest links, for as long as held-out rows allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.cutting import cut
from ensemblekit.compression.footprint import CompressionReport, packed_footprint, report_of
from ensemblekit.compression.losses import answers_to, loss_name, losses_of, mean_loss, row_divergences, targets
from ensemblekit.compression.restoring import Wanted, restored, wanted_of
from ensemblekit.compression.synthetic import munge
from ensemblekit.compression.tempering import tempered
from ensemblekit.compression.weak_links import WHOLE, Candidates, can_drop, find_candidates, gate_without, is_average
from ensemblekit.packed import PackedModel, pack
from ensemblekit.packed.experts import Expert, TreeExpert
from ensemblekit.packed.taking_apart import experts_of, gate_of, put_together
from ensemblekit.trees.flat import freeze
from ensemblekit.trees.rows import as_rows, check_rows

#: Share of the work that one step tries to save, and the smallest one worth a step.
FIRST_STEP, LAST_STEP = 0.1, 0.01
#: Rows that are made to choose what goes, and rows of each kind, given and made, that leaves are fitted to. On generated tables 600
#: held-out rows that chose alone took branches which other rows missed (log-loss + 0.017 there, + 0.005 on themselves).
CHOOSING_ROWS, FITTING_ROWS = 1000, 2000
#: Made rows beside the given ones that leaves are fitted to once more in the end, and pairs of a row and a tree that bound the memory. On
#: 24 generated tables cut down to 48 % of their visits, 16,000 took the mean loss from 0.0012 below that of the whole model to 0.0046
#: below, with 4,000 it came to 0.0020; 0.0054 is what temperature and experts that went had gained before any branch did.
MORE_ROWS, MOST_PAIRS = 16_000, 1 << 24
#: Given rows that others are made of, at most: each is held against all to find its neighbour.
KNOWN_ROWS = 10_000
#: Answers to made rows may move so many times further than the loss may grow. On 24 generated tables of 750 rows, 150 of them held out,
#: cutting branches alone at 1 left 55 % of a boosted mixture's node visits and lost too much on new rows of one table, at 1.5 48 % and
#: three, at 2 44 % and five, at 3 36 % and eight; the mean change was - 0.004, - 0.002, - 0.001 and + 0.001. Half was to go.
ROOM = 2.0
#: Share of this room that an expert may take when it goes. Under sparse routing its rows go to another one and test as many splits there,
#: so that little is saved. On 22 generated tables a tenth left 39 % of the visits and 29 % of the bytes where experts free to take all
#: left 54 and 32 %, at the same loss on new rows.
ROOM_OF_AN_EXPERT = 0.1
#: Standard errors by which the held-out loss must fall for an expert to count as harmful. Where labels alone judged experts, generated
#: tables of little noise lost 0.006 to 0.017 on new rows for 0.005 allowed.
PLAINLY = 2.0
Rows = npt.NDArray[np.float32]


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

    Rows that resemble the given ones (`munge`) choose what goes: branches and trees whose answers change least for the work they save.
    After each step the leaves that stay are fitted to what their expert said before (`restored`). The given rows judge, by their labels,
    when to stop, which whole experts do harm, and how sure boosters may be (`tempered`). They must be held out from the fit: trees are
    sure of rows that they know.

    Where to stop is the hard question. Where answers move by d, Kullback-Leibler, the change of a row's loss has a variance of about 2 d,
    so that n labels tell its mean to within sqrt(2 d / n): 0.006 by 500 rows for d = 0.01. And what new rows of 28 generated tables lost
    lay between - 0.25 d and d, 0.45 d on average: where labels are noise, answers may move at no cost. So if you know how much is to go,
    say it by `node_visits`.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        Whatever `ensemblekit.packed.pack` packs, without categorical splits.
    X : array-like of shape (n, d)
        Held-out rows, at least four.
    y : array-like of shape (n,)
        Their labels, or numbers.
    max_loss_increase : float, default=0.005
        By which the mean loss of these rows may grow: log-loss (natural logarithm), Brier score of a hard vote, or squared error of a
        regressor in squared units of `y`. Cut branches and trees may move the answers to other made rows by twice as much in all,
        but for a whole expert without which the labels are plainly told better.
    node_visits : float or None, default=None
        Stop once no more than this share is left of the splits that an average held-out row tests, between 0 and 1: 0.5 halves them. The
        branch that crosses it goes whole, so that of few, large trees much less may be left. Up to there branches and trees may move
        answers as far as it takes, while the loss of the held-out rows grows by no more than `max_loss_increase`; whole experts go by the
        rules that hold without it, until the share is reached. None to cut for as long as loss and answers allow.
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
        For a negative bound; a share that is none, or one of a model without splits; too few rows, infinite ones, or `y` of another
        shape; labels that the model does not know, or categorical splits.
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
    before = model if isinstance(model, PackedModel) else pack(model)
    rows, answers = as_rows(X, before.n_features), np.asarray(y)
    if len(rows) < 4 or answers.shape != (len(rows),):
        raise ValueError(
            f"prune needs at least four held-out rows with an answer each; received {len(rows)} and y of shape {answers.shape}."
        )
    known = rows if unlabelled is None else np.vstack([rows, as_rows(unlabelled, before.n_features)])
    check_rows(known, accepts_missing=before.accepts_missing, categorical_features=before.categorical_features)
    order = np.lexsort((targets(before, answers), *rows.T))  # sums of the same numbers in another order end in another digit
    judges = _Judges.of(known, rows[order], answers[order])
    least = None if node_visits is None else node_visits * _visits_of(before, rows)
    limits = _Limits(mean_loss(before, *judges.held_out) + max_loss_increase, ROOM * max_loss_increase, least)
    after = _shrink(tempered(without_zero_weights(before), *judges.held_out), judges, limits)
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


def without_zero_weights(model: PackedModel) -> PackedModel:
    """Drop experts that a constant gate gives no weight at all.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    PackedModel
        With the same answers.

    Examples
    --------
    >>> from ensemblekit.packed.assembling import assemble, constant_gate
    >>> from ensemblekit.packed.experts import LinearExpert
    >>> expert = LinearExpert(np.zeros((2, 3)), np.zeros(2), np.arange(2))
    >>> model = assemble(constant_gate([1, 0]), [expert] * 2, kind="demo", classes=np.arange(2), n_features=3)
    >>> without_zero_weights(model).n_experts
    1
    """
    while can_drop(model) and np.isneginf(model.gate[-1]).any():
        model = _without_expert(model, int(np.argmin(model.gate[-1])))
    return model


class _Limits(NamedTuple):
    """Mean loss of the held-out rows and divergence from old answers, at most, and the node visits at which enough is gone."""

    loss: float
    room: float
    least: float | None  # where a share of them was asked for


class _Judges(NamedTuple):
    """Rows by their part: some choose what goes, to some the leaves are fitted, and others judge the sum of it."""

    choosing: Rows
    fitting: Rows
    others: Rows
    many: Rows
    held_out: tuple[Rows, npt.NDArray[Any]]

    @classmethod
    def of(cls, known: Rows, rows: Rows, answers: npt.NDArray[Any]) -> _Judges:
        known = known[np.lexsort(known.T)]  # what is drawn must not depend on the order in which rows are given
        drawn = known[np.random.default_rng(0).permutation(len(known))[:KNOWN_ROWS]]
        made = as_rows(munge(drawn, 2 * FITTING_ROWS + MORE_ROWS, random_state=0), rows.shape[1])
        fitting, others, more = np.split(made, [FITTING_ROWS, 2 * FITTING_ROWS])
        many = np.vstack([more, fitting, drawn])
        return cls(fitting[:CHOOSING_ROWS], np.vstack([drawn[:FITTING_ROWS], fitting]), others, many, (rows, answers))


def _shrink(whole: PackedModel, judges: _Judges, limits: _Limits) -> PackedModel:
    """Take step after step, while labels and answers allow; a step that costs too much is taken back, and a smaller one tried."""
    model, moved, step, room = whole, 0.0, FIRST_STEP, limits.room
    needed: set[int] = set()  # experts that held-out rows would miss
    wanted = wanted_of(whole, judges.fitting)
    original, answers_of_others = answers_to(model, judges.choosing), answers_to(model, judges.others)
    candidates = find_candidates(model, judges.choosing, original, judges.held_out)
    while step >= LAST_STEP and (spare := _spare(model, judges.held_out[0], limits.least)) > 0:
        work = _work(model, judges.choosing)
        chosen = choose(candidates, min(step * work, max(spare, LAST_STEP * work)), needed)
        if not len(chosen):
            break
        expert_goes, k = candidates.node[chosen[0]] == WHOLE, int(candidates.expert[chosen[0]])
        if expert_goes:
            smaller = _without_expert(model, k)
        else:
            smaller = _restored(cut_branches(model, candidates, chosen), np.unique(candidates.expert[chosen]), judges.fitting, wanted)
        answers = answers_to(smaller, judges.others)
        further = float(row_divergences(loss_name(model), answers, answers_of_others).mean())
        losses = losses_of(smaller, *judges.held_out)
        # Few held-out rows say little of a small loss: answers must stay near, too, but where an expert that goes did harm.
        harmful = expert_goes and _plainly_less(losses, losses_of(model, *judges.held_out))
        if expert_goes:
            near = harmful or (further <= room and further - moved <= ROOM_OF_AN_EXPERT * room)
        else:
            near = further <= room or limits.least is not None
        if losses.mean() <= limits.loss and near:
            if harmful:  # what it moved is not held against branches; what branches have moved so far is
                original, answers_of_others, room = answers_to(smaller, judges.choosing), answers, room - moved
                further = 0.0
            if expert_goes:
                whole, needed = _without_expert(whole, k), set()
                wanted = wanted_of(whole, judges.fitting)
            model, moved = smaller, further
            candidates = find_candidates(model, judges.choosing, original, judges.held_out)
        elif expert_goes:
            needed.add(k)
        else:
            step /= 2
    return model if model is whole else _restored_by_many(model, whole, judges, limits)


def _restored_by_many(model: PackedModel, whole: PackedModel, judges: _Judges, limits: _Limits) -> PackedModel:
    """Fit the leaves once more to what experts said before, by as many rows as fit into memory, unless held-out rows lose by it."""
    rows = judges.many[: max(FITTING_ROWS, MOST_PAIRS * model.n_experts // max(model.n_trees, 1))]
    after = _restored(model, np.arange(model.n_experts), rows, wanted_of(whole, rows))
    return after if mean_loss(after, *judges.held_out) <= limits.loss else model


def _visits_of(model: PackedModel, rows: Rows) -> float:
    visits = model.node_visits(rows).active
    if not visits:
        raise ValueError("This model tests no splits, so that there is no share of node visits to keep: leave node_visits=None.")
    return visits


def _spare(model: PackedModel, rows: Rows, least: float | None) -> float:
    """Node visits that may still go: any number where no share was asked for, of models without splits too."""
    return np.inf if least is None else model.node_visits(rows).active - least


def _plainly_less(losses: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> bool:
    change = losses - before
    return bool(change.mean() + PLAINLY * change.std() / np.sqrt(len(change)) < 0)


def _restored(model: PackedModel, changed: npt.NDArray[np.int64], rows: Rows, wanted: list[Wanted]) -> PackedModel:
    experts = experts_of(model)
    for k in changed:
        experts[k] = restored(experts[k], rows, wanted[k])
    return put_together(model, gate_of(model), experts)


def _work(model: PackedModel, rows: Rows) -> float:
    return model.node_visits(rows).active + model.multiply_adds(rows).active


def choose(candidates: Candidates, work: float, needed: set[int]) -> npt.NDArray[np.intp]:
    """Choose the weakest links, up to some work.

    Parameters
    ----------
    candidates : Candidates
        What could go.
    work : float
        Operations a row to save in one step.
    needed : set of int
        Experts that must stay.

    Returns
    -------
    ndarray of int
        Candidates, the weakest first: one whole expert alone, or branches.

    Examples
    --------
    >>> expert, node = np.array([0, 0, 1]), np.array([4, 7, WHOLE])
    >>> found = Candidates(expert, node, np.array([0.1, 0.0, 0.3]), np.array([5.0, 5.0, 2.0]), ())
    >>> choose(found, 6.0, set())
    array([1, 0])
    """
    open_ = ~((candidates.node == WHOLE) & np.isin(candidates.expert, list(needed))) & (candidates.saved > 0)
    weakest = np.flatnonzero(open_)
    weakest = weakest[np.argsort(candidates.change[weakest] / candidates.saved[weakest], kind="stable")]
    whole = np.flatnonzero(candidates.node[weakest] == WHOLE)
    if len(whole) and whole[0] == 0:
        return weakest[:1]
    branches = weakest[: whole[0]] if len(whole) else weakest
    return branches[: int(np.searchsorted(np.cumsum(candidates.saved[branches]), work)) + 1]


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
    >>> X, y = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]], np.float32), [0, 0, 0, 1, 1]
    >>> model = pack(DecisionTreeClassifier().fit(X, y))
    >>> found = find_candidates(model, X, model.predict_proba(X), (X, y))
    >>> cut_branches(model, found, np.array([0])).predict_proba(X[:1]).round(6)
    array([[0.6, 0.4]])
    """
    experts = experts_of(model)
    for k in np.unique(candidates.expert[chosen]):
        nodes = candidates.node[chosen][candidates.expert[chosen] == k]
        experts[k] = _cut_expert(experts[k], nodes, candidates.values[k])
    return put_together(model, gate_of(model), experts)


def _without_expert(model: PackedModel, k: int) -> PackedModel:
    rest = [expert for other, expert in enumerate(experts_of(model)) if other != k]
    return put_together(model, gate_without(gate_of(model), k), rest, precision=np.delete(model.precision, k))


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
