"""Every warning appears when it should, names what it concerns, and stays away otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ensemblekit_reports.cli import USER_ERROR, main
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.example import example_results
from ensemblekit_reports.render import to_html, to_markdown
from ensemblekit_reports.reporting.check_codes import CODES, check_silence
from ensemblekit_reports.reporting.checks import CHECKS, findings, silenced
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.results import Leak
from ensemblekit_reports.studies.study_file import study_from_toml
from tests.reports.insights import made_up
from tests.reports.reporting.synthetic import LEVELS, fail, study, undefined


def found(results):
    return {finding.code: finding for finding in findings(results)}


def clean():
    return study({"regimes": LEVELS["regimes"]}, quick=False)


def test_nothing_to_say():
    assert found(clean()) == {}


def test_failed_model_with_its_reason():
    finding = found(fail(study(), "xgboost", 50, "ValueError: bad\nlabel"))["model-failed"]
    assert finding.models == ("xgboost",)
    assert len(finding.tables) == 5
    assert finding.sentence.endswith("so it has no score. First reason: failed: ValueError: bad label")


def test_a_metric_without_a_value_is_said_of_amounts():
    results = example_results(task="regression")
    assert "metric-undefined" not in found(results)
    finding = found(undefined(results))["metric-undefined"]
    assert finding.sentence.startswith("moons: R² is undefined on 1 of 10 folds, whose answers are all equal, or one; the others count.")
    assert "nothing is ranked by it" in found(undefined(results, 10))["metric-undefined"].sentence
    assert "metric-undefined" not in found(undefined(clean()))


def test_partly_failed_model_says_how_many_folds():
    finding = found(fail(clean(), "moe", 3, status="timeout"))["model-failed"]
    assert "did not finish 3 of 10 folds, so it is compared on the folds that it finished" in finding.sentence


def test_contended_timing_names_tables_and_models():
    results = study()
    hit = results.cells["dataset"].eq("wine") & results.cells["model"].eq("moe") & results.cells["repeat"].eq(0)
    results.cells.loc[hit, "contended"] = True
    finding = found(results)["timing-contended"]
    assert (finding.tables, finding.models) == (("wine",), ("moe",))
    assert "in 5 of 200 timed folds" in finding.sentence


def test_missing_values_in_contended_are_no_alarm():
    results = clean()
    results.cells["contended"] = results.cells["contended"].astype("boolean").mask(results.cells["repeat"] == 1)
    assert found(results) == {}


def test_rare_class():
    results = clean()
    rare = replace(results.tables[0], class_counts={"a": 146, "b": 4})
    finding = found(replace(results, tables=(rare,)))["class-too-rare"]
    assert "b (4) has fewer rows than the 5 folds" in finding.sentence
    assert finding.tables == ("regimes",)


def test_few_tables_for_so_many_pairs_but_not_one():
    assert "too-few-tables" in found(study(quick=False))
    assert "too-few-tables" not in found(clean())
    seven_pairs = {f"t{i}": LEVELS["iris"] for i in range(9)}
    assert "too-few-tables" not in found(study(seven_pairs))
    seven_pairs.popitem()
    assert "7 pairs of models apart" in found(study(seven_pairs))["too-few-tables"].sentence
    assert "it takes 9 tables" in found(study(seven_pairs))["too-few-tables"].sentence


def test_quick_scheme():
    assert "2 × 5 folds" in found(study())["quick-scheme"].sentence


def test_single_fold():
    assert "single-fold" in found(study({"iris": LEVELS["iris"]}, n_repeats=1, n_splits=1))


def test_cost_not_measured():
    results = clean()
    results.cells.loc[results.cells["model"] == "moe", "predict_single_p50_s"] = float("nan")
    assert found(results)["cost-missing"].models == ("moe",)


def test_timings_of_two_machines():
    results = clean()
    results.cells["fingerprint"] = ["a"] * 40 + ["b"] * 40
    assert "different-machines" in found(results)
    results.cells["fingerprint"] = "a"
    assert found(results) == {}


def test_different_folds():
    results = clean()
    hit = results.cells["model"].eq("moe") & results.cells["fold"].eq(0)
    results.cells.loc[hit, "n_test"] += 1
    assert found(results)["folds-differ"].tables == ("regimes",)
    results = clean()
    gone = results.cells["model"].eq("moe") & results.cells["repeat"].eq(1)
    assert "folds-differ" in found(replace(results, cells=results.cells[~gone]))


def test_a_model_that_failed_was_judged_on_the_same_folds():
    assert "folds-differ" not in found(fail(clean(), "moe", 3))


def test_leak_names_its_columns():
    one = found(replace(clean(), leaks=(Leak("regimes", "paid", 1.0),)))["column-predicts-target"]
    assert one.sentence.startswith("regimes: paid alone predicts target almost without error. If it is known only after the answer")
    two = found(replace(clean(), leaks=(Leak("regimes", "paid", 1.0), Leak("regimes", "sum", 0.99), Leak("elsewhere", "a", 1.0))))
    assert "paid and sum each predict target" in two["column-predicts-target"].sentence


def test_slower_than_the_linear_model_without_being_better():
    results = clean()
    assert "slower-than-linear" not in found(results)
    forest = results.cells["model"].eq("random-forest")
    plain = results.cells.loc[results.cells["model"].eq("logistic"), "accuracy"].to_numpy()
    results.cells.loc[forest, "accuracy"] = plain
    finding = found(results)["slower-than-linear"]
    assert finding.models == ("random-forest",)
    assert "as long for a row as Logistic regression and is not shown to be better" in finding.sentence
    results.cells.loc[forest, "predict_single_p50_s"] = 1e-5
    assert "slower-than-linear" not in found(results)


def test_slower_says_nothing_without_costs_tests_or_a_linear_model():
    results = clean()
    results.cells["accuracy"] = 0.9
    assert "slower-than-linear" in found(results)
    assert "slower-than-linear" not in found(replace(results, cells=results.cells.assign(predict_single_p50_s=float("nan"))))
    assert "slower-than-linear" not in found(replace(results, models=results.models[1:]))
    assert "slower-than-linear" not in found(replace(results, cells=results.cells.query("repeat == 0 and fold == 0")))


def test_collapsed_gate():
    there = {"dataset": "regimes"}
    assert "gate-collapsed" not in found(replace(clean(), insights=(made_up.mixture(**there),)))
    lone = replace(made_up.mixture(**there), experts=made_up.mixture().experts[:1], effective=1.0)
    assert "gate-collapsed" not in found(replace(clean(), insights=(lone,)))
    finding = found(replace(clean(), insights=(replace(made_up.mixture(**there), effective=1.05),)))["gate-collapsed"]
    assert (finding.tables, finding.models) == (("regimes",), ("moe",))
    assert "The gate of Mixture of experts has collapsed: one expert" in finding.sentence


def test_degenerate_weights():
    for shares in ((0.5, 0.5), (0.8, 0.2)):
        assert "weights-degenerate" not in found(replace(clean(), insights=(made_up.weighted(shares, "weighted", "regimes"),)))
    finding = found(replace(clean(), insights=(made_up.weighted((0.97, 0.03), "weighted", "regimes"),)))["weights-degenerate"]
    assert (finding.tables, finding.models) == (("regimes",), ("weighted",))
    assert "leaves nearly everything to forest" in finding.sentence


def test_rope_wider_than_every_difference():
    assert "rope-too-wide" not in found(clean())
    finding = found(replace(clean(), rope=0.5))["rope-too-wide"]
    assert finding.sentence.startswith(
        "Differences up to 50 points are taken not to matter, and no two models differ by more than 32 points:"
    )
    both = study({"regimes": LEVELS["regimes"], "iris": LEVELS["iris"]}, rope=0.05)
    assert "rope-too-wide" not in found(both)


def test_every_code_has_its_check():
    assert tuple(CHECKS) == CODES
    everything = replace(
        fail(study({"iris": LEVELS["iris"], "regimes": LEVELS["regimes"]}), "moe", 1),
        leaks=(Leak("iris", "a", 1.0),),
        insights=(replace(made_up.mixture("iris"), effective=1.0), made_up.weighted((1.0, 0.0), "weighted", "iris")),
        rope=1.0,
    )
    for code, check in CHECKS.items():
        assert all(finding.code == code for finding in check(everything))


def test_what_is_silenced_is_listed_and_not_said():
    results = replace(study(), silence=("quick-scheme", "gate-collapsed"))
    assert "quick-scheme" not in found(results)
    assert "too-few-tables" in found(results)
    assert [finding.code for finding in silenced(results)] == ["quick-scheme"]
    report = build(replace(clean(), quick=True, silence=("quick-scheme", "gate-collapsed")))
    page, text = to_html(report), to_markdown(report)
    assert "None beside those silenced." in page
    assert "<code>quick-scheme</code> (would have been shown), <code>gate-collapsed</code> (nothing to show)" in page
    assert "`quick-scheme` (would have been shown), `gate-collapsed` (nothing to show)" in text
    assert "Quick scheme of" not in page


def test_an_unknown_code_names_the_valid_ones():
    with pytest.raises(UserError, match=r"unknown check 'gate': .*Valid: model-failed, .*quick-scheme"):
        check_silence(["gate"])


@pytest.mark.parametrize("silence", [["--silence", "gate"], ["--silence", "quick-scheme", "--silence", "gate"]])
def test_the_command_knows_the_codes(silence, capsys, tmp_path):
    assert main(["compare", "iris", *silence, "--out", str(tmp_path)]) == USER_ERROR
    assert "unknown check 'gate'" in capsys.readouterr().err


def test_a_study_names_codes_and_shares_in_lists(tmp_path):
    study_file = tmp_path / "study.toml"
    study_file.write_text('silence = ["quick-scheme"]\nlearning_curve = [0.5, 0.25]\n[[tables]]\nname = "iris"\n')
    plan = study_from_toml(study_file).plan(tmp_path)
    assert (plan.silence, plan.shares) == (("quick-scheme",), (0.25, 0.5, 1.0))
    for wrong, said in (
        ('silence = "quick-scheme"', "silence must be a list of codes of checks"),
        ("learning_curve = 0.5", "must be a list of numbers"),
    ):
        study_file.write_text(f'{wrong}\n[[tables]]\nname = "iris"\n')
        with pytest.raises(UserError, match=said):
            study_from_toml(study_file)
