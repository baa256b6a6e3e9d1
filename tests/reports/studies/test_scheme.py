"""Folds and seeds: the same for every model, another for every fold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.scheme import QUICK, Scheme, assign_folds, group_folds, model_seed, parse_scheme, scheme_for


def test_the_protocols_sizes():
    sizes = {n: scheme_for(n) for n in (999, 1_000, 49_999, 50_000)}
    assert sizes == {999: Scheme(10, 10), 1_000: Scheme(3, 5), 49_999: Scheme(3, 5), 50_000: Scheme(1, 5)}
    assert Scheme(2, 5) == QUICK


def test_every_row_is_tested_once_in_each_repeat_and_classes_are_spread():
    y = np.repeat([0, 1, 2], [50, 30, 20])
    dealt = assign_folds(y, Scheme(3, 5), seed=1, table="t")
    for repeat in dealt:
        assert np.bincount(repeat).tolist() == [20] * 5
        for label, size in ((0, 10), (1, 6), (2, 4)):
            assert np.bincount(repeat[y == label]).tolist() == [size] * 5
    assert (dealt[0] != dealt[1]).any()


def test_a_class_may_be_rarer_than_the_folds_are_many():
    y = np.repeat([0, 1], [20, 2])
    dealt = assign_folds(y, Scheme(1, 5), seed=0, table="t")
    assert len(set(dealt[0, y == 1])) == 2


def test_too_small_for_the_folds():
    with pytest.raises(UserError, match=r"its largest class has 3 rows.*--folds 1x3"):
        assign_folds(np.array([0, 0, 0, 1, 1]), Scheme(1, 5), 0, "t")


def test_seeds_differ_between_folds_and_studies():
    seeds = {model_seed(study, repeat, fold) for study in range(5) for repeat in range(10) for fold in range(10)}
    assert len(seeds) == 500
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("text", ["", "5", "0x5", "3x1", "ax5", "3x5x2", "-1x5"])
def test_schemes_that_are_none(text):
    with pytest.raises(UserError, match="write REPEATSxFOLDS"):
        parse_scheme(text)


def test_no_fold_of_groups_is_empty():
    """Few groups of one class each, which scikit-learn's stratified division does not spread over all folds, whatever the seed."""
    groups = np.repeat(np.arange(5), [22, 26, 13, 21, 19])
    classes = np.array([0, 1, 0, 0, 1])[groups]
    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=3).split(groups, classes, groups)
    assert any(test.size == 0 for _, test in theirs), "the table does not show the fault"
    for seed in range(5):
        tested = [np.unique(groups[test]).tolist() for _, test in group_folds(classes, groups, 5, seed)]
        assert sorted(tested) == [[0], [1], [2], [3], [4]]


def test_groups_are_never_divided():
    rng = np.random.default_rng(0)
    for seed in range(20):
        groups = rng.integers(0, 8, 60)
        folds = group_folds(rng.integers(0, 2, 60), groups, 4, seed)
        assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)
        assert sorted(np.concatenate([test for _, test in folds])) == list(range(60))
