"""What stays is what the certificates say: within the bound, cheaper, the same as cut by hand, and nothing is cut for nothing."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.compression import judging, needless, prune, pruning
from ensemblekit.compression.cutting import cut
from ensemblekit.compression.judging import ROOM, Judges, Limits
from ensemblekit.compression.losses import mean_loss, row_divergences
from ensemblekit.compression.needless import without_needless_experts
from ensemblekit.compression.pruning import cut_branches
from ensemblekit.compression.weak_links import find_candidates
from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression
from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, WeightedEnsembleClassifier, make_members
from ensemblekit.mixture import BoostedExperts, HierarchicalGate, MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.packed import pack, reference
from ensemblekit.packed.taking_apart import experts_of, gate_of, put_together
from ensemblekit.trees import as_rows, read_trees
from ensemblekit.trees.walk import margins


def members():
    return [
        ("forest", RandomForestClassifier(5, max_depth=5, random_state=0)),
        ("lightgbm", make_members("lightgbm", random_state=0)[0][1].set_params(n_estimators=12, num_leaves=7)),
        ("linear", LogisticRegression()),
    ]


def boosted(**settings):
    return MixtureOfExpertsClassifier(3, experts=BoostedExperts(n_estimators=20, num_leaves=7, n_init=2), random_state=0, **settings)


CLASSIFIERS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(8, random_state=0),
    "boosted mixture": boosted(routing="top_k"),
    "product": boosted(combination="product"),
    "averaging": AveragingEnsembleClassifier(members()),
    "vote": VotingEnsembleClassifier(members()),
    "linear mixture": MixtureOfExpertsClassifier(3, n_init=2, random_state=0),
    "hierarchy": MixtureOfExpertsClassifier(4, gate=HierarchicalGate(), n_init=2, random_state=0),
}


SLOW = ("product", "vote")


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_regimes_classification(900, 5, n_classes=3, random_state=0)
    return X.astype(np.float32), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def packs(table):
    X, y = table
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experts .* answer for less", UserWarning)
        return {name: pack(model.fit(X[:500], y[:500])) for name, model in CLASSIFIERS.items()}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_parts_put_together_answer_as_before(packs, table, name):
    model = packs[name]
    again = put_together(model, gate_of(model), experts_of(model))
    assert np.array_equal(again.predict_proba(table[0]), model.predict_proba(table[0]))
    assert again.node_visits(table[0]) == model.node_visits(table[0])


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CLASSIFIERS])
def test_pruned_models_stay_within_the_bound_and_cost_no_more(packs, table, name):
    X, y = table[0][500:], table[1][500:]
    model, pruned = packs[name], prune(packs[name], X, y, max_loss_increase=0.02)
    assert pruned.report.before.loss == mean_loss(model, X, y)
    assert pruned.report.after.loss == mean_loss(pruned.model, X, y) <= pruned.report.before.loss + 0.02
    assert pruned.model.node_visits(X).active <= model.node_visits(X).active
    assert pruned.model.multiply_adds().active <= model.multiply_adds().active
    if model.n_trees > 1:  # of one deep tree, which is always sure, hardly anything can go
        assert pruned.report.after.node_visits < pruned.report.before.node_visits
    answers = pruned.model.predict_proba(X)
    assert np.allclose(answers.sum(axis=1), 1)
    assert np.abs(answers - reference.predict_proba(pruned.model, X)).max() < 1e-9


@pytest.mark.parametrize("name", ["tree", "forest", "boosted mixture", "product", "averaging", "vote"])
def test_each_candidate_changes_the_model_by_what_it_says(packs, table, name):
    """Carried out alone on the rows that judged it, a branch saves the visits that were promised."""
    model, X = packs[name], table[0][500:]
    found = find_candidates(model, X, model.predict_proba(X))
    rng = np.random.default_rng(0)
    for one in rng.permutation(len(found.node))[:6]:
        smaller = cut_branches(model, found, np.array([one]))
        assert model.node_visits(X).active - smaller.node_visits(X).active == pytest.approx(found.saved[one])


def test_the_change_of_a_branch_is_the_divergence_from_the_old_answers(table):
    """With many rows in the node, leaving a row out of its leaf's value hardly matters."""
    X = table[0]
    model = pack(RandomForestClassifier(5, max_depth=3, random_state=0).fit(X[:500], table[1][:500]))
    original = model.predict_proba(X)
    found = find_candidates(model, X, original)
    for one in np.argsort(-found.saved)[:8]:
        answers = cut_branches(model, found, np.array([one])).predict_proba(X)
        divergence = (original * np.log(np.maximum(original, 1e-6) / np.maximum(answers, 1e-6))).sum(axis=1).mean()
        assert found.change[one] == pytest.approx(divergence, rel=0.1)


