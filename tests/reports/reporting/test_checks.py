"""Every warning appears when it should, names what it concerns, and stays away otherwise."""

from __future__ import annotations

from dataclasses import replace

from ensemblekit_reports.checks import findings
from tests.reports.reporting.synthetic import LEVELS, fail, study


def found(results):
    return {finding.code: finding for finding in findings(results)}


def clean():
    return study({"iris": LEVELS["iris"]}, quick=False)


def test_nothing_to_say():
    assert found(clean()) == {}


def test_failed_model_with_its_reason():
    finding = found(fail(study(), "xgboost", 50, "ValueError: bad\nlabel"))["model-failed"]
    assert finding.models == ("xgboost",)
    assert len(finding.tables) == 5
    assert finding.sentence.endswith("so it has no score. First reason: failed: ValueError: bad label")


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
    assert finding.tables == ("iris",)


def test_few_tables_but_not_one_and_not_six():
    assert "too-few-tables" in found(study(quick=False))
    assert "too-few-tables" not in found(clean())
    assert "too-few-tables" not in found(study({f"t{i}": LEVELS["iris"] for i in range(6)}))


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
