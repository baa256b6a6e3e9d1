"""Answers that are amounts: when they are taken for such, how their rows are dealt out, and a whole study of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ensemblekit_reports import compare
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.running.asking import predict_amounts
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.loading import load_results
from ensemblekit_reports.running.metrics import score_amounts
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.warm_up import dummy_table
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.registry import REGRESSORS
from ensemblekit_reports.studies.scheme import Scheme, assign_folds, strata_of
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.tables.labels import encode_labels
from ensemblekit_reports.tables.table import bundled_table

RNG = np.random.default_rng(0)
DIABETES = bundled_table("diabetes")


@pytest.mark.parametrize(
    ("answers", "task", "note"),
    [
        (np.arange(100) / 7, "regression", ""),
        ([0.1, 0.25, 0.7, 0.1], "regression", ""),
        (np.arange(30), "regression", "30 different whole numbers and were taken for amounts; .* names of classes.*--task"),
        ([3, 4, 5, 6, 7, 8] * 2, "classification", "6 different whole numbers and were taken for classes; .* amounts.*--task"),
        ([0.5, 1.5] * 4, "classification", "2 different numbers and were taken for classes"),
        ([0, 1, 2] * 4, "classification", ""),
        (["a", "b"] * 4, "classification", ""),
        (pd.Categorical(np.repeat(np.arange(30), 2)), "classification", ""),
        ([True, False] * 4, "classification", ""),
        ([f"{n / 8}" for n in range(40)], "regression", ""),
    ],
)
def test_what_is_taken_for_what(answers, task, note):
    found = encode_labels(pd.Series(answers), "y")
    assert ("classification" if found.classes else "regression") == task
    assert (found.values.dtype == np.float64) == (task == "regression")
    assert len(found.notes) == bool(note)
    if note:
        assert pd.Series(found.notes).str.contains(note).all()


def test_the_reader_has_the_last_word():
    whole = pd.Series(np.repeat(np.arange(30), 2))
    few = pd.Series([0, 1] * 4)
    assert len(encode_labels(whole, "y", "classification").classes) == 30
    assert encode_labels(few, "y", "regression").values.tolist() == [0.0, 1.0] * 4
    assert encode_labels(whole, "y", "classification").notes == encode_labels(few, "y", "regression").notes == ()


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        (["1", "2", "3", "inf"], "1 of the 4 answers in 'y' are infinite"),
        (["1", "2", "many", "inf"], "2 answers in 'y' are no numbers: 'many', 'inf'"),
        ([7.5, 7.5], r"holds one number only \(7.5\)"),
        (["", None], "every answer is missing"),
    ],
)
def test_what_are_no_amounts(answers, complaint):
    with pytest.raises(UserError, match=complaint):
        encode_labels(pd.Series(answers), "y", "regression")


@pytest.mark.parametrize("groups", [None, RNG.integers(0, 60, size=442)])
def test_each_part_of_the_order_is_spread_over_the_folds(groups):
    dealt = assign_folds(DIABETES.y, Scheme(2, 5), 0, "t", groups)
    for repeat in dealt:
        means = [DIABETES.y[repeat == fold].mean() for fold in range(5)]
        # Standard error of a fold's mean without strata: 77 / sqrt(88) = 8.
        assert np.std(means) < (2 if groups is None else 12)
        assert set(repeat) == set(range(5))


def test_strata_keep_equal_amounts_together_and_leave_small_tables_alone():
    zeros = np.where(RNG.uniform(size=300) < 0.6, 0.0, RNG.exponential(size=300))
    strata = strata_of(zeros, 5)
    assert len(set(strata[zeros == 0])) == 1
    assert set(strata) == set(range(strata.max() + 1))
    assert strata_of(np.array([1.0, 5.0, 9.0]), 3).tolist() == [0, 0, 0]
    assert assign_folds(np.array([1.0, 5.0, 9.0]), Scheme(1, 3), 0, "t").tolist() != [[0, 0, 0]]
    with pytest.raises(UserError, match=r"it has 3 rows.*--folds 1x3"):
        assign_folds(np.array([1.0, 5.0, 9.0]), Scheme(1, 4), 0, "t")


def test_a_cell_of_amounts_with_weights():
    weights = RNG.uniform(1, 3, size=442)
    fold = Fold(dataclasses.replace(DIABETES, weights=weights), 0, 0, np.arange(442) % 4 == 0, 0)
    record, predictions = run_cell(model_from_estimator("r", Ridge(), "regression"), Prepared(fold), None)
    train = ~fold.tested
    expected = Ridge().fit(DIABETES.X[train], DIABETES.y[train], weights[train]).predict(DIABETES.X[fold.tested])
    np.testing.assert_allclose(predictions.predicted, expected)
    assert record["metrics"] == score_amounts(DIABETES.y[fold.tested], expected, weights[fold.tested])


@pytest.mark.parametrize("name", [name for name in REGRESSORS if name not in {"stacking", "moe-trees", "weighted"}])
def test_every_model_of_amounts_beats_their_mean(name):
    fold = Fold(DIABETES, 0, 0, np.arange(442) % 4 == 0, 0)
    record, _ = run_cell(REGRESSORS[name], Prepared(fold), None)
    assert record["reason"] == ""
    assert record["metrics"]["r2"] > 0.2


class Off(RegressorMixin, BaseEstimator):
    """Answers with whatever it was told to."""

    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.answer(X)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda X: np.full(len(X), np.nan), "3 values that are NaN"),
        (lambda X: np.full(len(X), np.inf), "NaN or infinite"),
        (lambda X: np.zeros((len(X), 2)), r"shape \(3, 2\), expected \(3,\)"),
        (lambda X: ["a"] * len(X), "values of type <U1 such as 'a', expected numbers"),
    ],
)
def test_what_is_no_prediction(answer, complaint):
    with pytest.raises(ValueError, match=complaint):
        predict_amounts(Off(answer), np.zeros((3, 1)))


def test_a_model_of_the_other_task_is_refused_before_anything_runs():
    with pytest.raises(UserError, match=r"model 'mine' \(LogisticRegression\) is a classifier, and the answers here are amounts"):
        compare([{"mine": LogisticRegression()}], DIABETES.X, DIABETES.y)
    with pytest.raises(UserError, match=r"'mine' \(Ridge\) is a regressor, and the answers here are classes"):
        compare([{"mine": Ridge()}], np.arange(4)[:, None], ["a", "b"] * 2)


def test_a_practical_difference_goes_by_the_metric_unless_it_is_said():
    table = (TableChoice(name="diabetes"),)
    assert Study(table).plan(None).rope == 0.01
    assert Study(table, metric="rmse").plan(None).rope == 0.77 == pytest.approx(0.01 * DIABETES.y.std(), rel=0.01)
    assert Study(table, metric="rmse", rope=3).plan(None).rope == 3
    assert Study((TableChoice(name="iris"),), metric="brier").plan(None).rope == 0.005


def test_warm_up_of_timed_processes_is_of_amounts_too():
    X, y, _ = dummy_table([[0, 1], [2], [3]], 0)
    assert y.dtype == np.float64
    assert len(set(y)) == len(X)


def test_a_whole_study_of_amounts(tmp_path):
    own = {"mean": DummyRegressor()}
    found = compare(["ridge", own], DIABETES.X, DIABETES.y, folds="1x3", quick=True, n_jobs=1, directory=tmp_path / "out")
    cells = found.results
    assert (found.found.task, found.found.metric, found.found.rope) == ("regression", "r2", 0.01)
    assert (cells["status"] == "ok").all()
    assert cells["fit_wall_s"].notna().sum() == 2
    assert "accuracy" not in cells
    means = cells.groupby("model")[["r2", "rmse"]].mean()
    assert means["r2"]["ridge"] > 0.4 > 0.05 > means["r2"]["mean"]
    assert found.verdict.startswith("Ridge regression: better than the runner-up, mean.")
    page, text = found.to_html(tmp_path / "page.html").read_text(), found.to_markdown()
    for words in ("amounts from 25 to 346", "R²"):
        assert words in page
        assert words in text
    assert "0 classes" not in text
    by_error = build(load_results(tmp_path / "out", metric="rmse"))
    assert by_error.rope == 0.77 == pytest.approx(0.01 * DIABETES.y.std(), rel=0.01)
    comparison = by_error.against_focus(by_error.comparisons)[0]
    assert (by_error.answer.focus, comparison.call) == ("ridge", "better"), "the smaller error wins"
    assert comparison.gain == pytest.approx(means["rmse"]["mean"] - means["rmse"]["ridge"])
    assert any("chosen afterwards" in note for note in by_error.notes)
    with pytest.raises(UserError, match="accuracy is a metric of classification"):
        load_results(tmp_path / "out", metric="accuracy")