def test_experts_that_a_gate_never_asks_go_first(table):
    X, y = table
    weighted = WeightedEnsembleClassifier(members(), weights=[1, 0, 0]).fit(X[:500], y[:500])
    packed = pack(weighted)
    packed = replace(packed, gate=np.array([[0.0, -np.inf, -np.inf]]))
    pruned = prune(packed, X[500:], y[500:], max_loss_increase=0.0).model
    assert pruned.n_experts == 1
    assert mean_loss(pruned, X[500:], y[500:]) <= mean_loss(packed, X[500:], y[500:])


def harmed(table):
    """A forest and a tree of noise with equal weights, and the forest alone."""
    X, y = table
    forest, noise = RandomForestClassifier(8, min_samples_leaf=10, random_state=0), DecisionTreeClassifier(random_state=0)
    noise.fit(X[:500], np.random.default_rng(0).permutation(y[:500]))
    both = AveragingEnsembleClassifier([("forest", forest), ("noise", FrozenEstimator(noise))]).fit(X[:500], y[:500])
    return pack(both), pack(forest.fit(X[:500], y[:500]))


def test_an_expert_goes_where_labels_plainly_want_it(table):
    """However little room answers have; what it moves is not held against what goes later."""
    X, y = table[0][500:], table[1][500:]
    model, alone = harmed(table)
    judges = Judges.of(X, X, y)
    left, moved = without_needless_experts(model, judges, Limits(np.inf, 0.0, None))
    assert np.array_equal(left.predict_proba(X), alone.predict_proba(X))
    assert moved == 0
    assert without_needless_experts(model, judges, Limits(0.0, 0.0, None)).model is model


@pytest.mark.parametrize(("times", "left"), [(1.7, 2), (2.5, 1)])
def test_an_expert_may_take_the_share_of_the_room_that_it_has_in_the_work(table, times, left):
    """One of two like forests has half of it."""
    X, y = table[0][500:], table[1][500:]
    forests = [(str(seed), RandomForestClassifier(5, max_depth=4, random_state=seed)) for seed in range(2)]
    model = pack(AveragingEnsembleClassifier(forests).fit(table[0][:500], table[1][:500]))
    judges = Judges.of(X, X, y)
    answers, alone = model.predict_proba(judges.others), pack(forests[1][1].fit(table[0][:500], table[1][:500]))
    moved = row_divergences("log-loss", alone.predict_proba(judges.others), answers).mean()
    found = without_needless_experts(model, judges, Limits(np.inf, times * moved, None))
    assert found.model.n_experts == left


def test_branches_can_still_go_after_an_expert_that_moved_the_answers_far(table):
    """The labels wanted it gone: that it moved the answers is not held against the branches of those that stay."""
    X, y = table
    model, alone = harmed(table)
    pruned = prune(model, X[500:], y[500:], max_loss_increase=0.01).model
    assert pruned.n_experts == 1
    far = row_divergences("log-loss", pruned.predict_proba(X[500:]), model.predict_proba(X[500:])).mean()
    assert far > ROOM * 0.01
    assert pruned.node_visits(X).active < 0.95 * alone.node_visits(X).active


def test_an_expert_that_did_no_harm_stays_where_no_answer_may_move(table, monkeypatch):
    """Though held-out rows would lose less without it than they may."""
    X, y = table
    forests = [(str(seed), RandomForestClassifier(5, min_samples_leaf=5, random_state=seed)) for seed in range(2)]
    model = pack(AveragingEnsembleClassifier(forests).fit(X[:500], y[:500]))
    monkeypatch.setattr(pruning, "ROOM", 0.0)
    assert mean_loss(pack(forests[0][1].fit(X[:500], y[:500])), X[500:], y[500:]) < mean_loss(model, X[500:], y[500:]) + 0.2
    assert prune(model, X[500:], y[500:], max_loss_increase=0.2).model.n_experts == 2


def test_regressors(table):
    X, y, _ = make_regimes_regression(800, 5, random_state=0)
    X = X.astype(np.float32)
    bound = 0.05 * np.var(y)
    for model in (
        RandomForestRegressor(10, random_state=0),
        MixtureOfExpertsRegressor(3, experts=BoostedExperts(n_estimators=20, n_init=2), random_state=0),
    ):
        packed = pack(model.fit(X[:500], y[:500]))
        pruned = prune(packed, X[500:], y[500:], max_loss_increase=bound)
        losses = [np.mean((one.predict(X[500:]) - y[500:]) ** 2) for one in (packed, pruned.model)]
        assert losses[1] <= losses[0] + bound
        assert pruned.report.after.node_visits < pruned.report.before.node_visits


