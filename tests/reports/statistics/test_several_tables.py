"""Tests over tables against baycomp and scipy, and their silence when tables are few."""

from __future__ import annotations

import numpy as np
import pytest
from baycomp import SignedRankTest
from scipy import stats

from ensemblekit_reports.statistics.multiplicity import holm
from ensemblekit_reports.statistics.several_tables import MIN_TABLES, across_tables, friedman, region_shares, tables_to_tell


@pytest.mark.parametrize("rope", [0.01, 0.05])
def test_signed_ranks_equal_baycomp_draw_by_draw(rope):
    values = np.random.default_rng(0).normal(0.01, 0.03, 9)
    theirs = SignedRankTest.sample(np.zeros(9), values, rope, nsamples=200, random_state=5)
    weights = np.random.RandomState(5).dirichlet([0.5] + [1.0] * 9, 200)  # as baycomp draws
    np.testing.assert_allclose(region_shares(values, weights, rope), theirs, atol=1e-10)


def test_posterior_is_baycomps_up_to_its_sampling_error():
    values = np.random.default_rng(1).normal(0.01, 0.02, 12)
    ours = across_tables(values, 0.01, seed=0)
    theirs = SignedRankTest.probs(np.zeros(12), values, 0.01, nsamples=10_000, random_state=1)
    np.testing.assert_allclose((ours.worse, ours.equal, ours.better), theirs, atol=0.03)
    assert ours.worse + ours.equal + ours.better == pytest.approx(1)


def test_p_is_wilcoxons():
    values = np.random.default_rng(2).normal(0.01, 0.02, 8)
    assert across_tables(values, 0.01, seed=0).p == pytest.approx(stats.wilcoxon(values).pvalue)


@pytest.mark.parametrize("n", range(MIN_TABLES))
def test_few_tables_are_described_and_not_tested(n):
    found = across_tables(np.full(n, 0.3), 0.01, seed=0)
    assert found.n == n
    assert np.isnan([found.p, found.low, found.high, found.worse, found.equal, found.better]).all()


def test_five_tables_could_never_show_anything():
    assert stats.wilcoxon([0.1, 0.2, 0.3, 0.4, 0.5]).pvalue > 0.05
    assert across_tables([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.01, seed=0).p < 0.05


def test_equal_models_on_every_table():
    found = across_tables(np.zeros(7), 0.01, seed=0)
    assert found.p == 1.0
    assert found.equal > 0.99


@pytest.mark.parametrize("gain", [0.0, 0.1, -0.3])
def test_equal_gains_on_every_table_give_no_interval(gain):
    # 0.1 + 0.2 - 0.2 is not quite 0.1: rounding is no spread.
    found = across_tables([gain] * 6 + [gain + 0.2 - 0.2], 0.01, seed=0)
    assert found.mean == pytest.approx(gain)
    assert np.isnan([found.low, found.high]).all()


def test_bootstrap_is_seeded_and_covers():
    values = np.random.default_rng(3).normal(0.0, 1.0, 30)
    first, again, other = (across_tables(values, 0.01, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.low != other.low
    expected = values.std() / np.sqrt(30) * 1.96
    assert first.high - first.mean == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("n", "precision"), [(6, 0.2), (30, 0.1)])
def test_the_interval_is_about_students_where_that_is_exact(n, precision):
    values = stats.norm.ppf((np.arange(n) + 0.5) / n)
    found, student = across_tables(values, 0.01, seed=0), stats.t(n - 1, 0, stats.sem(values)).interval(0.95)
    # Plain percentiles of six resampled tables come to 0.70 of it.
    assert (found.low, found.high) == pytest.approx(student, rel=precision)


def test_rounding_is_no_difference():
    values = np.array([0.1, 0.2, -0.1, 0.3, 0.0, 0.4, 0.2])
    blurred = values + np.array([1, -1, 1, -1, 1, -1, 1]) * 1e-17 + (values == 0) * 1e-16
    exact, found = across_tables(values, 0.01, seed=0), across_tables(blurred, 0.01, seed=0)
    assert (found.p, found.signed_ranks) == (exact.p, exact.signed_ranks)
    scores = np.column_stack([values, values[::-1], blurred])
    assert friedman(scores).mean_ranks[0] == friedman(scores).mean_ranks[2]
    assert friedman(scores).pairs[0][2] == 1.0


def test_the_direction_is_that_of_the_ranks_that_are_tested():
    # Without the zeros the ranks are 1 + 2 against 3: level. Ranked among them, two against one would win.
    assert across_tables([0.1, 0.2, -0.3, 0.0, 0.0, 0.0], 0.01, seed=0).signed_ranks == 0


def test_where_nothing_differs_no_side_is_more_probable():
    found = across_tables(np.zeros(7), 0.0, seed=0)
    assert (found.worse, found.equal, found.better) == (0.0, 1.0, 0.0)
    assert across_tables([0, 0, 0, 0, 0, 0.1], 0.0, seed=0).better < 0.5


def test_ranks_have_intervals_that_hold_them():
    found = friedman(np.random.default_rng(4).uniform(size=(8, 3)) + np.array([0, 0, 9]))
    for rank, (low, high) in list(zip(found.mean_ranks, found.rank_intervals, strict=True))[:2]:
        assert 1 <= low < rank < high <= 3
    assert np.isnan(found.rank_intervals[2]).all()
    assert np.isnan(friedman(np.ones((6, 3))).rank_intervals).all()


@pytest.mark.parametrize("n_pairs", [1, 2, 7, 14, 36])
def test_so_many_tables_can_tell_a_pair_apart_and_one_less_cannot(n_pairs):
    n = tables_to_tell(n_pairs, 0.05)
    smallest = [holm([across_tables(np.arange(1, size + 1), 0.01, seed=0).p] + [1.0] * (n_pairs - 1))[0] for size in (max(n - 1, 6), n)]
    assert smallest[1] < 0.05
    assert n == 6 or smallest[0] >= 0.05


def test_one_pair_has_one_p_whichever_way_it_is_asked():
    differences = np.concatenate([np.random.default_rng(0).normal(0.3, 1, 14), [0, 0]])
    scores = np.column_stack([differences, np.zeros(16), np.full(16, -9)])
    assert friedman(scores).pairs[0][1] == pytest.approx(across_tables(differences, 0.01, seed=0).p)


def test_friedman_is_scipys():
    scores = np.random.default_rng(4).uniform(size=(8, 4))
    found = friedman(scores)
    theirs = stats.friedmanchisquare(*scores.T)
    assert (found.statistic, found.p) == (pytest.approx(theirs.statistic), pytest.approx(theirs.pvalue))
    assert sum(found.mean_ranks) == pytest.approx(10)
    assert np.argmin(found.mean_ranks) == np.argmin(stats.rankdata(-scores, axis=1).mean(axis=0))


@pytest.mark.parametrize("shape", [(1, 4), (5, 4), (8, 2)])
def test_friedman_is_refused(shape):
    with pytest.raises(ValueError, match=r"at least 6 tables and 3 models, got \d and \d; folds are not tables"):
        friedman(np.zeros(shape))


def test_friedman_without_any_difference():
    assert friedman(np.ones((6, 3))).p == 1.0
