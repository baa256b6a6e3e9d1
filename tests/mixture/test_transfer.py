"""Experts of one mixture in another."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import frozen_experts
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table, two_lines

pytestmark = [
    pytest.mark.filterwarnings("ignore:Experts .* answer for less"),
    pytest.mark.filterwarnings("ignore:The penalised log-likelihood fell"),  # of an estimator's own penalty it knows nothing
]


def letters(y):
    return np.array(["no", "yes"])[y]


@pytest.fixture(scope="module")
def source():
    X, y = gated_table(3, n_samples=400)
    return MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(X, letters(y))


def test_frozen_experts_answer_as_they_did(source):
    X, y = gated_table(3, n_samples=150)
    model = MixtureOfExpertsClassifier(2, experts=frozen_experts(source), random_state=0).fit(X, letters(y))
    assert_allclose(model.expert_proba(X), source.expert_proba(X))
    labels = source.classes_[source.expert_proba(X).argmax(axis=2)]
    assert all(np.array_equal(expert.predict(X), labels[:, k]) for k, expert in enumerate(frozen_experts(source)))


@pytest.mark.parametrize("experts", [LogisticRegression(), "logistic"])
def test_freed_experts_climb_on(source, experts):
    """The likelihood of the table rises from that of the frozen ones, and no random start is needed: one is all there is."""
    X, y = gated_table(3, n_samples=150)
    settings = {"n_init": 1, "alpha": 0.1, "random_state": 0}
    model = MixtureOfExpertsClassifier(2, experts=frozen_experts(source), **settings).fit(X, letters(y))
    frozen = model.log_likelihood(X, letters(y))
    model.set_params(experts=experts, warm_start=True).fit(X, letters(y))
    assert model.log_likelihood(X, letters(y)) > frozen
    assert model.converged_
    assert not np.allclose(model.expert_proba(X), source.expert_proba(X))


def test_estimators_begin_again_on_another_table():
    """They remember the rows of their own table, which must not be taken for those of the new one."""
    X, y = two_lines(0, n_samples=200)
    model = MixtureOfExpertsRegressor(2, experts=LinearRegression(), n_init=3, warm_start=True, random_state=0).fit(X, y)
    model.fit(*two_lines(1, n_samples=120))
    assert model.score(*two_lines(2)) > 0.8


@pytest.mark.parametrize("experts", ["linear", LinearRegression()])
def test_regressors_learn_how_exact_they_are(experts):
    source = MixtureOfExpertsRegressor(2, experts=experts, n_init=4, random_state=0).fit(*two_lines(0, noise=0.1))
    X, y = two_lines(1, n_samples=200, noise=0.5)
    model = MixtureOfExpertsRegressor(2, experts=frozen_experts(source), random_state=0).fit(X, y)
    assert_allclose(model.expert_predict(X), source.expert_predict(X))
    assert_allclose(model.experts_.deviation_, 0.5, atol=0.15)
    assert model.score(X, y) > 0.5


def test_a_gate_alone_goes_over_with_all_rows_remembered(source):
    X, y = gated_table(3, n_samples=300)
    moved = np.column_stack([-X[:, 0], X[:, 1:]])
    rows = moved if source.score(moved, letters(y)) < source.score(X, letters(y)) else X
    model = MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(*gated_table(3, n_samples=400))
    before = model.log_likelihood(rows, y)
    assert model.adapt_gate(rows, y, memory=np.inf).log_likelihood(rows, y) > before


def test_classes_have_to_be_the_same(source):
    X, y = gated_table(0, n_samples=60)
    model = MixtureOfExpertsClassifier(2, n_init=2, warm_start=True, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start needs the classes of the last fit, \[0, 1\]"):
        model.fit(X, letters(y))
    with pytest.raises(ValueError, match="A frozen expert predicts classes"):
        MixtureOfExpertsClassifier(2, experts=frozen_experts(source)).fit(X, y)


@pytest.mark.parametrize("experts", ["logistic", "boosted", "linear", DecisionTreeClassifier(max_depth=2, random_state=0)])
def test_mixtures_of_frozen_experts_are_packed(experts):
    X, y = gated_table(3, n_samples=200)
    kind, answers = (MixtureOfExpertsRegressor, X[:, 0] + y) if experts == "linear" else (MixtureOfExpertsClassifier, letters(y))
    some = {"expert_features": [[0, 1], [1]]} if not isinstance(experts, str) else {}
    settings = {"n_init": 1, "tol": 1e-2, "random_state": 0}
    source = kind(2, experts=experts, **some, **settings).fit(X, answers)
    model = kind(2, experts=frozen_experts(source), **settings).fit(X, answers)
    answer = "predict" if experts == "linear" else "predict_proba"
    assert_allclose(getattr(pack(model), answer)(X), getattr(model, answer)(X), atol=1e-5)
    alone = frozen_experts(source)[1]
    assert_allclose(getattr(pack(alone), answer)(X), getattr(alone, answer)(X), atol=1e-5)


def frame(X, columns):
    return pd.DataFrame(X, columns=["a", "b", "c"])[columns]


@pytest.mark.parametrize("kind", [MixtureOfExpertsClassifier, MixtureOfExpertsRegressor])
@pytest.mark.parametrize("gate_features", [None, ["a"]])
def test_experts_know_their_columns_by_name(kind, gate_features):
    """With a gate of its own columns the experts are given the frame itself, otherwise its numbers."""
    X, y = gated_table(3, n_samples=120)
    settings = {"n_init": 1, "tol": 1e-2, "random_state": 0}
    source = kind(2, **settings).fit(frame(X, ["a", "b", "c"]), y)
    model = kind(2, experts=frozen_experts(source), gate_features=gate_features, **settings)
    same = model.fit(frame(X, ["a", "b", "c"]), y)
    assert_allclose(same.experts_.predict(X), source.experts_.predict(X))
    with pytest.raises(ValueError, match=r"reads the columns \['a', 'b', 'c'\], and the table has \['c', 'b', 'a'\]"):
        model.fit(frame(X, ["c", "b", "a"]), y)
    with pytest.raises(ValueError, match="reads the columns"):
        frozen_experts(source)[0].predict(frame(X, ["c", "b", "a"]))


def test_chosen_columns_are_known_by_name():
    X, y = gated_table(3, n_samples=120)
    settings = {"n_init": 1, "tol": 1e-2, "random_state": 0}
    source = MixtureOfExpertsClassifier(2, **settings).fit(frame(X, ["a", "b", "c"]), y)
    model = MixtureOfExpertsClassifier(2, experts=frozen_experts(source), expert_features=[["a", "b", "c"]] * 2, **settings)
    assert_allclose(model.fit(frame(X, ["a", "b", "c"]), y).experts_.predict(X), source.experts_.predict(X))
    moved = frame(X, ["a", "b", "c"])[["c", "a", "b"]]
    assert_allclose(model.fit(moved, y).expert_proba(moved), source.experts_.predict(X))
    for wrong, columns in ((["c", "b", "a"], ["a", "b", "c"]), ([0, 1, 2], ["c", "b", "a"]), (["a", "b"], ["a", "b", "c"])):
        with pytest.raises(ValueError, match="A fitted expert reads the columns"):
            model.set_params(expert_features=[wrong] * 2).fit(frame(X, columns), y)


def test_fitted_estimators_choose_columns_of_a_frame_themselves():
    X, y = gated_table(3, n_samples=120)
    table = frame(X, ["a", "b", "c"])
    expert = make_pipeline(make_column_transformer((StandardScaler(), ["a", "b"])), LogisticRegression()).fit(table[["a", "b"]], y)
    model = MixtureOfExpertsClassifier(2, experts=[FrozenEstimator(expert)] * 2, gate_features=["c"], n_init=1, random_state=0)
    assert_allclose(model.fit(table, y).predict_proba(table), expert.predict_proba(table))


def test_a_wider_table_needs_a_choice_of_columns(source):
    X, y = gated_table(3, n_samples=120)
    wide = np.hstack([X[:, ::-1], X])
    model = MixtureOfExpertsClassifier(2, experts=frozen_experts(source), random_state=0)
    for table in (wide, X[:, :2]):
        with pytest.raises(ValueError, match=f"A fitted expert reads 3 columns, and the table has {table.shape[1]}"):
            model.fit(table, letters(y))
    model.set_params(expert_features=[[3, 4, 5]] * 2).fit(wide, letters(y))
    assert_allclose(model.expert_proba(wide), source.expert_proba(X))
    with pytest.raises(ValueError, match="A fitted expert reads 3 columns, and the table has 2"):
        frozen_experts(source)[0].predict(X[:, :2])


def test_only_mixtures_have_experts_to_give(source):
    X, y = gated_table(3, n_samples=60)
    for other in (LogisticRegression().fit(X, y), make_pipeline(StandardScaler(), source)):
        with pytest.raises(TypeError, match=f"takes a fitted mixture.* got {type(other).__name__}"):
            frozen_experts(other)


def test_steps_do_not_go_on_from_frozen_experts(source):
    X, y = gated_table(3, n_samples=150)
    model = MixtureOfExpertsClassifier(2, experts=frozen_experts(source), n_init=1, random_state=0).fit(X, letters(y))
    model.set_params(experts="logistic", warm_start=True)
    with pytest.raises(ValueError, match="those of the last fit are SoftmaxGate and EstimatorExperts"):
        model.partial_fit(X, letters(y))
    assert hasattr(model.fit(X, letters(y)).partial_fit(X, letters(y)), "_online")
