"""Pairing: common folds, direction of the metric, the family of pairs."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.reporting.comparisons import (
    BETTER,
    UNDECIDED,
    UNTESTED,
    compare_on_table,
    compare_over_tables,
    compared_pairs,
)
from ensemblekit_reports.reporting.sentences import evidence, sentence
from ensemblekit_reports.statistics.correlated_t import correlated_t
from tests.reports.reporting.synthetic import LEVELS, MODELS, fail, study


def one_table(**changes):
    return study({"iris": LEVELS["iris"]}, **changes)


def test_folds_are_paired_whatever_the_order_of_rows():
    results = one_table()
    (expected,) = compare_on_table(results, "iris", [("moe", "logistic")])
    shuffled = results.cells.sample(frac=1, random_state=0)
    results.cells.iloc[:] = shuffled.to_numpy()
    (found,) = compare_on_table(results, "iris", [("moe", "logistic")])
    assert found.gain == pytest.approx(expected.gain, abs=1e-15)
    assert found.p == pytest.approx(expected.p, abs=1e-12)


def test_only_common_folds_count():
    results = fail(fail(one_table(), "moe", 2), "logistic", 3)
    (found,) = compare_on_table(results, "iris", [("moe", "logistic")])
    wide = results.cells.pivot(index=["repeat", "fold"], columns="model", values="accuracy")
    common = (wide["moe"] - wide["logistic"]).dropna()
    assert (found.n, found.n_possible) == (7, 10)
    assert found.gain == pytest.approx(common.mean())
    assert found.p == pytest.approx(correlated_t(common, 0.25).p)


def test_scores_of_failed_folds_are_not_used():
    results = one_table()
    hit = results.cells["model"].eq("moe") & results.cells["fold"].eq(0)
    results.cells.loc[hit, ["status", "accuracy"]] = ["failed", 0.0]
    (found,) = compare_on_table(results, "iris", [("moe", "logistic")])
    assert found.n == 8
    assert abs(found.gain) < 0.05


def test_models_without_a_common_fold():
    (found,) = compare_on_table(fail(one_table(), "moe", 10), "iris", [("moe", "logistic")])
    assert (found.n, found.call) == (0, UNTESTED)
    assert np.isnan([found.gain, found.p, found.cost_ratio]).all()


def test_one_fold_is_described_and_not_tested():
    (found,) = compare_on_table(one_table(n_repeats=1, n_splits=1), "iris", [("moe", "logistic")])
    assert (found.n, found.call) == (1, UNTESTED)
    assert not np.isnan(found.gain)
    assert np.isnan(found.p)


def test_less_is_better_turns_the_sign():
    accuracy = compare_on_table(study(), "regimes", [("moe", "logistic")])[0]
    loss = compare_on_table(study(metric="log_loss"), "regimes", [("moe", "logistic")])[0]
    assert accuracy.gain > 0
    assert loss.gain == pytest.approx(2.5 * accuracy.gain)
    assert loss.call == BETTER


def test_cost_ratio_is_other_over_first():
    (found,) = compare_on_table(study(), "iris", [("moe", "averaging")])
    assert found.cost_ratio == pytest.approx(6.7e-3 / 3.1e-4, rel=0.2)


def test_every_mixture_faces_every_other_model():
    two = (*MODELS, MODELS[-1].__class__("moe-boosted", "Boosted mixture", "mixture", ""))
    pairs = compared_pairs(two)
    assert len(pairs) == 2 * 7
    assert {first for first, _ in pairs} == {"moe", "moe-boosted"}
    assert len(compared_pairs(MODELS[:7])) == 21
    assert len(compared_pairs(two[-2:])) == 1
    assert compared_pairs(MODELS[:1]) == ()


def test_identical_models_are_not_called_different():
    results = one_table()
    for name in ("accuracy", "log_loss"):
        same = results.cells.loc[results.cells["model"] == "logistic", name].to_numpy()
        results.cells.loc[results.cells["model"] == "moe", name] = same
    (found,) = compare_on_table(results, "iris", [("moe", "logistic")])
    # Nor equal: where no fold differs nothing says by how much others might.
    assert (found.gain, found.p, found.call) == (0.0, 1.0, UNDECIDED)
    assert "nan" not in sentence("M", "L", found, QUANTITIES["accuracy"], 0.01, few=False)
    assert evidence(found, QUANTITIES["accuracy"], few=False).startswith("No interval, since the difference is the same throughout; ")


def test_tables_with_few_rows_do_not_weigh_less():
    results = study()
    pairs = [("moe", "averaging")]
    by_table = [(t.name, compare_on_table(results, t.name, pairs)) for t in results.tables]
    (found,) = compare_over_tables(results, by_table)
    assert found.gain == pytest.approx(np.mean([c[0].gain for _, c in by_table]))
    assert found.call == UNTESTED
    assert found.better_on == tuple(name for name, (c,) in by_table if c.call == BETTER)
    assert "regimes" in found.better_on
    assert found.ahead + found.behind == 5


def test_six_tables_are_tested():
    levels = {f"t{i}": (*LEVELS["iris"][:-1], 0.99) for i in range(8)}
    results = study(levels, n_repeats=1)
    pairs = [("moe", "logistic"), ("moe", "averaging")]
    found = compare_over_tables(results, [(n, compare_on_table(results, n, pairs)) for n in levels])
    assert [c.call for c in found] == [BETTER, BETTER]
    assert all(c.p_holm >= c.p for c in found)


def null(mixture, seeds):
    levels = {"null": (0.9,) * 7 + (mixture,)}
    pairs = compared_pairs(MODELS)
    return [c for seed in range(seeds) for c in compare_on_table(study(levels, seed=seed, rope=0.0), "null", pairs)]


def test_undecided_is_the_rule_under_no_difference():
    found = null(0.9, seeds=20)
    assert [c.call for c in found].count(UNDECIDED) >= 0.97 * len(found)


def test_what_one_test_alone_would_call_the_adjustment_does_not():
    alarms = [c for c in null(0.908, seeds=12) if c.p < 0.05 <= c.p_holm]
    assert alarms
    assert {c.call for c in alarms} == {UNDECIDED}
