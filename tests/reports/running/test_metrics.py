"""Metrics against scikit-learn, and what counts as a prediction."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from ensemblekit_reports.metrics import check_probabilities, score


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
        }
    )


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