def test_cut_trees_answer_as_a_tree_that_never_grew(table):
    """A tree cut at depth 2 is scikit-learn's tree of depth 2, leaf by leaf."""
    X, y = table
    deep = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, y)
    shallow = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    trees = read_trees(deep)
    smaller = cut(trees, trees.depth == 2, deep.tree_.value[:, 0, :], np.array([True]))
    assert np.allclose(margins(smaller, as_rows(X, 5)), shallow.predict_proba(X))
    assert smaller.max_depth == 2


def test_cutting_stops_at_the_share_of_visits_that_was_asked_for(packs, table):
    """Answers may move further than the room on the way there, but held-out rows must not lose more than they may."""
    X, y = table[0][500:], table[1][500:]
    model = packs["forest"]
    before, by_loss = model.node_visits(X).active, prune(model, X, y, max_loss_increase=0.5).model.node_visits(X).active
    pruned = prune(model, X, y, max_loss_increase=0.5, node_visits=0.7)
    assert by_loss < 0.6 * before < 0.65 * before < pruned.report.after.node_visits <= 0.7 * before
    strict = prune(model, X, y, max_loss_increase=0.0, node_visits=0.1)
    assert strict.report.after.loss <= strict.report.before.loss


def test_a_share_to_come_down_to_lets_answers_move_further(packs, table, monkeypatch):
    X, y = table[0][500:], table[1][500:]
    monkeypatch.setattr(pruning, "ROOM", 0.0)
    assert prune(packs["forest"], X, y, max_loss_increase=0.5).model.node_visits(X) == packs["forest"].node_visits(X)
    halved = prune(packs["forest"], X, y, max_loss_increase=0.5, node_visits=0.5).report
    assert halved.after.node_visits <= 0.5 * halved.before.node_visits


def test_the_order_of_rows_does_not_matter(packs, table):
    X, y = table[0][500:], table[1][500:]
    order = np.random.default_rng(0).permutation(len(X))
    one, other = (prune(packs["forest"], X[rows], y[rows], unlabelled=table[0][:500]).model for rows in (slice(None), order))
    assert np.array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("share", [0.0, 1.0, 50])
