"""The generators draw from the mixtures that they say they draw from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from ensemblekit.datasets import make_regimes_classification, make_regimes_regression

MANY = 20_000


def test_within_a_regime_a_linear_rule_finds_what_over_the_table_it_does_not():
    X, y, regime = make_regimes_classification(MANY, 6, n_regimes=3, random_state=3)
    whole = LogisticRegression().fit(X, y).score(X, y)
    within = [LogisticRegression().fit(X[regime == k], y[regime == k]).score(X[regime == k], y[regime == k]) for k in range(3)]
    assert min(within) > 0.75
    assert whole < min(within) - 0.1


def test_regression_noise_is_what_was_asked_for():
    X, y, regime = make_regimes_regression(MANY, 5, n_regimes=2, noise=0.7, random_state=0)
    for k in (0, 1):
        rows = regime == k
        rule = LinearRegression().fit(X[rows], y[rows])
        assert np.std(y[rows] - rule.predict(X[rows])) == pytest.approx(0.7, rel=0.05)
        # The first two columns belong to the gate alone.
        assert np.abs(rule.coef_[:2]).max() < 0.05


def test_the_gate_is_a_softmax_of_the_first_two_columns():
    X, _, regime = make_regimes_classification(MANY, 4, n_regimes=3, sharpness=2.0, random_state=1)
    gate = LogisticRegression(C=np.inf).fit(X, regime)
    angles = 2 * np.pi * np.arange(3) / 3
    expected = 2.0 * np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], axis=1)
    np.testing.assert_allclose(gate.coef_, expected - expected.mean(axis=0), atol=0.1)


def test_a_dull_gate_and_a_single_regime():
    assert make_regimes_classification(50, n_regimes=1, random_state=0)[2].max() == 0
    regime = make_regimes_classification(MANY, n_regimes=4, sharpness=0.0, random_state=0)[2]
    np.testing.assert_allclose(np.bincount(regime) / MANY, 0.25, atol=0.02)


def test_all_classes_and_the_same_table_for_the_same_seed():
    X, y, _ = make_regimes_classification(500, n_classes=4, random_state=0)
    again = make_regimes_classification(500, n_classes=4, random_state=0)
    assert set(y) == {0, 1, 2, 3}
    assert (again[0] == X).all()
    assert (y == again[1]).all()
    assert (X.round(4) == X).all()


@pytest.mark.parametrize("sizes", [{"n_features": 2}, {"n_regimes": 0}, {"n_classes": 1}])
def test_sizes_that_make_no_table(sizes):
    with pytest.raises(ValueError, match=f"{next(iter(sizes))} must be at least"):
        make_regimes_classification(10, **sizes)
