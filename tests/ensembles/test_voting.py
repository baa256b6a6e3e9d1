"""Votes are counted as scikit-learn counts them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, VotingEnsembleRegressor
from ensemblekit.ensembles.voting import weighted_median

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
    np.testing.assert_array_equal(soft.predict_proba(X), AveragingEnsembleClassifier(MEMBERS).fit(X, y).predict_proba(X))


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
        ({"abstain_below": 1.5}, "abstain_below=1.5 is a share"),
        ({"weights": [1, 2]}, r"weights has shape \(2,\), but there are 4 estimators"),
        ({"weights": [1, 2, -1, 1]}, "must not be negative"),
        ({"weights": [0, 0, 0, 0]}, "not all zero"),
    ],
)
def test_errors(params: dict, message: str) -> None:
    X, y = load_wine(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        VotingEnsembleClassifier(MEMBERS, **params).fit(X, y)


def three_voters() -> tuple[np.ndarray, np.ndarray, list]:
    X = np.array([[0.0], [1.0], [2.0]])
    y = np.array(["a", "b", "c"])
    return X, y, [(f"deep_{depth}", DecisionTreeClassifier(max_depth=depth, random_state=0)) for depth in (1, 2, 3)]


def test_votes_are_shares() -> None:
    X, y, members = three_voters()
    ensemble = VotingEnsembleClassifier(members, voting="hard", weights=[2, 1, 1]).fit(X, y)
    votes = ensemble.predict_votes(X)
    np.testing.assert_allclose(votes.sum(axis=1), 1)
    by_hand = [[member.predict(X) == code for code in range(3)] for member in ensemble.estimators_]
    np.testing.assert_allclose(votes, np.average(by_hand, axis=0, weights=[2, 1, 1]).T)


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_abstains_below_the_threshold_only(voting: str) -> None:
    X, y = load_wine(return_X_y=True)
    plain = VotingEnsembleClassifier(MEMBERS, voting=voting).fit(X, y)
    shares = plain.predict_votes(X) if voting == "hard" else plain.predict_proba(X)
    careful = VotingEnsembleClassifier(MEMBERS, voting=voting, abstain_below=0.9, abstain_label=-1).fit(X, y).predict(X)
    void = shares.max(axis=1) < 0.9
    assert 0 < void.sum() < len(y)
    assert set(careful[void]) == {-1}
    np.testing.assert_array_equal(careful[~void], plain.predict(X)[~void])
    silent = VotingEnsembleClassifier(MEMBERS, voting=voting, abstain_below=0.9).fit(X, y)
    assert set(silent.predict(X)[void]) == {None}
    right, weight = np.where(void, 0.0, plain.predict(X) == y), np.where(void, 2.0, 1.0)
    assert silent.score(X, y) == pytest.approx(right.mean())
    assert silent.score(X, y, weight) == pytest.approx(np.average(right, weights=weight))


def test_share_equal_to_the_threshold_counts() -> None:
    X, y = np.zeros((3, 1)), ["a", "b", "a"]
    members = [(f"says_{i}", DummyClassifier(strategy="constant", constant=code)) for i, code in enumerate((1, 1, 0))]
    ensemble = VotingEnsembleClassifier(members, voting="hard", abstain_below=2 / 3).fit(X, y)
    assert ensemble.predict(X[:1]).tolist() == ["b"]


def test_median_is_numpys() -> None:
    rng = np.random.default_rng(0)
    for n_members in (1, 2, 5, 8):
        values = rng.normal(size=(n_members, 20))
        np.testing.assert_allclose(weighted_median(values, np.full(n_members, 0.3)), np.median(values, axis=0))


def test_weight_of_median_is_repetition() -> None:
    rng = np.random.default_rng(0)
    values, times = rng.normal(size=(6, 20)), np.array([0, 1, 2, 3, 1, 4])
    expected = np.median(np.repeat(values, times, axis=0), axis=0)
    np.testing.assert_allclose(weighted_median(values, times.astype(float)), expected)


def test_median_ignores_a_wild_member() -> None:
    X, y = np.arange(6.0)[:, None], np.arange(6.0)
    members = [(str(k), DummyRegressor(strategy="constant", constant=k)) for k in (2.0, 3.0, 1e9)]
    assert VotingEnsembleRegressor(members).fit(X, y).predict(X[:1]).tolist() == [3.0]
    assert VotingEnsembleRegressor(members, weights=[5, 1, 1]).fit(X, y).predict(X[:1]).tolist() == [2.0]