def test_a_share_of_visits_that_is_none(packs, table, share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        prune(packs["tree"], *table, node_visits=share)


@pytest.mark.parametrize(
    ("X", "y", "bound", "message"),
    [
        (np.zeros((8, 5)), ["a"] * 8, -0.1, "must not be negative"),
        (np.zeros((2, 5)), ["a"] * 2, 0.1, "at least four"),
        (np.zeros((8, 5)), ["z"] * 8, 0.1, "labels that the model does not know"),
        (np.zeros((8, 5)), ["a"] * 8, np.nan, "must not be negative"),
        (np.zeros((8, 5)), [["a"]] * 8, 0.1, r"y of shape \(8, 1\)"),
        (np.zeros((8, 5)), None, 0.1, r"y of shape \(\)"),
        (np.zeros((8, 4)), ["a"] * 8, 0.1, r"Expected rows of shape \(n, 5\)"),
        (np.full((8, 5), np.inf), ["a"] * 8, 0.1, r"columns \[0, 1, 2, 3, 4\] hold infinity"),
    ],
)
def test_input_that_cannot_serve(packs, X, y, bound, message):
    with pytest.raises(ValueError, match=message):
        prune(packs["tree"], X, y, max_loss_increase=bound)


def test_amounts_that_are_none(table):
    X = table[0]
    with pytest.raises(ValueError, match="1 of 900 answers are NaN"):
        prune(RandomForestRegressor(2, max_depth=2, random_state=0).fit(X, X[:, 0]), X, np.where(np.arange(900) == 3, np.nan, X[:, 0]))


def test_log_loss_is_scikit_learns(packs, table):
    model = packs["averaging"]
    assert mean_loss(model, *table) == pytest.approx(log_loss(table[1], model.predict_proba(table[0])))


def linear_average(table):
    """Four copies of one model, of which one would do."""
    members = [(str(k), LogisticRegression()) for k in range(4)]
    return pack(AveragingEnsembleClassifier(members).fit(table[0][:500], table[1][:500]))


@pytest.mark.filterwarnings("ignore:Experts .* answer for less")
def test_experts_of_models_without_splits_go(table):
    X, y = table
    average = linear_average(table)
    assert prune(average, X[500:], y[500:], max_loss_increase=0.01).model.n_experts == 1
    too_many = pack(MixtureOfExpertsClassifier(5, n_init=1, tol=1e-2, random_state=0).fit(X[:500], y[:500]))
    assert prune(too_many, X[500:], y[500:], max_loss_increase=0.1).model.n_experts < 5


def test_models_without_splits_have_no_share_of_visits(table):
    with pytest.raises(ValueError, match="tests no splits"):
        prune(linear_average(table), *table, node_visits=0.5)


@pytest.mark.parametrize("limits", [{"node_visits": "half"}, {"node_visits": True}, {"max_loss_increase": None}])
def test_limits_that_are_no_numbers(packs, table, limits):
    with pytest.raises(TypeError, match=f"{next(iter(limits))} must be a number"):
        prune(packs["tree"], *table, **limits)


def test_rows_that_would_skip_the_steps_of_a_pipeline_or_have_other_columns(table):
    X, y = table
    forest = RandomForestClassifier(3, max_depth=2, random_state=0)
    with pytest.raises(ValueError, match="leaves its first steps outside"):
        prune(make_pipeline(StandardScaler(), forest).fit(X, y), X, y)
    frame = pd.DataFrame(X, columns=list("abcde"))
    forest.fit(frame, y)
    for given in ({"X": frame[list("edcba")]}, {"X": frame, "unlabelled": frame[list("edcba")]}):
        with pytest.raises(ValueError, match="fitted to"):
            prune(forest, y=y, **given)


@pytest.mark.parametrize("rename", ["mean {}".format, int])
def test_columns_as_libraries_keep_their_names(table, rename):
    """LightGBM writes underscores for spaces and strings for numbers; a frame with the names of the fit serves all the same."""
    X, y = table
    frame = pd.DataFrame(X, columns=[rename(column) for column in range(5)])
    model = LGBMClassifier(n_estimators=5, verbose=-1).fit(frame, y)
    assert list(model.feature_names_in_) != list(frame.columns)
    assert prune(model, frame, y).model.n_features == 5
    if isinstance(frame.columns[0], str):
        with pytest.raises(ValueError, match="fitted to"):
            prune(model, frame[frame.columns[::-1]], y)


def test_experts_without_any_work(table):
    X, y = table
    leaves = [(str(k), DecisionTreeClassifier(min_samples_leaf=len(X))) for k in range(3)]
    model = pack(AveragingEnsembleClassifier(leaves).fit(X, y))
    assert np.allclose(prune(model, X, y).model.predict_proba(X), model.predict_proba(X))


def test_experts_go_no_further_than_the_share_that_was_asked_for(table):
    """Of five like trees, of which any could go, one takes a fifth of the visits with it."""
    X, y = table
    trees = [(str(k), DecisionTreeClassifier(max_depth=4, random_state=0)) for k in range(5)]
    model = pack(AveragingEnsembleClassifier(trees).fit(X[:500], y[:500]))
    report = prune(model, X[500:], y[500:], node_visits=0.9).report
    assert report.after.node_visits == pytest.approx(0.8 * report.before.node_visits)


def test_experts_are_asked_once_and_put_together_only_where_one_goes(table, monkeypatch):
    """However many of them are tried."""
    X, y = table
    trees = [(str(k), DecisionTreeClassifier(max_depth=4, random_state=0)) for k in range(5)]
    model = pack(AveragingEnsembleClassifier(trees).fit(X[:500], y[:500]))
    calls = {"ask": 0, "without_expert": 0}
    for name in calls:
        real = getattr(needless, name)

        def counted(*given, name=name, real=real):
            calls[name] += 1
            return real(*given)

        monkeypatch.setattr(needless, name, counted)
    left = without_needless_experts(model, Judges.of(X[500:], X[500:], y[500:]), Limits(np.inf, np.inf, None)).model
    assert left.n_experts == 1
    assert calls == {"ask": 2 * 5, "without_expert": 4}


def test_leaves_are_fitted_by_many_rows_in_the_end(monkeypatch):
    """Which brings answers to rows that took no part nearer to what they were, where no step had to be taken back."""
    X, y, _ = make_regimes_regression(1200, 5, random_state=0)
    model = pack(LGBMRegressor(n_estimators=60, verbose=-1).fit(X[:400], y[:400]))
    far = []
    for rows in (0, 16_000):
        monkeypatch.setattr(judging, "MORE_ROWS", rows)
        pruned = prune(model, X[400:800], y[400:800], max_loss_increase=np.var(y), node_visits=0.5).model
        far.append(np.mean((pruned.predict(X[800:]) - model.predict(X[800:])) ** 2))
    assert far[1] < 0.9 * far[0]
