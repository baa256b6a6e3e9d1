"""What the models answered: counted as scikit-learn counts, joined over folds, told in full of the named models only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from ensemblekit_reports.render import to_html, to_markdown
from ensemblekit_reports.render.strips import fold_strips
from ensemblekit_reports.reporting.answers import of_amounts, of_classes, read_answers
from ensemblekit_reports.reporting.report import build, named_models
from ensemblekit_reports.running.metrics import calibration_error
from ensemblekit_reports.running.predictions import Predictions, predictions_file, to_parquet
from tests.reports.reporting.synthetic import LEVELS, MODELS, answered, study
from tests.reports.reporting.test_render import HOSTILE, Page

RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 3, 200)
PROBABILITIES = RANDOM.dirichlet([1, 1, 1], 200)
PREDICTED = PROBABILITIES.argmax(axis=1)
WEIGHTS = RANDOM.uniform(0.5, 2, 200)


def test_confusion_and_recall_are_scikit_learns():
    found = of_classes("t", "m", Y, PREDICTED, PROBABILITIES, WEIGHTS, 4, n_repeats=2)
    expected = confusion_matrix(Y, PREDICTED, labels=range(4), sample_weight=WEIGHTS) / 2
    np.testing.assert_allclose(found.confusion, expected)
    np.testing.assert_allclose(found.recall[:3], recall_score(Y, PREDICTED, average=None, sample_weight=WEIGHTS))
    assert np.isnan(found.recall[3])


def test_curve_and_calibration_error_are_of_the_same_bins():
    found = of_classes("t", "m", Y, PREDICTED, PROBABILITIES, WEIGHTS, 3)
    rows = np.array([b.rows for b in found.reliability])
    gaps = np.array([abs(b.confidence - b.right) for b in found.reliability])
    assert rows.sum() == pytest.approx(WEIGHTS.sum())
    assert (rows * gaps).sum() / rows.sum() == pytest.approx(found.ece)
    assert found.ece == calibration_error(PROBABILITIES.max(axis=1), PREDICTED == Y, WEIGHTS)
    assert np.all(np.diff([b.confidence for b in found.reliability]) > 0)


def test_a_model_without_probabilities_has_no_curve():
    found = of_classes("t", "m", Y, PREDICTED, None, WEIGHTS, 3)
    assert found.reliability == ()
    assert np.isnan(found.ece)


def test_amounts_in_groups_and_residuals():
    y = RANDOM.standard_normal(500)
    found = of_amounts("t", "m", y + 1, y, np.ones(500))
    assert found.bias == pytest.approx(1)
    np.testing.assert_allclose(found.residuals, 1)
    assert len(found.groups) == 10
    assert all(g.low <= g.true <= g.high and g.true == pytest.approx(g.predicted + 1) for g in found.groups)


def test_folds_and_repeats_are_joined(tmp_path):
    cells = [tmp_path / "cells" / "accuracy" / f"{i}.json" for i in range(3)]
    for part, cell in zip(np.array_split(np.arange(200), 2), cells, strict=False):
        file = predictions_file(cell)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(to_parquet(Predictions(part.astype(np.int32), Y[part], PREDICTED[part], PROBABILITIES[part], WEIGHTS[part])))
    # The third was finished before predictions were kept.
    (found,) = read_answers([("t", "m", 0, cell) for cell in cells], {"t": 3})
    whole = of_classes("t", "m", Y, PREDICTED, PROBABILITIES, WEIGHTS, 3)
    np.testing.assert_allclose(found.confusion, whole.confusion)
    assert (found.n_rows, found.ece) == (200, pytest.approx(whole.ece))
    (halved,) = read_answers([("t", "m", repeat, cell) for repeat, cell in enumerate(cells[:2])], {"t": 3})
    np.testing.assert_allclose(halved.confusion, np.array(whole.confusion) / 2)


def test_only_the_named_models_are_told_in_full():
    report = build(answered(study({name: LEVELS[name] for name in ("breast cancer", "regimes")})))
    named = set(named_models(report.answer))
    assert len(named) == 3
    for section in report.tables:
        assert [a.model for a in section.answers] == [s.model.name for s in section.standings]
        assert {a.model for a in section.answers if a.confusion} == named
        assert all(len(a.recall) == 2 for a in section.answers)
    page = Page(to_html(report))
    assert page.open == []
    assert page.tags.count("caption") == 2 * (len(named) + 1)
    assert page.text.count("Calibration error ") >= 2 * len(named)
    lines = to_markdown(report).splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("| recall of each class")]
    assert len(heads) == 2
    assert all(len({line.count("|") for line in lines[i : i + 2 + len(MODELS)]}) == 1 for i in heads)


def test_many_classes_and_hostile_ones_leave_the_page_whole():
    results = study({"t": LEVELS["regimes"]})
    names = dict.fromkeys([*HOSTILE, *map(str, range(12))], 10)
    results = answered(replace(results, tables=(replace(results.tables[0], class_counts=names),)), len(names))
    page = Page(to_html(build(results)))
    assert page.open == []
    assert page.tags.count("script") == 2
    assert "More than 12 classes" in page.text


def test_amounts_are_drawn_and_listed():
    models, y = MODELS[4:], RANDOM.standard_normal(200)
    results = study({"t": LEVELS["regimes"][4:]}, models)
    facts = replace(results.tables[0], task="regression", class_counts={}, answers=dict.fromkeys(("min", "median", "max"), 1.0))
    found = tuple(of_amounts("t", m.name, y, y + 0.1, np.ones(200)) for m in models)
    report = build(replace(results, tables=(facts,), answers=found))
    page = Page(to_html(report))
    assert page.open == []
    assert "True minus predicted" in page.text
    assert page.text.count("−0.1") >= len(models)
    assert "| true minus predicted | mean |" in to_markdown(report)


@pytest.mark.parametrize(("repeats", "marks"), [(2, 10), (10, 10)])
def test_strips_have_a_mark_for_each_fold_or_for_each_repeat(repeats, marks):
    report = build(study({"t": LEVELS["regimes"]}, n_repeats=repeats))
    strips = fold_strips(report, report.tables[0])
    assert {path.count("M") for path in strips.paths.values()} == {marks}
