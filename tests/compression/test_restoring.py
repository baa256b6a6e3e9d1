"""Leaves that stay say what the expert said before: exactly where they can, nearer than before where they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor

from ensemblekit.compression.losses import mean_loss
from ensemblekit.compression.pruning import choose, cut_branches
from ensemblekit.compression.restoring import ROWS_THAT_HOLD, Wanted, restored, wanted_of
from ensemblekit.compression.tempering import tempered
from ensemblekit.compression.weak_links import find_candidates
from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression
from ensemblekit.packed import pack
from ensemblekit.packed.taking_apart import experts_of
from ensemblekit.trees.walk import leaf_nodes, margins


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_regimes_classification(1500, 5, n_classes=3, random_state=0)
    return X.astype(np.float32), y


@pytest.fixture(scope="module")
def booster(table):
    return pack(GradientBoostingClassifier(n_estimators=40, learning_rate=0.3, random_state=0).fit(table[0][:500], table[1][:500]))


def cut_in_half(model, X, y):
    found = find_candidates(model, X, model.predict_proba(X) if model.is_classifier else model.predict(X)[:, None])
    return cut_branches(model, found, choose(found, 0.5 * model.node_visits(X).active))


def test_an_expert_that_says_what_is_wanted_stays_as_it_is(booster, table):
    (expert,), (wanted,) = experts_of(booster), wanted_of(booster, table[0])
    assert np.allclose(restored(expert, table[0], wanted).trees.leaf_values, expert.trees.leaf_values, atol=1e-12)


def test_the_gradient_of_the_ridge_vanishes(table):
    """Of one tree, whose leaves share no row, the solution is known: each leaf goes the way of its rows, as far as their number says."""
    X, y, _ = make_regimes_regression(800, 5, random_state=0)
    X = X.astype(np.float32)
    (expert,) = experts_of(pack(RandomForestRegressor(1, max_depth=3, random_state=0).fit(X, y)))
    weights = np.random.default_rng(0).uniform(size=(800, 1))
    wanted = Wanted(y[:, None], weights)
    moved = restored(expert, X, wanted).trees.leaf_values - expert.trees.leaf_values
    leaf = expert.trees.leaf[leaf_nodes(expert.trees, X)[:, 0]]
    weight = weights[:, 0] / weights.mean()
    short = y - margins(expert.trees, X)[:, 0]
    by_hand = np.bincount(leaf, weight * short) / (np.bincount(leaf, weight) + ROWS_THAT_HOLD)
    assert np.allclose(moved[:, 0], by_hand, rtol=1e-4, atol=1e-6 * np.ptp(y))


@pytest.mark.parametrize("kind", ["booster", "regression"])
def test_cut_trees_come_nearer_to_what_they_said_also_on_other_rows(booster, table, kind):
    X, y = table
    if kind == "regression":
        X, y, _ = make_regimes_regression(1500, 5, random_state=0)
        X = X.astype(np.float32)
        model = pack(RandomForestRegressor(10, random_state=0).fit(X[:500], y[:500]))
    else:
        model = booster
    (before,), (cut,) = experts_of(model), experts_of(cut_in_half(model, X[:900], y[:900]))
    after = restored(cut, X[:900], wanted_of(model, X[:900])[0])
    said, left, again = (margins(expert.trees, X[900:]) for expert in (before, cut, after))
    assert np.square(again - said).sum() < {"booster": 0.6, "regression": 0.9}[kind] * np.square(left - said).sum()


def test_boosters_become_as_sure_as_held_out_rows_allow(booster, table):
    """Margins that are too large, or too small, are found out; those of a calibrated model stay nearly."""
    X, y = table[0][500:], table[1][500:]
    right = tempered(booster, X, y)
    assert mean_loss(right, X, y) <= mean_loss(booster, X, y)
    assert np.array_equal(right.base, booster.base)
    for factor in (0.8, 2.0):
        wrong = replace(right, scale=right.scale * factor)
        assert tempered(wrong, X, y).scale == pytest.approx(right.scale, rel=0.1)
