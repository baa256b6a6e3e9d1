"""Any estimators as experts: weights, columns, classes that an expert never saw, held-out responsibilities, frozen ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import BoostedExperts, ClassifierGate
from ensemblekit.mixture.experts.estimators import EstimatorExperts
from tests.mixture.tables import gated_table, two_lines

pytestmark = [
    pytest.mark.filterwarnings("ignore:Experts .* answer for less"),
    pytest.mark.filterwarnings("ignore:The penalised log-likelihood fell"),
]


def test_estimators_reach_what_the_built_in_experts_reach():
    X, y = gated_table(0, n_samples=600)
    own = MixtureOfExpertsClassifier(2, random_state=0).fit(X, y)
    general = MixtureOfExpertsClassifier(2, experts=LogisticRegression(tol=1e-8), random_state=0).fit(X, y)
    assert abs(general.log_likelihood(X, y) - own.log_likelihood(X, y)) < 2


def test_a_list_of_different_experts():
    X, y = gated_table(1, n_classes=3)
    experts = [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(max_depth=3, random_state=0)]
    model = MixtureOfExpertsClassifier(3, experts=experts, random_state=0).fit(X, y)
    assert [type(e).__name__ for e in model.experts_.estimators_] == ["LogisticRegression", "GaussianNB", "DecisionTreeClassifier"]
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="experts holds 3 estimators, and n_experts=2"):
        MixtureOfExpertsClassifier(2, experts=experts).fit(X, y)
    with pytest.raises(ValueError, match="an estimator or a list of estimators; got 3"):
        MixtureOfExpertsClassifier(2, experts=[3, 4]).fit(X, y)


def test_an_expert_may_miss_a_class():
    X, y = np.arange(12.0)[:, None], np.repeat([0, 1, 2], 4)
    responsibilities = np.where(X < 8, [[1.0, 0.0]], [[0.0, 1.0]])
    bank = EstimatorExperts([DecisionTreeClassifier()] * 2, np.arange(3)).fit(X, y, responsibilities, np.ones(12))
    proba = bank.predict(X)
    assert_allclose(proba[:, 0, 2], 0)  # the first never saw class 2
    assert_allclose(proba[:, 1], np.broadcast_to([0, 0, 1], (12, 3)))  # the second saw nothing else
    assert np.all(np.isfinite(bank.log_likelihood(X, y)))


def test_held_out_responsibilities_keep_trees_from_judging_themselves():
    X, y = gated_table(2, n_samples=300)
    noise = np.random.default_rng(0).permutation(y)
    tree = DecisionTreeClassifier(random_state=0)
    held_out = EstimatorExperts([tree], np.arange(2), cross_fit=5).fit(X, noise, np.ones((300, 1)), np.ones(300))
    assert held_out.log_likelihood(X, noise).mean() > -0.01  # it knows its rows by heart
    assert held_out.judge(X, noise).mean() < -1  # and has learnt nothing


def test_cross_fitting_is_on_for_trees_and_off_for_linear_models():
    X, y = gated_table(3)
    for expert, folds in [(DecisionTreeClassifier(max_depth=2), 5), (LogisticRegression(), 0)]:
        model = MixtureOfExpertsClassifier(2, experts=expert, max_iter=2, tol=1, random_state=0).fit(X, y)
        assert model.experts_.cross_fit == folds
    off = MixtureOfExpertsClassifier(2, experts=DecisionTreeClassifier(max_depth=2), cross_fit=None, max_iter=2, tol=1, random_state=0)
    assert off.fit(X, y).experts_.cross_fit == 0


def test_forests_work():
    X, y = gated_table(4)
    forest = RandomForestClassifier(10, random_state=0)
    model = MixtureOfExpertsClassifier(2, experts=forest, cross_fit=2, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_random_experts_and_gates_follow_the_seed_of_the_mixture():
    X, y = gated_table(4)
    settings = {"experts": ExtraTreeClassifier(max_depth=3), "gate": ExtraTreeClassifier(max_depth=2), "max_iter": 3, "tol": 0.1}
    first, again, other = (MixtureOfExpertsClassifier(2, **settings, random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    settings["gate"] = ClassifierGate(settings["gate"])
    gates = [MixtureOfExpertsClassifier(2, **settings, random_state=0).fit(X, y).gate_proba(X) for _ in range(2)]
    assert np.array_equal(*gates)
    fitted = MixtureOfExpertsClassifier(2, **settings, random_state=0).fit(X, y).experts_.estimators_
    assert fitted[0].random_state != fitted[1].random_state
    set_before = MixtureOfExpertsClassifier(2, experts=ExtraTreeClassifier(random_state=3), max_iter=1, tol=1, random_state=0).fit(X, y)
    assert [expert.random_state for expert in set_before.experts_.estimators_] == [3, 3]


def test_experts_that_cannot_serve_are_refused_before_anything_is_fitted():
    X, y = gated_table(4)
    with pytest.raises(ValueError, match=r"must be classifiers with predict_proba; LinearSVC\(\) has none"):
        MixtureOfExpertsClassifier(2, experts=LinearSVC()).fit(X, y)
    with pytest.raises(ValueError, match=r"gate must have predict_proba; LinearSVC\(\) has none"):
        MixtureOfExpertsClassifier(2, gate=LinearSVC()).fit(X, y)
    with pytest.raises(ValueError, match=r"must be regressors; got the classifier LogisticRegression\(\)"):
        MixtureOfExpertsRegressor(2, experts=LogisticRegression()).fit(X, y)


def test_estimators_without_weights_are_resampled_with_a_warning():
    X, y = two_lines(0, n_samples=100)
    with pytest.warns(UserWarning, match="KNeighborsRegressor takes no sample_weight"):
        MixtureOfExpertsRegressor(2, experts=KNeighborsRegressor(), cross_fit=2, max_iter=1, tol=10, random_state=0).fit(X, y)


def test_pipelines_take_their_weights():
    X, y = two_lines(1)
    pipeline = make_pipeline(StandardScaler(), Ridge(alpha=1e-6))
    model = MixtureOfExpertsRegressor(2, experts=pipeline, alpha=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_frozen_experts_are_left_alone():
    X, y = two_lines(2)
    up = LinearRegression().fit(X[:, :1], X[:, 0])
    down = LinearRegression().fit(X[:, :1], -X[:, 0])
    model = MixtureOfExpertsRegressor(
        2, experts=[FrozenEstimator(up), FrozenEstimator(down)], expert_features=[[0], [0]], random_state=0
    ).fit(X, y)
    assert_allclose(model.expert_predict(X), np.c_[X[:, 0], -X[:, 0]])
    assert model.score(X, y) > 0.9
    assert np.all(np.diff(model.lower_bounds_) >= 0)


def test_frozen_classifiers_speak_of_labels():
    X, codes = gated_table(5)
    y = np.array(["a", "b"])[codes]
    experts = [FrozenEstimator(LogisticRegression().fit(X[half], y[half])) for half in (X[:, 0] > 0, X[:, 0] <= 0)]
    model = MixtureOfExpertsClassifier(2, experts=experts, random_state=0).fit(X, y)
    assert_allclose(model.expert_proba(X)[:, 0], experts[0].predict_proba(X))
    foreign = FrozenEstimator(LogisticRegression().fit(X, np.where(codes, "b", "z")))
    with pytest.raises(ValueError, match=r"predicts classes \['z'\], which y does not hold; y holds \['a', 'b'\]"):
        MixtureOfExpertsClassifier(2, experts=[foreign, foreign], random_state=0).fit(X, y)


def test_linear_experts_with_columns_of_their_own():
    X, y = gated_table(6, n_features=4)
    model = MixtureOfExpertsClassifier(2, expert_features=[[0, 1], slice(2, 4)], n_init=4, random_state=0).fit(X, y)
    assert_allclose(model.experts_.coef_[0][:, 2:], 0)
    assert_allclose(model.experts_.coef_[1][:, :2], 0)
    assert np.abs(model.experts_.coef_[0][:, :2]).min() > 0 or np.abs(model.experts_.coef_[0][1, :2]).min() > 0
    with pytest.raises(ValueError, match="a choice of columns for each of 2 experts; got 1"):
        MixtureOfExpertsClassifier(2, expert_features=[[0]]).fit(X, y)


def test_views_of_different_types():
    pd = pytest.importorskip("pandas")
    X, y = two_lines(3)
    frame = pd.DataFrame({"slope": X[:, 0], "side": np.where(X[:, 1] > 0, "up", "down"), "height": X[:, 1]})
    words = make_pipeline(make_column_transformer((OneHotEncoder(), ["side"])), LinearRegression())
    model = MixtureOfExpertsRegressor(
        2, experts=[LinearRegression(), words], expert_features=[["slope"], ["side"]], gate_features=["height"], random_state=0
    ).fit(frame, y)
    assert np.isfinite(model.predict(frame)).all()
    assert list(model.feature_names_in_) == ["slope", "side", "height"]
    with pytest.raises(ValueError, match="could not convert"):
        MixtureOfExpertsRegressor(2, experts=LinearRegression()).fit(frame, y)  # without gate_features the gate reads all


def test_trees_for_regression_with_a_held_out_spread():
    X, y = two_lines(4)
    tree = DecisionTreeRegressor(random_state=0)
    model = MixtureOfExpertsRegressor(2, experts=tree, random_state=0).fit(X, y)
    assert np.all(model.experts_.deviation_ > 0.1)  # not the zero of rows known by heart


def test_boosted_experts_by_name_and_by_object():
    pytest.importorskip("lightgbm")
    X, y = two_lines(5, n_samples=400)
    settings = BoostedExperts(n_estimators=40, num_leaves=7)
    model = MixtureOfExpertsRegressor(2, experts=settings, alpha=0.1, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    assert len(model.lower_bounds_) > 5
    again = MixtureOfExpertsRegressor(2, experts=settings, alpha=0.1, random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), again.predict(X))
    assert not hasattr(settings, "boosters_")
    X, y = gated_table(7, n_samples=300, n_classes=3)
    labels = np.array(["a", "b", "c"])[y]
    classifier = MixtureOfExpertsClassifier(2, experts=settings, routing="top_k", random_state=0).fit(X, labels)
    assert classifier.score(X, labels) > 0.6
    assert_allclose(classifier.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="all read all columns: expert_features must be None"):
        MixtureOfExpertsClassifier(2, experts=settings, expert_features=[[0], [1]]).fit(X, y)


@pytest.mark.parametrize("seed", range(3))
def test_weights_equal_repetition_for_trees(seed):
    X, y = gated_table(seed, n_samples=200)
    weight = np.random.default_rng(seed).integers(0, 4, len(y))
    model = MixtureOfExpertsClassifier(2, experts=DecisionTreeClassifier(max_depth=2, random_state=0), n_init=2, tol=1e-3, random_state=0)
    weighted = model.fit(X, y, weight).predict_proba(X)
    repeated = model.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).predict_proba(X)
    assert_allclose(weighted, repeated, atol=1e-9)
