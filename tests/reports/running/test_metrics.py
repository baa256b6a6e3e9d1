"""Metrics against scikit-learn, and what counts as a prediction."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn import metrics

from ensemblekit_reports.quantities import CALIBRATION_BINS, DEFAULT_METRICS, METRICS, QUANTITIES, TASKS, metrics_of
from ensemblekit_reports.running.asking import check_probabilities
from ensemblekit_reports.running.metrics import calibration_error, judge, score, score_amounts
from ensemblekit_reports.running.predictions import Predictions, read_predictions, to_parquet


def test_against_scikit_learn():
    rng = np.random.default_rng(0)
    y = np.r_[0, 1, 2, rng.integers(0, 3, 97)]
    probabilities = rng.dirichlet(np.ones(3), size=100)
    predicted = probabilities.argmax(axis=1)
    scores = score(y, predicted, probabilities)
    assert scores == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(y, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
            "log_loss": metrics.log_loss(y, probabilities),
            "recall_macro": metrics.recall_score(y, predicted, average="macro"),
            "f1_macro": metrics.f1_score(y, predicted, average="macro"),
            "brier": metrics.brier_score_loss(y, probabilities, scale_by_half=True),
            "ece": _ece_bin_by_bin(y, probabilities),
        }
    )


def test_recall_and_f1_against_scikit_learn():
    rng = np.random.default_rng(0)
    y, predicted = np.r_[0, 1, 4, rng.integers(0, 2, 60)], np.r_[3, 1, 1, rng.integers(0, 2, 60)]
    for weights in (None, rng.uniform(size=63), (y != 4).astype(float)):
        scores = score(y, predicted, None, weights)
        over = {"labels": [0, 1, 4], "average": "macro", "zero_division": 0.0, "sample_weight": weights}
        assert scores["recall_macro"] == pytest.approx(metrics.recall_score(y, predicted, **over))
        assert scores["f1_macro"] == pytest.approx(metrics.f1_score(y, predicted, **over))


def _ece_bin_by_bin(y, probabilities):
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    bins = [(low < sure) & (sure <= high) for low, high in itertools.pairwise(edges)]
    return sum(held.mean() * abs(sure[held].mean() - right[held].mean()) for held in bins if held.any())


def test_the_brier_score_of_two_classes_is_the_customary_one():
    rng = np.random.default_rng(1)
    y, second = rng.integers(0, 2, 50), rng.uniform(size=50)
    scores = score(y, y, np.column_stack([1 - second, second]))
    assert scores["brier"] == pytest.approx(metrics.brier_score_loss(y, second))


def test_calibrated_probabilities_have_a_small_calibration_error_and_overconfident_ones_a_large_one():
    rng = np.random.default_rng(2)
    sure = rng.uniform(0.5, 1, 20_000)
    right = rng.uniform(size=20_000) < sure
    assert calibration_error(sure, right) < 0.02
    assert calibration_error(np.full(20_000, 0.99), right) == pytest.approx(0.99 - right.mean())


def test_metrics_of_amounts_against_scikit_learn():
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, 60))
    assert score_amounts(y, predicted) == pytest.approx(
        {
            "r2": metrics.r2_score(y, predicted),
            "rmse": np.sqrt(metrics.mean_squared_error(y, predicted)),
            "mae": np.abs(y - predicted).mean(),
            "median_ae": np.median(np.abs(y - predicted)),
        }
    )


def test_a_weight_is_repetition_in_every_metric_of_amounts():
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, 41))
    times = rng.integers(1, 5, size=41)
    repeated = score_amounts(np.repeat(y, times), np.repeat(predicted, times))
    assert score_amounts(y, predicted, times.astype(float)) == pytest.approx(repeated)
    assert score_amounts(y, predicted) != pytest.approx(repeated)


def test_a_single_row_has_no_variance_to_explain():
    scores = score_amounts(np.array([1.0]), np.array([3.0]))
    assert np.isnan(scores["r2"])
    assert scores["rmse"] == 2
    for predicted in ([2.0, 2.0], [1.0, 3.0]):
        equal = score_amounts(np.array([2.0, 2.0]), np.array(predicted))
        assert np.isnan(equal["r2"]), "neither 0 nor 1"
        assert equal["rmse"] == np.std(predicted)


def test_each_metric_belongs_to_a_task_and_each_task_has_its_default():
    assert {metric.task for metric in METRICS} == set(TASKS) == set(DEFAULT_METRICS)
    assert all(QUANTITIES[name].task == task for task, name in DEFAULT_METRICS.items())
    assert [*metrics_of("classification"), *metrics_of("regression")] == list(METRICS)
    assert all(metric.rope > 0 for metric in METRICS)


def test_predictions_of_amounts_come_back_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    told = Predictions(np.arange(9, dtype=np.int32), *rng.normal(size=(2, 9)), None, rng.uniform(1, 2, 9))
    (tmp_path / "p").write_bytes(to_parquet(told))
    found = read_predictions(tmp_path / "p")
    assert (found.task, found.probabilities) == ("regression", None)
    assert all((a == b).all() for a, b in zip(found, told, strict=True) if a is not None)
    assert judge(found) == judge(told)


def test_a_class_that_the_fold_lacks_does_not_count():
    scores = score(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), None)
    assert scores["recall_macro"] == scores["balanced_accuracy"] == 0.75
    assert np.isnan(scores["log_loss"])


def test_no_chance_for_the_true_class_is_a_large_but_finite_loss():
    scores = score(np.array([0]), np.array([1]), np.array([[0.0, 1.0]]))
    assert 30 < scores["log_loss"] < 40


@pytest.mark.parametrize(
    ("probabilities", "complaint"),
    [
        (np.full((3, 2), 0.5), "shape"),
        (np.full((4, 3), 1 / 3), "shape"),
        (np.full(4, 0.5), "shape"),
        (np.array([[np.nan, 1.0]] * 4), "4 values that are NaN"),
        (np.array([[np.inf, 0.0]] * 4), "NaN or infinite"),
        (np.array([[-0.5, 1.5]] * 4), "negative"),
        (np.array([[0.5, 0.4]] * 4), "add up to 0.9"),
    ],
)
def test_what_is_no_probability(probabilities, complaint):
    with pytest.raises(ValueError, match=complaint):
        check_probabilities(probabilities, 4, 2)


def test_single_precision_is_precise_enough():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(50), size=1000).astype(np.float32)
    assert check_probabilities(probabilities, 1000, 50).dtype == np.float64
