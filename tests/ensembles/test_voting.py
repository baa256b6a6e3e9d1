"""Votes are counted as scikit-learn counts them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier

MEMBERS = [
    ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ("bayes", GaussianNB(var_smoothing=0.1)),
    ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ("linear", LogisticRegression(max_iter=5000)),
]


@pytest.mark.parametrize("voting", ["hard", "soft"])
@pytest.mark.parametrize("weights", [None, [1, 2, 3, 4], [0.5, 0, 0, 0.2]])
def test_equals_scikit_learn(voting: str, weights: list[float] | None) -> None:
    X, y = load_wine(return_X_y=True)
    labels = np.array(["red", "white", "pink"])[y]
    ours = VotingEnsembleClassifier(MEMBERS, voting=voting, weights=weights).fit(X, labels)
    theirs = VotingClassifier(MEMBERS, voting=voting, weights=weights).fit(X, labels)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    if voting == "soft":
        np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))


def test_soft_vote_is_the_average() -> None:
    X, y = load_wine(return_X_y=True)
    soft = VotingEnsembleClassifier(MEMBERS, voting="soft").fit(X, y)
    np.testing.assert_array_equal(
        soft.predict_proba(X), AveragingEnsembleClassifier(MEMBERS).fit(X, y).predict_proba(X)
    )


def test_weights_follow_dropped_members() -> None:
    X, y = load_wine(return_X_y=True)
    weights = [0, 0, 5, 1]
    ensemble = VotingEnsembleClassifier(MEMBERS, voting="hard", weights=weights).set_params(bayes="drop").fit(X, y)
    np.testing.assert_array_equal(ensemble.predict(X), MEMBERS[2][1].fit(X, y).predict(X))


def test_tie_goes_to_the_first_class() -> None:
    X, y = np.zeros((4, 1)), ["b", "a", "b", "a"]
    members = [(f"says_{code}", DummyClassifier(strategy="constant", constant=code)) for code in (1, 0)]
    assert VotingEnsembleClassifier(members, voting="hard").fit(X, y).predict(X[:1]).tolist() == ["a"]


def test_hard_vote_has_no_probabilities() -> None:
    X, y = load_wine(return_X_y=True)
    ensemble = VotingEnsembleClassifier(MEMBERS, voting="hard").fit(X, y)
    assert not hasattr(ensemble, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        ensemble.predict_proba(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"voting": "sfot"}, r"voting='sfot' is unknown; choose one of \['hard', 'soft'\]"),
        ({"weights": [1, 2]}, r"weights has shape \(2,\), but there are 4 estimators"),
        ({"weights": [1, 2, -1, 1]}, "must not be negative"),
        ({"weights": [0, 0, 0, 0]}, "not all zero"),
    ],
)
def test_errors(params: dict, message: str) -> None:
    X, y = load_wine(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        VotingEnsembleClassifier(MEMBERS, **params).fit(X, y)
