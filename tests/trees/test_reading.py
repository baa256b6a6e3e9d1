"""Every readable model: the same leaves, the same probabilities, also where a float32 step decides."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit.trees import as_rows, node_visits, read_trees
from ensemblekit.trees.link import probabilities
from ensemblekit.trees.visits import visits_per_row
from ensemblekit.trees.walk import leaf_nodes, margins
from tests.trees import zoo


def ours(trees, X):
    return probabilities(margins(trees, as_rows(X, trees.n_features)), trees.link)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", zoo.PLAIN)
def test_probabilities_on_the_knifes_edge(name, n_classes):
    X, y = zoo.table(n_classes)
    model = zoo.fit(zoo.PLAIN[name](), X, y)
    trees = read_trees(model)
    boosted = "hist" in name or "lightgbm" in name
    edge = zoo.knife_edge(trees, X, infinite=boosted, missing=name in zoo.TAKES_MISSING)
    for rows in (X, edge):
        np.testing.assert_allclose(ours(trees, rows), zoo.proba(model, rows), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", zoo.TAKES_MISSING)
def test_missing_values_seen_in_training(name, n_classes):
    X, y = zoo.table(n_classes, missing=True)
    model = zoo.fit(zoo.PLAIN[name](), X, y)
    trees = read_trees(model)
    edge = zoo.knife_edge(trees, X, infinite=False)
    np.testing.assert_allclose(ours(trees, edge), zoo.proba(model, edge), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", zoo.CATEGORICAL)
def test_categories(name, missing, n_classes):
    X, y = zoo.table(n_classes, missing=missing, categorical=True)
    model = zoo.fit(zoo.CATEGORICAL[name](), X, y, categorical=True)
    trees = read_trees(model)
    assert len(trees.category_start) > 1, "no categorical split: the test would show nothing"
    rows = X.copy()
    if not name.startswith("xgboost"):  # XGBoost refuses codes that it has never seen
        rows[:60, 0], rows[60:120, 1] = 15, 200
        rows[120:140, 1] = 69  # a gap inside of the known range, for some tables
        rows[140:150, 0] = -1
    rows[150:200, :2] = np.nan
    np.testing.assert_allclose(ours(trees, rows), zoo.proba(model, rows), atol=1e-6)


@pytest.mark.parametrize("name", ["random forest", "decision tree", "xgboost", "lightgbm"])
def test_leaf_choice_is_exact(name):
    X, y = zoo.table(3, missing=True)
    model = zoo.fit(zoo.PLAIN[name](), X, y)
    trees = read_trees(model)
    edge = zoo.knife_edge(trees, X, infinite=False)
    theirs = _their_leaves(model, edge)
    found = leaf_nodes(trees, edge)
    for tree in range(trees.n_trees):  # libraries number leaves in their own ways: the two must be one to one
        pairs = set(zip(found[:, tree].tolist(), theirs[:, tree].tolist(), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _their_leaves(model, X):
    if hasattr(model, "booster_"):
        return model.booster_.predict(X, pred_leaf=True)
    return np.asarray(model.apply(X)).reshape(len(X), -1)


def test_nearest_float32_thresholds_would_be_caught():
    """The knife-edge rows can tell a naive cast from the right rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 8))
    X = (X.astype(np.float32).astype(np.float64) + np.nextafter(X.astype(np.float32), np.float32(9))) / 2
    model = zoo.fit(zoo.PLAIN["hist gradient boosting"](), X, (X[:, 0] + X[:, 1] > 0).astype(int))
    trees = read_trees(model)
    edge = zoo.knife_edge(trees, X.astype(np.float32))
    exact = ours(trees, edge)
    np.testing.assert_allclose(exact, zoo.proba(model, edge), atol=1e-6)
    naive = np.concatenate([p.nodes["num_threshold"] for it in model._predictors for p in it]).astype(np.float32)
    object.__setattr__(trees, "threshold", naive)
    assert np.abs(ours(trees, edge) - exact).max() > 1e-3


def test_visits_equal_the_decision_path():
    X, y = zoo.table(3)
    forest = zoo.fit(zoo.PLAIN["random forest"](), X, y)
    trees = read_trees(forest)
    path, _ = forest.decision_path(X)
    expected = np.asarray(path.sum(axis=1)).ravel() - trees.n_trees  # the path counts leaves
    np.testing.assert_array_equal(visits_per_row(trees, X), expected)
    assert node_visits(forest, X) == pytest.approx(expected.mean())


def test_visits_are_at_most_the_depth_of_every_tree():
    X, y = zoo.table(2)
    for name in ("xgboost", "lightgbm", "hist gradient boosting"):
        trees = read_trees(zoo.fit(zoo.PLAIN[name](), X, y))
        visits = visits_per_row(trees, X)
        assert (visits <= trees.n_trees * trees.max_depth).all()
        assert (visits > 0).all()


def test_arrays_cannot_be_written():
    X, y = zoo.table(2)
    trees = read_trees(zoo.fit(zoo.PLAIN["random forest"](), X, y))
    with pytest.raises(ValueError, match="read-only"):
        trees.threshold[0] = 0
