"""The corrected t against an independent implementation, and its level against correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
from baycomp import CorrelatedTTest
from scipy import stats

from ensemblekit_reports.statistics.correlated_t import correlated_t
from ensemblekit_reports.statistics.multiplicity import holm


@pytest.mark.parametrize(("repeats", "splits"), [(2, 2), (1, 5), (2, 5), (10, 10)])
@pytest.mark.parametrize("rope", [0.0, 0.01, 0.05])
def test_posterior_equals_baycomp(repeats, splits, rope):
    random = np.random.default_rng(repeats * 100 + splits)
    x, y = random.normal(0.8, 0.02, (2, repeats * splits))
    ours = correlated_t(y - x, 1 / (splits - 1), rope)
    theirs = CorrelatedTTest(x, y, rope, runs=repeats)
    assert ours.mean == pytest.approx(theirs.mean, abs=1e-10)
    found = (ours.worse, ours.equal, ours.better) if rope else (ours.worse, ours.better)
    np.testing.assert_allclose(found, theirs.probs(), atol=1e-10)


@pytest.mark.parametrize("difference", [0.0, 0.02, -0.02])
@pytest.mark.parametrize("n", [3, 10])
def test_without_variance_nothing_is_estimated(difference, n):
    # Here baycomp takes the limit, a point: three folds that agree would make two models equal beyond doubt.
    found = correlated_t([difference] * n, 1 / 2, 0.01)
    assert found.mean == pytest.approx(difference)
    assert np.isnan([found.low, found.high, found.worse, found.equal, found.better]).all()


def test_p_and_interval_agree_with_the_posterior():
    found = correlated_t(np.random.default_rng(1).normal(0.01, 0.02, 10), 1 / 4)
    assert found.p == pytest.approx(2 * min(found.worse, found.better), abs=1e-12)
    half = correlated_t(np.random.default_rng(1).normal(0.01, 0.02, 10), 1 / 4, confidence=1 - found.p)
    assert min(abs(half.low), abs(half.high)) < 1e-12


def test_without_overlap_it_is_the_ordinary_paired_t():
    differences = np.random.default_rng(2).normal(0.01, 0.02, 12)
    assert correlated_t(differences, 0.0).p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=1e-12)


def test_level_holds_where_the_correction_is_exact():
    # Exchangeable folds with correlation ratio / (1 + ratio) are the model behind the correction.
    random, n, ratio = np.random.default_rng(3), 10, 0.25
    shared = np.sqrt(ratio) * random.standard_normal((4000, 1))
    folds = shared + random.standard_normal((4000, n))
    corrected = np.mean([correlated_t(row, ratio).p < 0.05 for row in folds])
    naive = np.mean(stats.ttest_1samp(folds, 0, axis=1).pvalue < 0.05)
    assert 0.035 < corrected < 0.065
    assert naive > 0.2


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_folds_claim_nothing(n):
    found = correlated_t([0.1] * n, 0.25, 0.01)
    assert found.n == n
    assert np.isnan([found.low, found.high, found.p, found.worse, found.equal, found.better]).all()


def test_equal_differences_prove_no_more_than_sign_flips_allow():
    assert correlated_t([0.02] * 10, 1 / 4).p == 2.0**-4
    assert correlated_t([0.1 + 0.2 - 0.3 + 0.02, 0.02, 0.02], 1 / 2).p == 2.0**-2
    assert correlated_t([0.0] * 10, 1 / 4).p == 1.0


def test_holm_by_its_definition():
    random = np.random.default_rng(4)
    p = random.uniform(0, 0.2, 7)
    expected, running = np.empty(7), 0.0
    for rank, i in enumerate(np.argsort(p)):
        running = max(running, (7 - rank) * p[i])
        expected[i] = min(running, 1.0)
    np.testing.assert_allclose(holm(list(p)), expected, atol=1e-15)


def test_holm_leaves_out_what_was_not_tested():
    assert holm([float("nan")]) != [0.0]
    np.testing.assert_allclose(holm([0.01, float("nan"), 0.02]), [0.02, np.nan, 0.02])
    assert holm([]) == []
