"""The leaderboard: intervals, costs, ranks, the front."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.reporting.standings import MAIN_COST, best, on_table, over_tables, pareto_front
from ensemblekit_reports.statistics.summaries import cost_summary, mean_over_tables, score_summary
from tests.reports.reporting.synthetic import LEVELS, fail, study, undefined


def of(standings, name):
    return next(s for s in standings if s.model.name == name)


def test_means_are_over_folds_and_ranks_follow_them():
    results = study()
    standings = on_table(results, "iris")
    means = results.cells[results.cells["dataset"] == "iris"].groupby("model")["accuracy"].mean()
    assert [s.rank for s in standings] == list(range(1, 9))
    assert [s.model.name for s in standings] == list(means.sort_values(ascending=False).index)
    assert of(standings, "moe").scores["accuracy"].value == pytest.approx(means["moe"])


def test_less_is_better_reverses_the_order():
    up = [s.model.name for s in on_table(study(), "digits")]
    assert [s.model.name for s in on_table(study(metric="log_loss"), "digits")] == up


def test_a_model_with_a_missing_fold_is_not_ranked():
    standings = on_table(fail(study(), "moe", 1), "iris")
    assert of(standings, "moe").rank is None
    assert of(standings, "moe").scores["accuracy"].n == 9
    assert "moe" not in pareto_front(standings, "accuracy")
    assert [s.rank for s in standings] == [*range(1, 8), None]


def test_a_fold_without_a_value_for_anybody_is_none():
    standings = on_table(undefined(study()), "iris")
    assert [s.rank for s in standings] == list(range(1, 9))
    assert {(s.n_finished, s.n_folds) for s in standings} == {(9, 9)}
    failed = on_table(fail(undefined(study()), "moe", 1), "iris")
    assert (of(failed, "moe").n_finished, of(failed, "moe").n_folds, of(failed, "moe").rank) == (9, 10, None)
    assert of(failed, "xgboost").complete
    nowhere = on_table(undefined(study({"iris": LEVELS["iris"]}), n_folds=10), "iris")
    assert {s.rank for s in nowhere} == {None}
    ranked = build(undefined(study({"iris": LEVELS["iris"]})))
    assert ranked.advice
    assert ranked.leaderboard[0].complete


def test_a_failed_model_keeps_its_row_and_its_reason():
    standings = on_table(fail(study(), "moe", 10, "MemoryError: 4 GB", "out-of-memory"), "iris")
    assert standings[-1].model.name == "moe"
    assert standings[-1].failure == "out-of-memory: MemoryError: 4 GB"
    assert np.isnan(standings[-1].scores["accuracy"].value)
    assert np.isnan(standings[-1].costs[MAIN_COST].value)


def test_every_table_counts_alike():
    results = study()
    by_table = [on_table(results, t.name) for t in results.tables]
    overall = of(over_tables(results, by_table), "moe")
    parts = [of(s, "moe") for s in by_table]
    assert overall.scores["accuracy"].value == pytest.approx(np.mean([p.scores["accuracy"].value for p in parts]))
    costs = [p.costs[MAIN_COST].value for p in parts]
    assert overall.costs[MAIN_COST].value == pytest.approx(np.prod(costs) ** (1 / 5))
    assert (overall.n_finished, overall.n_folds) == (50, 50)


def test_front_by_its_definition():
    results = study()
    standings = over_tables(results, [on_table(results, t.name) for t in results.tables])
    points = {s.model.name: (s.scores["accuracy"].value, s.costs[MAIN_COST].value) for s in standings}
    for name, (score, cost) in points.items():
        beaten = any(a >= score and b <= cost and (a, b) != (score, cost) for a, b in points.values())
        assert (name in pareto_front(standings, "accuracy")) != beaten
        assert of(standings, name).on_front != beaten


def test_best_prefers_the_model_that_finished_most():
    standings = on_table(fail(study({"regimes": LEVELS["regimes"]}), "moe", 5), "regimes")
    assert of(standings, "moe").scores["accuracy"].value == max(s.scores["accuracy"].value for s in standings)
    assert best(standings, "accuracy").model.name != "moe"
    assert best([], "accuracy") is None


def test_intervals_cover_where_their_model_is_exact():
    random, ratio = np.random.default_rng(0), 0.25
    covered = 0
    for _ in range(1500):
        scores = 0.5 + 0.01 * (random.standard_normal(10) + np.sqrt(ratio) * random.standard_normal())
        found = score_summary(scores, ratio, (0.0, 1.0))
        covered += found.low <= 0.5 <= found.high
    assert 0.93 < covered / 1500 < 0.97


def test_interval_over_tables_narrows_with_their_number():
    one = score_summary([0.9, 0.92, 0.91, 0.93], 0.25, (0.0, 1.0))
    four = mean_over_tables([one] * 4, (0.0, 1.0))
    assert four.value == pytest.approx(one.value)
    assert four.scale == pytest.approx(one.scale / 2)
    assert four.df == pytest.approx(4 * one.df)


def test_scores_that_cannot_leave_their_range():
    assert score_summary([1.0, 0.9, 1.0], 0.25, (0.0, 1.0)).high == 1.0
    assert np.isnan(score_summary([0.5], 0.25, (0.0, 1.0)).low)
    assert np.isnan(cost_summary([]).value)


def test_folds_that_agree_allow_no_interval():
    constant = score_summary([0.9] * 5, 0.25, (0.0, 1.0))
    assert constant.value == pytest.approx(0.9)
    varied = score_summary([0.9, 0.8, 0.85], 0.25, (0.0, 1.0))
    for summary in (constant, mean_over_tables([constant, constant], (0.0, 1.0))):
        assert np.isnan([summary.low, summary.high]).all()
    joined = mean_over_tables([constant, varied], (0.0, 1.0))
    assert joined.scale == pytest.approx(varied.scale / 2)
    assert joined.low < joined.value < joined.high
