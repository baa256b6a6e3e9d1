"""Compute is that of the parts that run, and the same in every run."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, WeightedEnsembleClassifier
from ensemblekit.packed import Work, compute, pack

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
TREE, FOREST = DecisionTreeClassifier(max_depth=3, random_state=0), RandomForestClassifier(5, max_depth=2, random_state=0)
MEMBERS = [("tree", TREE), ("forest", FOREST)]
OF_MEMBERS = [compute(clone(member).fit(X, Y), X).active for _, member in MEMBERS]


@pytest.mark.parametrize("kind", [AveragingEnsembleClassifier, VotingEnsembleClassifier])
def test_an_ensemble_computes_what_its_members_compute(kind):
    found = compute(kind(MEMBERS).fit(X, Y), X)
    assert found.total == found.active == pytest.approx(sum(OF_MEMBERS))
    assert found.multiply_adds == Work(0, 0)


def test_members_of_weight_zero_do_not_run():
    weighted = WeightedEnsembleClassifier(MEMBERS, weights=[0, 1], random_state=0).fit(X, Y)
    votes = VotingEnsembleClassifier(MEMBERS, weights=[0, 1], voting="soft").fit(X, Y)
    for found in (compute(weighted, X), compute(votes, X)):
        assert found.active == pytest.approx(OF_MEMBERS[1])
        assert found.total == pytest.approx(sum(OF_MEMBERS))


def test_it_agrees_with_what_the_packed_engine_counts():
    for model in (*(member for _, member in MEMBERS), AveragingEnsembleClassifier(MEMBERS)):
        fitted = clone(model).fit(X, Y)
        assert compute(fitted, X).node_visits == pytest.approx(pack(fitted).node_visits(X))


def test_routed_experts_count_where_they_run():
    everywhere = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, Y)
    few = MixtureOfExpertsClassifier(2, n_init=1, routing="top_k", top_k=1, random_state=0).fit(X, Y)
    of_all, of_one = compute(everywhere, X), compute(few, X)
    of_gate = 2 * 4
    assert of_all.total == of_all.active == of_one.total
    assert of_one.active - of_gate == (of_one.total - of_gate) / 2


def test_linear_models_of_two_classes_compute_one_logit():
    assert compute(LogisticRegression().fit(X, Y), X) == (Work(0, 0), Work(4, 4))
    alone, two = (MixtureOfExpertsClassifier(k, random_state=0).fit(X, Y) for k in (1, 2))
    assert compute(alone, X).active == 4  # a gate over one expert has nothing to say
    assert compute(two, X).active == 2 * 4 + 2 * 4


def test_columns_that_an_expert_does_not_read_cost_nothing():
    answers = np.where(X[:, 0] > 0, X[:, 1], X[:, 2] - X[:, 1])
    apart = MixtureOfExpertsRegressor(2, gate_features=[0], expert_features=[[1], [1, 2]], random_state=0).fit(X, answers)
    assert compute(apart, X).active == 2 + 1 + 2


def test_it_is_the_same_in_every_run():
    model = AveragingEnsembleClassifier([*MEMBERS, ("linear", LogisticRegression())])
    assert compute(clone(model).fit(X, Y), X) == compute(clone(model).fit(X, Y), X)


def test_what_cannot_be_counted_is_said():
    with pytest.raises(TypeError, match="Packing is possible for"):
        compute(SVC().fit(X, Y), X)
