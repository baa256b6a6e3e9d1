"""Preprocessing sees the training fold alone and copes with anything the test fold brings."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit_reports.running.preprocessing import preprocessing

NAN = np.nan


@pytest.mark.parametrize("kind", ["linear", "trees"])
def test_new_levels_and_new_gaps_in_the_test_fold(kind):
    # Columns: complete number, number with gaps, category.
    train = np.array([[1.0, NAN, 0], [2.0, 4.0, 1], [3.0, 6.0, 0], [4.0, 5.0, 1]])
    test = np.array([[9.0, NAN, 7], [1.0, 2.0, NAN]])
    prepare = preprocessing(kind, [0], [1], [2]).fit(train)
    for X in (train, test):
        prepared = prepare.transform(X)
        assert prepared.shape[1] == 5
        assert np.isfinite(prepared).all()


def test_the_median_of_the_training_fold_fills_gaps_and_a_column_says_where():
    train = np.array([[1.0], [2.0], [9.0], [NAN]])
    prepared = preprocessing("trees", [], [0], []).fit(train).transform(np.array([[NAN], [100.0]]))
    assert prepared.tolist() == [[2.0, 1.0], [100.0, 0.0]]


def test_linear_models_get_columns_of_one_size():
    train = np.random.default_rng(0).normal(50, 20, size=(100, 3))
    train[:7, 1] = NAN
    prepared = preprocessing("linear", [0, 2], [1], []).fit_transform(train)
    np.testing.assert_allclose(prepared.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(prepared.std(axis=0), 1)


def test_rare_levels_are_one_column():
    column = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], [500, 490, 5, 3, 2])[:, None]
    prepared = preprocessing("trees", [], [], [0]).fit_transform(column)
    assert prepared.sum(axis=0).tolist() == [500, 490, 10]


def test_a_missing_category_is_a_level():
    prepared = preprocessing("trees", [], [], [0]).fit_transform(np.array([[0.0], [NAN], [0.0], [NAN]]))
    assert prepared.sum(axis=0).tolist() == [2, 2]


def test_a_column_that_is_all_missing_in_training_is_kept():
    prepared = preprocessing("linear", [], [0], []).fit(np.full((4, 1), NAN)).transform(np.array([[3.0], [NAN]]))
    assert np.isfinite(prepared).all()
