"""The average is scikit-learn's soft vote, to the bit, and behaves like it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import estimator_html_repr

from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    AveragingEnsembleRegressor,
    DynamicSelectionClassifier,
    StackingEnsembleClassifier,
    VotingEnsembleClassifier,
    WeightedEnsembleClassifier,
)
from ensemblekit.ensembles.members import default_classifiers, default_regressors

MEMBERS = [
    ("linear", LogisticRegression(max_iter=2000)),
    ("bayes", GaussianNB()),
    ("forest", RandomForestClassifier(n_estimators=5, random_state=0)),
]


def test_equals_soft_voting_bit_for_bit() -> None:
    X, y = load_wine(return_X_y=True)
    ours = AveragingEnsembleClassifier(random_state=0).fit(X, y)
    theirs = VotingClassifier(default_classifiers(random_state=0), voting="soft").fit(X, y)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))


def test_regressor_equals_voting_regressor_bit_for_bit() -> None:
    X, y = load_diabetes(return_X_y=True)
    ours = AveragingEnsembleRegressor(random_state=0).fit(X, y)
    theirs = VotingRegressor(default_regressors(random_state=0)).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))
    assert ours.get_feature_names_out().tolist() == ["forest", "xgboost", "lightgbm"]


def test_sample_weights_reach_the_members() -> None:
    X, y = load_iris(return_X_y=True)
    sample_weight = np.random.default_rng(0).integers(0, 3, size=len(y))
    members = MEMBERS[:2]
    ours = AveragingEnsembleClassifier(members).fit(X, y, sample_weight=sample_weight)
    theirs = VotingClassifier(members, voting="soft").fit(X, y, sample_weight=sample_weight)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    assert not np.array_equal(ours.predict_proba(X), AveragingEnsembleClassifier(members).fit(X, y).predict_proba(X))


def test_named_access_drop_and_set_params() -> None:
    X, y = load_iris(return_X_y=True)
    ensemble = AveragingEnsembleClassifier(MEMBERS)
    assert ensemble.named_estimators["bayes"] is MEMBERS[1][1]
    ensemble = clone(ensemble).set_params(forest__n_estimators=3, bayes="drop").fit(X, y)
    assert len(ensemble.named_estimators_["forest"].estimators_) == 3
    assert ensemble.named_estimators_["bayes"] == "drop"
    assert len(ensemble.estimators_) == 2
    assert MEMBERS[2][1].n_estimators == 5, "the given members stay as they were"
    assert ensemble.get_feature_names_out().tolist() == [f"{name}_{k}" for name in ("linear", "forest") for k in range(3)]


def test_works_in_searches_pipelines_and_frames() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    labels = np.array(["s", "v", "w"])[y]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), AveragingEnsembleClassifier(MEMBERS)),
        {"averagingensembleclassifier__linear__C": [0.01, 1.0]},
        cv=2,
    ).fit(X, labels)
    assert set(search.predict(X)) == {"s", "v", "w"}
    members = AveragingEnsembleClassifier(MEMBERS).fit(X, labels).set_output(transform="pandas").transform(X)
    assert isinstance(members, pd.DataFrame)
    assert members.columns[0] == "linear_s"


def test_fold_of_one_class_as_in_scikit_learn() -> None:
    # Training folds of one class: members that take it go on, as in scikit-learn; members that do not are named.
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    folds = [(np.array([0, 1, 2]), np.array([3, 4, 5]))]
    ensemble = AveragingEnsembleClassifier([("forest", RandomForestClassifier(n_estimators=2, random_state=0))])
    assert cross_val_score(ensemble, X, y, cv=folds).tolist() == [0.0]
    with pytest.raises(ValueError, match=r"Member 'linear' \(LogisticRegression\) failed to fit: .*class"):
        AveragingEnsembleClassifier(MEMBERS[:1]).fit(X[:3], y[:3])


def test_default_members_differ_with_the_seed_only() -> None:
    X, y = make_classification(n_samples=80, flip_y=0.2, random_state=0)
    proba = [AveragingEnsembleClassifier(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(proba[0], proba[1])
    assert not np.array_equal(proba[0], proba[2])


def test_parallel_fit_is_the_same() -> None:
    X, y = load_iris(return_X_y=True)
    one, two = (AveragingEnsembleClassifier(MEMBERS, n_jobs=n_jobs).fit(X, y).predict_proba(X) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_verbose_names_the_members(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = load_iris(return_X_y=True)
    AveragingEnsembleClassifier(MEMBERS, verbose=1).fit(X, y)
    assert "(2 of 3) Fitting bayes" in capsys.readouterr().out


class TestErrors:
    X, y = load_iris(return_X_y=True)

    def fit(self, members: Any, **params: Any) -> None:
        AveragingEnsembleClassifier(members).fit(self.X, self.y, **params)

    def test_duplicate_names(self) -> None:
        with pytest.raises(ValueError, match=r"not unique.*'a', 'a'"):
            self.fit([("a", GaussianNB()), ("a", GaussianNB())])

    def test_all_dropped(self) -> None:
        with pytest.raises(ValueError, match="All estimators are dropped"):
            self.fit([("a", "drop")])

    def test_not_a_classifier(self) -> None:
        with pytest.raises(ValueError, match="StandardScaler should be a classifier"):
            self.fit([("a", StandardScaler())])

    def test_member_that_fails_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"Member 'bad' \(LogisticRegression\) failed to fit: The 'C' parameter"):
            self.fit([("good", GaussianNB()), ("bad", LogisticRegression(C=-1))])

    def test_member_without_sample_weight_is_named(self) -> None:
        from sklearn.neighbors import KNeighborsClassifier

        with pytest.raises(TypeError, match=r"Member 'knn'.*does not support sample weights"):
            self.fit([("knn", KNeighborsClassifier())], sample_weight=np.ones(150))

    @pytest.mark.parametrize(
        "kind", [AveragingEnsembleClassifier, WeightedEnsembleClassifier, StackingEnsembleClassifier, DynamicSelectionClassifier]
    )
    def test_member_without_probabilities_is_named(self, kind: Any) -> None:
        members = [("good", GaussianNB()), ("margins", LinearSVC())]
        with pytest.raises(TypeError, match=r"'margins' \(LinearSVC\) has no predict_proba.*CalibratedClassifierCV"):
            kind(members).fit(self.X, self.y)
        with pytest.raises(TypeError, match="has no predict_proba"):
            VotingEnsembleClassifier(members, voting="soft").fit(self.X, self.y)
        assert VotingEnsembleClassifier(members, voting="hard").fit(self.X, self.y).score(self.X, self.y) > 0.9

    def test_unknown_metadata(self) -> None:
        with pytest.raises(TypeError, match="enable_metadata_routing"):
            self.fit(MEMBERS, groups=np.ones(150))

    def test_one_class(self) -> None:
        with pytest.raises(ValueError, match="one class only"):
            AveragingEnsembleClassifier().fit(self.X, np.zeros(150))


def test_members_that_disagree_on_classes_are_refused() -> None:
    class Confused(GaussianNB):
        def fit(self, X: Any, y: Any) -> Any:
            return super().fit(X, np.asarray(y) + 1)

    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"Member 'odd' \(Confused\) knows the classes \[1, 2, 3\].*must agree"):
        AveragingEnsembleClassifier([("even", GaussianNB()), ("odd", Confused())]).fit(X, y)


def test_metadata_routing_by_member() -> None:
    X, y = load_iris(return_X_y=True)
    sample_weight = np.random.default_rng(0).integers(0, 3, size=len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        members = [
            ("told", GaussianNB().set_fit_request(sample_weight=True)),
            ("untold", GaussianNB().set_fit_request(sample_weight=False)),
        ]
        ensemble = AveragingEnsembleClassifier(members).fit(X, y, sample_weight=sample_weight)
    told, untold = ensemble.estimators_
    np.testing.assert_array_equal(told.theta_, GaussianNB().fit(X, y, sample_weight).theta_)
    np.testing.assert_array_equal(untold.theta_, GaussianNB().fit(X, y).theta_)


def test_pipelines_with_columns_of_their_own() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    X["kind"] = np.where(X.iloc[:, 0] > 5.8, "long", "short")
    numbers = make_pipeline(make_column_transformer(("passthrough", list(X.columns[:2]))), GaussianNB())
    text = make_pipeline(make_column_transformer((OneHotEncoder(), ["kind"])), LogisticRegression())
    members = [("numbers", numbers), ("text", text)]
    average = AveragingEnsembleClassifier(members).fit(X, y)
    expected = (numbers.fit(X, y).predict_proba(X) + text.fit(X, y).predict_proba(X)) / 2
    np.testing.assert_allclose(average.predict_proba(X), expected)
    assert average.feature_names_in_.tolist() == list(X.columns)
    assert WeightedEnsembleClassifier(members, cv=3, random_state=0).fit(X, y).score(X, y) > 0.6


@pytest.mark.parametrize("members", [None, MEMBERS])
def test_html_shows_the_members(members: Any) -> None:
    html = estimator_html_repr(AveragingEnsembleClassifier(members))
    for name, _ in members or default_classifiers():
        assert name in html
