"""Members are chosen as the papers say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, DynamicSelectionClassifier
from ensemblekit.ensembles.dynamic_selection import RULES, knora_eliminate, knora_union, overall_local_accuracy

MEMBERS = [
    ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ("bayes", GaussianNB()),
    ("linear", LogisticRegression(max_iter=1000)),
]
X, y = make_classification(n_samples=150, n_informative=4, n_classes=3, flip_y=0.2, random_state=0)


def eliminate_by_the_book(correct: np.ndarray) -> np.ndarray:
    """One row of K nearest neighbours: give up the farthest until some member is right about all that are left."""
    for n_left in range(len(correct), 0, -1):
        oracles = correct[:n_left].all(axis=0)
        if oracles.any():
            return oracles
    return np.ones(correct.shape[1], dtype=bool)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_knora_e_by_the_book(share: float) -> None:
    correct = np.random.default_rng(0).random((200, 5, 4)) < share
    np.testing.assert_array_equal(knora_eliminate(correct), [eliminate_by_the_book(row) for row in correct])


def test_knora_u_and_ola_by_the_book() -> None:
    correct = np.random.default_rng(0).random((200, 5, 4)) < 0.3
    for row, union, local in zip(correct, knora_union(correct), overall_local_accuracy(correct), strict=True):
        right = [sum(neighbor[member] for neighbor in row) for member in range(4)]
        assert union.tolist() == (right if any(right) else [1] * 4)
        assert local.tolist() == [float(member == right.index(max(right))) for member in range(4)]


@pytest.mark.parametrize("rule", RULES)
def test_chosen_members_by_hand(rule: str) -> None:
    folds = list(StratifiedKFold(3).split(X, y))
    ensemble = DynamicSelectionClassifier(MEMBERS, rule=rule, n_neighbors=5, cv=folds).fit(X, y)
    order = np.concatenate([test for _, test in folds])
    correct = np.column_stack([cross_val_predict(member, X, y, cv=folds) == y for _, member in MEMBERS])[order]
    np.testing.assert_array_equal(ensemble.correct_, correct)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    nearest = [np.argsort(((scaled[order] - row) ** 2).sum(axis=1))[:5] for row in scaled]
    best_first = np.argsort(-correct.mean(axis=0), kind="stable")
    votes = np.zeros((len(X), 3))
    votes[:, best_first] = RULES[rule](correct[nearest][:, :, best_first])
    np.testing.assert_array_equal(ensemble.chosen_members(X), votes > 0)
    answers = np.array([member.predict_proba(X) for member in ensemble.estimators_])
    expected = np.einsum("nm,mnc->nc", votes / votes.sum(axis=1, keepdims=True), answers)
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)


def test_members_are_asked_about_their_rows_only() -> None:
    ensemble = DynamicSelectionClassifier(MEMBERS, rule="ola", random_state=0).fit(X, y)
    asked = 0
    for member in ensemble.estimators_:
        original = member.predict_proba

        def counting(rows, original=original):
            nonlocal asked
            asked += len(rows)
            return original(rows)

        member.predict_proba = counting
    ensemble.predict_proba(X)
    assert asked == len(X)


def test_members_that_are_always_right_make_an_average() -> None:
    iris, species = load_iris(return_X_y=True)
    far = iris + 100 * species[:, None]
    members = MEMBERS[1:]
    ensemble = DynamicSelectionClassifier(members, random_state=0).fit(far, species)
    assert ensemble.correct_.all()
    average = AveragingEnsembleClassifier(members).fit(far, species)
    np.testing.assert_allclose(ensemble.predict_proba(far), average.predict_proba(far))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rule": "knora"}, r"rule='knora' is unknown; choose one of \['ola', 'knora-e', 'knora-u'\]"),
        ({"n_neighbors": 0}, "at least one neighbour"),
    ],
)
def test_errors(params: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DynamicSelectionClassifier(MEMBERS, **params).fit(X, y)
