"""The table of boxes is what it says: a tree finds it, a line does not, and its noise is as asked for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.datasets import make_boxes_classification


def test_without_noise_a_tree_learns_it_by_heart_and_a_line_does_not():
    X, y = make_boxes_classification(2000, 4, noise=0, random_state=0)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert tree.score(X, y) == 1.0
    assert LogisticRegression().fit(X, y).score(X, y) < 0.75


def test_noise_turns_its_share_of_answers_around():
    _, clean = make_boxes_classification(4000, noise=0, random_state=0)
    _, noisy = make_boxes_classification(4000, noise=0.2, random_state=0)
    assert np.mean(clean != noisy) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 4000))


@pytest.mark.parametrize(
    ("wrong", "message"), [({"noise": 0.7}, "between 0 and 0.5"), ({"n_samples": 3}, "16 boxes"), ({"depth": 0}, "split")]
)
def test_nonsense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_boxes_classification(**wrong)
