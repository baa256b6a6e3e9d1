"""A stable and a quick gate on one stream."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ensemblekit.mixture.adapting import Recent
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.paired_gates import Rise, learn, page_sum, pair


def rows(seed, n_rows, *, switched=False):
    """Of two experts the first holds where the column is positive, and the other one elsewhere, or the other way round."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 1))
    first = rng.random(n_rows) < 1 / (1 + np.exp(-8 * X[:, 0]))
    first ^= rng.random(n_rows) < 0.1  # the answer that the other one expected, as often as its density says
    right = np.stack([first, ~first], axis=1)[:, :: -1 if switched else 1]
    return X, np.log(np.where(right, 0.9, 0.1))


@pytest.fixture
def gates():
    return pair(SoftmaxGate(alpha=0.1).set_contrasts(np.array([[-8.0]]), np.zeros(1)))


def test_the_sum_is_the_largest_over_all_ends_of_the_stream():
    gains = np.random.default_rng(0).normal(size=200)
    sums = [gains[begin:].sum() for begin in range(201)]
    whole = page_sum(Rise(), gains)
    assert_allclose(whole.nats, max(sums))
    assert whole.n_rows == 200 - np.argmax(sums)
    parts = Rise()
    for part in np.split(gains, [1, 30, 31, 90]):
        parts = page_sum(parts, part)
    assert_allclose(parts, whole)


def test_little_is_lost_while_nothing_changes(gates):
    """The quick gate may be ahead for a while, by chance; no change is believed, and answers stay nearly as likely."""
    first, begin, lost = gates.stable, gates, []
    for seed in range(6):
        gates = begin
        for piece in range(10):
            X, log_density = rows(100 * seed + piece, 50)
            told = [np.logaddexp.reduce(gate.log_proba(X) + log_density, axis=1).mean() for gate in (first, gates.gate)]
            lost.append(told[0] - told[1])
            gates = learn(gates, Recent(X, log_density, np.ones(50)), memory=100.0)
        assert not gates.changed
        assert gates.stable is first
    assert np.mean(lost) < 0.004  # the quick gate alone loses 0.006


@pytest.mark.parametrize("size", [40, 240])
def test_a_switch_is_found_where_it_is(gates, size):
    """However the stream is divided; what was before is forgotten by the stable gate."""
    before, after = rows(0, 240), rows(1, 240, switched=True)
    for X, log_density in (before, after):
        for piece in np.split(np.arange(240), 240 // size):
            gates = learn(gates, Recent(X[piece], log_density[piece], np.ones(size)), memory=100.0)
    assert gates.changed
    assert gates.settled
    assert abs(gates.since.weight.size - 240) <= 10
    assert gates.stable.contrasts()[0][0, 0] > 3
    assert gates.gate is gates.stable


def test_slow_change_is_answered_by_the_quick_gate(gates):
    """The border wanders; answers stay near it, and nearer than those of the fitted gate."""
    first, by_quick = gates.stable, []
    for piece in range(10):
        X, log_density = rows(piece, 50)
        gates = learn(gates, Recent(X + 0.1 * piece, log_density, np.ones(50)), memory=100.0)
        by_quick.append(gates.gate is gates.quick)
    X, log_density = rows(99, 1000)
    loss = [-np.logaddexp.reduce(gate.log_proba(X + 0.9) + log_density, axis=1).mean() for gate in (first, gates.gate)]
    assert loss[1] < loss[0] - 0.2
    assert any(by_quick)


@pytest.mark.parametrize("densities", [[-1e9, 0.0], [-np.inf, 0.0], [-np.inf, -np.inf]])
def test_one_row_is_no_change(gates, densities):
    X, log_density = rows(0, 50)
    X[20], log_density[20] = 5.0, densities  # the gate is sure of the first expert
    gates = learn(gates, Recent(X, log_density, np.ones(50)), memory=100.0)
    assert not gates.changed
    assert np.isfinite(gates.lead)
