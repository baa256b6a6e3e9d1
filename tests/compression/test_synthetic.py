"""Made rows lie where rows lie: each cell between a row and its neighbour, nominal cells among those that exist."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemblekit.compression.synthetic import _units, munge


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 30), made=st.integers(0, 70))
def test_cells_of_few_values_are_taken_as_they_are(seed, n, made):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, 3, n), rng.normal(size=n), np.full(n, 7.0)])
    rows = munge(X, made, random_state=seed)
    assert rows.shape == (made, 3)
    assert set(rows[:, 0]) <= set(X[:, 0])
    assert (rows[:, 2] == 7).all()
    assert np.array_equal(rows, munge(X, made, random_state=seed), equal_nan=True)


def test_two_far_clusters_do_not_mix():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(100, 3)), 50 + rng.normal(size=(100, 3))])
    rows = munge(X, 1000, random_state=0)
    near = (np.abs(rows) < 10).all(axis=1) | (np.abs(rows - 50) < 10).all(axis=1)
    assert near.all()
    assert np.abs(rows[np.abs(rows[:, 0]) < 10].mean(axis=0)).max() < 0.3
    assert len(np.unique(rows[:, 0])) > 500


@pytest.mark.parametrize("seed", range(5))
def test_columns_that_code_one_category_are_taken_together(seed):
    """Two one-hot groups side by side, behind a flag and a number: every made row has one level of each, and of the pairs that exist."""
    rng = np.random.default_rng(seed)
    level = np.column_stack([rng.integers(0, 4, 60), rng.integers(0, 3, 60)])
    X = np.column_stack([rng.integers(0, 2, 60), np.eye(4)[level[:, 0]], np.eye(3)[level[:, 1]], rng.normal(size=60)])
    rows = munge(X, 500, random_state=seed)
    assert (rows[:, 1:5].sum(axis=1) == 1).all()
    assert (rows[:, 5:8].sum(axis=1) == 1).all()
    both = rows[:, 1:5].argmax(axis=1) * 3 + rows[:, 5:8].argmax(axis=1)
    assert len(np.unique(both)) > 9  # the groups are taken apart from each other


@pytest.mark.parametrize("seed", range(40))
def test_units_are_those_found_one_by_one(seed):
    rng = np.random.default_rng(seed)
    groups = [np.eye(width)[rng.integers(0, width, 12)] for width in rng.integers(1, 4, 3)]
    X = np.column_stack([*groups, rng.integers(0, 2, (12, 2)), rng.integers(0, 3, 12), *groups[:1]])
    X = X[:, np.sort(rng.permutation(X.shape[1])[: X.shape[1] - seed % 3])]
    expected, first = [], 0
    while first < X.shape[1]:
        block = [
            end for end in range(first + 1, X.shape[1] + 1) if (X[:, first:end] <= 1).all() and (X[:, first:end].sum(axis=1) == 1).all()
        ]
        end = block[0] if block else first + 1
        expected += [len(set(expected))] * (end - first)
        first = end
    assert _units(X).tolist() == expected


def test_flags_that_code_no_category_are_taken_one_by_one():
    assert set(munge([[0.0, 0.0], [1.0, 1.0]], 400, random_state=0).sum(axis=1)) == {0.0, 1.0, 2.0}


def test_missing_cells_stay_missing_cells():
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[:25, 0] = np.nan
    rows = munge(X, 200, random_state=0)
    assert 0.3 < np.isnan(rows[:, 0]).mean() < 0.7
    assert not np.isnan(rows[:, 1]).any()


def test_fewer_rows_than_given_are_drawn_from_all():
    X = np.arange(400.0)[:, None]  # sorted: its first rows are those of the lowest quarter
    rows = munge(X, 100, random_state=0)
    assert 150 < np.median(rows) < 250
    assert len(np.unique(munge(X, 100, swap=0.0, random_state=0))) == 100  # and none twice


def test_one_row_is_too_few():
    with pytest.raises(ValueError, match="at least two rows"):
        munge([[1.0]], 5)


@pytest.mark.parametrize(("name", "wrong"), [("n_rows", -1), ("n_rows", 2.5), ("swap", 2), ("locality", 0.0), ("locality", -1.0)])
def test_parameters_out_of_range_are_refused(name, wrong):
    with pytest.raises((TypeError, ValueError), match=name):
        munge(np.eye(4), **({"n_rows": 3} | {name: wrong}))


def test_infinite_and_sparse_rows_are_refused():
    with pytest.raises(ValueError, match=r"columns \[1\] hold infinity"):
        munge([[0.0, np.inf], [1.0, 2.0]], 3)
    with pytest.raises(TypeError, match="toarray"):
        munge(sp.csr_array(np.eye(4)), 3)
