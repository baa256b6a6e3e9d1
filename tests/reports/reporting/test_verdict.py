"""Words that the numbers carry: ties are ties, losses losses, and nothing is claimed from too little."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.results import ModelFacts
from tests.reports.reporting.synthetic import LEVELS, MODELS, fail, study

FEW = (MODELS[0], MODELS[4], MODELS[7])


def small(logistic, averaging, mixture, **changes):
    """One table, three models, levels far apart or alike against a noise of about one point."""
    return build(study({"t": (logistic, averaging, mixture)}, FEW, n_repeats=10, n_splits=10, **changes)).answer


def test_better_than_both_is_yes():
    verdict = small(0.80, 0.85, 0.95)
    assert verdict.answer == "Yes: better than Averaging and Logistic regression."
    assert [s.comparison.call for s in verdict.statements] == ["better", "better"]


def test_worse_than_one_is_no():
    verdict = small(0.80, 0.95, 0.85)
    assert verdict.answer == "No: Averaging is better."
    assert "cheaper per row than Averaging" in verdict.detail


def test_worse_than_both_is_no():
    assert small(0.95, 0.96, 0.80).answer == "No: Averaging and Logistic regression are better."


def test_ties_are_no_gain_where_a_rival_costs_less():
    verdict = small(0.90, 0.90, 0.90, rope=0.02)
    assert verdict.answer == "No: practically equal to Averaging and Logistic regression."
    assert re.search(r"dearer per row than Logistic regression", verdict.detail)
    assert {s.comparison.call for s in verdict.statements} == {"practically equal"}


def test_a_tie_with_the_dearer_one_only():
    verdict = small(0.80, 0.90, 0.90, rope=0.02)
    assert re.fullmatch(r"Yes, for its price: practically equal to Averaging, and 2\d× cheaper per row\.", verdict.answer)
    assert verdict.detail.startswith("It is better than Logistic regression.")


def test_a_mean_that_lags_is_no_tie_whatever_the_price():
    """The difference is larger than what does not matter, and the test is silent: neither a loss nor a reason to take it."""
    results = study({"t": (0.90, 0.885)}, (MODELS[4], MODELS[7]), n_repeats=1, n_splits=3)
    verdict = build(results).answer
    assert verdict.statements[0].comparison.call == "not distinguishable"
    assert verdict.answer == "Not so far: Averaging is ahead by the mean, without proof."
    assert re.fullmatch(r"It is 2\d× cheaper per row than Averaging\.", verdict.detail)
    assert build(replace(results, rope=0.05)).answer.answer.startswith(("So far only for its price", "Yes, for its price"))


def test_a_price_that_noise_could_make_is_no_reason():
    results = study({"t": (0.90, 0.90)}, (MODELS[2], MODELS[7]), n_repeats=10, n_splits=10, rope=0.02)
    cheap = build(results).answer
    assert re.fullmatch(r"Yes, for its price: practically equal to XGBoost, and [23]\.\d× cheaper per row\.", cheap.answer)
    of_mixture = results.cells["model"] == "moe"
    results.cells.loc[of_mixture, "predict_single_p50_s"] *= 2.2
    assert build(results).answer.answer == "No: practically equal to XGBoost."


def test_a_tie_within_wide_intervals_is_not_called_equal():
    verdict = small(0.90, 0.90, 0.90, rope=0.0001)
    assert {s.comparison.call for s in verdict.statements} == {"not distinguishable"}
    assert "equal" not in verdict.answer
    assert all("not distinguishable (95 % interval" in s.sentence for s in verdict.statements)


def test_the_sentence_of_the_project():
    sentence = small(0.80, 0.902, 0.90, rope=0.02).statements[0].sentence
    assert re.fullmatch(
        r"Mixture of experts: 0\.\d+ points (above|below) Averaging, practically equal "
        r"\(P\(equal within 2 points\) [=>] 0\.\d\d\); 2\d× cheaper per row\.",
        sentence,
    )


def test_below_and_the_interval_have_one_sign():
    sentence = small(0.80, 0.95, 0.85).statements[0].sentence
    assert "points below Averaging, distinguishable (95 % interval −" in sentence
    loss = small(0.80, 0.95, 0.85, metric="log_loss").statements[0].sentence
    assert re.search(r"nats above Averaging, distinguishable \(95 % interval 0\.\d+ to 0\.\d+ nats", loss)


@pytest.mark.parametrize("n", [2, 5])
def test_few_tables_are_not_tested_over_tables(n):
    verdict = build(study({f"t{i}": (0.8, 0.85, 0.95) for i in range(n)}, FEW, n_repeats=10)).answer
    assert verdict.answer == f"Yes: better on all {n} tables."
    assert "too few to say more" in verdict.detail
    assert all(s.comparison.call == "not tested" for s in verdict.statements)
    assert "p =" not in verdict.text


def test_few_tables_without_a_clear_difference():
    alike = build(study({f"t{i}": (0.9, 0.9, 0.9) for i in range(3)}, (MODELS[1], *FEW[1:]))).answer
    assert re.fullmatch(
        r"So far only for its price: no clear difference on any of 3 tables, and at least [\d.]+× cheaper per row\.", alike.answer
    )
    dearer = build(study({f"t{i}": (0.9, 0.9, 0.9) for i in range(3)}, FEW)).answer
    assert dearer.answer == "Not so far: no gain shown on any of 3 tables."


def test_a_pair_that_has_no_others_beside_it_is_not_spared_because_of_them():
    """Over tables the call goes by ranks and the interval by a bootstrap: it may miss zero where the test says nothing."""
    gains = [0.05, 0.04, 0.06, 0.05, 0.03, -0.02]
    report = build(study({f"t{i}": (0.85 + gain, 0.85) for i, gain in enumerate(gains)}, (MODELS[7], MODELS[0]), n_repeats=1, n_splits=5))
    (statement,) = report.answer.statements
    assert statement.comparison.low > 0
    assert statement.comparison.p == statement.comparison.p_holm > 0.05
    assert "Alone this pair" not in statement.evidence


def test_tables_that_disagree():
    verdict = build(study()).answer
    assert re.match(r"It depends: better on \d of 5 tables, worse on \d\.", verdict.answer)
    assert "on regimes" in verdict.detail


def test_many_tables_are_tested_over_tables():
    verdict = build(study({f"t{i}": (0.8, 0.85, 0.95) for i in range(8)}, FEW)).answer
    assert verdict.answer == "Yes: better than Averaging and Logistic regression."
    assert "p = 0.016" in verdict.statements[0].sentence


def test_six_tables_that_could_tell_no_pair_apart_are_judged_one_by_one():
    """Two of seven pairs are shown; all seven share the 5 %, and 7 x 2 / 2^6 is above it, however large a gain is."""
    gains = {f"t{i}": (0.70, *[0.80] * 6, 0.95) for i in range(6)}
    verdict = build(study(gains)).answer
    assert {s.comparison.call for s in verdict.statements} == {"not distinguishable"}
    assert verdict.answer == "Yes: better on all 6 tables."
    assert "6 tables are too few to say more than that." in verdict.detail
    alike = build(study({f"t{i}": (0.70, *[0.9] * 7) for i in range(6)}, rope=0.03)).answer
    assert alike.answer.startswith("Yes, for its price: practically equal to")


def test_ranks_for_it_and_the_mean_against_it():
    levels = {f"t{i}": (0.80, 0.81 + 0.002 * i) for i in range(11)} | {"t11": (0.95, 0.40)}
    verdict = build(study(levels, (MODELS[4], MODELS[7]), n_repeats=20)).answer
    assert verdict.statements[0].comparison.call == "better"
    assert verdict.statements[0].comparison.gain < 0
    assert verdict.answer == "It depends: better than Averaging by the ranks over the tables, and behind by the mean."


def test_best_rivals_are_the_best_by_mean_and_the_rule_says_so():
    report = build(study())
    means = {s.model.name: s.scores["accuracy"].value for s in report.leaderboard}
    assert report.answer.statements[0].comparison.second == max(("averaging", "weighted", "voting"), key=means.get)
    assert "highest mean accuracy" in report.answer.rule
    assert "lowest mean log-loss" in build(study(metric="log_loss")).answer.rule


def test_without_a_mixture_the_two_best_face_each_other():
    levels = {"t": LEVELS["digits"][:7]}
    report = build(study(levels, MODELS[:7], n_repeats=10))
    assert report.answer.question == "Which model is best on this table?"
    assert report.answer.focus == report.leaderboard[0].model.name
    assert report.answer.statements[0].comparison.second == report.leaderboard[1].model.name
    assert "favours the first" in report.answer.rule


def test_one_large_gain_does_not_outweigh_many_small_losses():
    levels = {"t0": (0.05, 0.95)} | {f"t{i}": (0.87, 0.85) for i in range(1, 16)}
    averaging, mixture = MODELS[4], MODELS[7]
    best = build(study({name: found[::-1] for name, found in levels.items()}, (MODELS[0], averaging), rope=0.001)).answer
    assert best.answer == "Logistic regression leads on average, but the test favours Averaging, ahead on 15 of 16 tables."
    worth = build(study(levels, (averaging, mixture), rope=0.001)).answer
    assert worth.answer == "No: Averaging is better."
    assert "on average, but worse by the signed ranks of the tables (ahead on 1, behind on" in worth.statements[0].sentence


def test_a_mixture_that_failed_is_not_passed_over_in_silence():
    verdict = build(fail(study({"t": LEVELS["iris"]}), "moe", 10)).answer
    assert "Mixture of experts finished no fold and cannot be judged." in verdict.detail


def test_two_mixtures_are_both_in_the_family():
    boosted = ModelFacts("moe-boosted", "Boosted mixture", "mixture", "")
    report = build(study({"t": (0.8, 0.85, 0.9, 0.95)}, (*FEW, boosted), n_repeats=10))
    assert report.answer.focus == "moe-boosted"
    assert len(report.comparisons) == 4


def test_a_single_model():
    verdict = build(study({"t": (0.9,)}, MODELS[7:])).answer
    assert verdict.answer.startswith("Mixture of experts: accuracy ")
    assert "nothing to compare" in verdict.text


def test_nothing_finished():
    verdict = build(fail(study({"t": (0.8, 0.85, 0.9)}, FEW), "moe", 10)).answer
    assert verdict.focus == "averaging"
    results = study({"t": (0.8, 0.85, 0.9)}, FEW)
    for model in ("moe", "averaging", "logistic"):
        fail(results, model, 10, "ImportError: no module")
    assert build(results).verdict == ("No model finished a single fold. First reason: failed: ImportError: no module.")


def test_one_fold_answers_nothing():
    verdict = build(study({"t": (0.8, 0.85, 0.9)}, FEW, n_repeats=1, n_splits=1)).answer
    assert verdict.answer == "Not tested: one fold, or none in common, allows no answer."


def test_unmeasured_cost_is_said():
    results = study({"t": (0.8, 0.85, 0.9)}, FEW)
    results.cells["predict_single_p50_s"] = float("nan")
    assert "cost not measured" in build(results).verdict


def test_equal_results_give_equal_reports():
    assert repr(build(study())) == repr(build(study()))


def test_unusable_results_are_refused():
    with pytest.raises(ValueError, match="unknown primary metric 'auc'"):
        build(replace(study(), metric="auc"))
    with pytest.raises(ValueError, match="no cell belongs to any of the tables"):
        build(replace(study(), tables=()))
