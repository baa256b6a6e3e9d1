"""The card of a stored model: what it quotes is what was found, and names do nothing in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ensemblekit_reports.example import example_results
from ensemblekit_reports.outputs.known_columns import KnownColumn
from ensemblekit_reports.outputs.model_card import model_card
from ensemblekit_reports.outputs.stored_model import StoredModel
from ensemblekit_reports.outputs.table_encoding import TableEncoding
from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.reporting.report import build

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) | `=cmd`\n# heading"


def stored(name="moe", column="x"):
    facts = {"definition": "Model()", "versions": {"python": "3.11"}, "seed": 7}
    return StoredModel(None, TableEncoding((KnownColumn(column, "numeric"),), "moon"), ("lower", "upper"), name, facts)


def test_it_quotes_the_comparison():
    report = build(example_results())
    card = model_card(report, stored(), "model.skops")
    (section,) = report.tables
    best = section.standings[0]
    assert best.model.name == "moe"
    assert f"| Accuracy, % | {100 * best.scores['accuracy'].value:.1f}" in card
    assert card.count("\n| Averaging | +") == card.count("\n| Logistic regression | +") == 1
    assert "Rank 1 of 3 models by accuracy" in card
    assert 'load_model("model.skops")' in card


def test_abbreviations_keep_their_capitals():
    results = example_results(task="regression")
    card = model_card(build(replace(results, metric="rmse")), stored(), "model.skops")
    assert "by RMSE, the metric" in card
    assert "| difference in RMSE |" in card


def test_a_model_that_was_not_timed_or_did_not_finish_says_so():
    results = example_results()
    cells = results.cells.copy()
    cells.loc[(cells["model"] == "moe") & (cells["fold"] == 0), ["status", "reason", "accuracy"]] = ["failed", "too odd", np.nan]
    cells[[cost.name for cost in COSTS]] = np.nan
    card = model_card(build(replace(results, cells=cells)), stored(), "model.skops")
    assert "Nothing was measured." in card
    assert "It finished 8 of 10 folds: failed: too odd" in card
    assert "Rank" not in card


def test_hostile_names_are_inert():
    results = example_results()
    models = (replace(results.models[0], label=HOSTILE), *results.models[1:])
    tables = (replace(results.tables[0], target=HOSTILE, source=HOSTILE, notes=(HOSTILE,), class_counts={HOSTILE: 3}),)
    card = model_card(build(replace(results, models=models, tables=tables)), stored(column=HOSTILE), "model.skops")
    assert "<script" not in card.replace("\\<", "")
    assert "\n# heading" not in card
    assert "[x](" not in card
