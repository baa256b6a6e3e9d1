"""Compressed estimators are scikit-learn's citizens, and answer as what they hold."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from ensemblekit.compression import (
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)
from ensemblekit.mixture import MixtureOfExpertsClassifier
from ensemblekit.packed import compute, pack

TREE, REGRESSION_TREE = DecisionTreeClassifier(random_state=0), DecisionTreeRegressor(random_state=0)
ESTIMATORS = [
    PrunedClassifier(TREE, random_state=0),
    PrunedRegressor(REGRESSION_TREE, random_state=0),
    DistilledClassifier(TREE, student="tree", n_synthetic=50, random_state=0),
    DistilledRegressor(REGRESSION_TREE, student="tree", n_synthetic=50, random_state=0),
    QuantizedClassifier(TREE),
    QuantizedRegressor(REGRESSION_TREE),
]


def expected_failures(estimator):
    drawn = "rows are drawn to judge by, and a row of weight two is not two rows there"
    checks = ("check_sample_weight_equivalence_on_dense_data",)
    return {} if not isinstance(estimator, PrunedClassifier | PrunedRegressor) else dict.fromkeys(checks, drawn)


@parametrize_with_checks(ESTIMATORS[::2], expected_failed_checks=expected_failures)
def test_scikit_learns_checks_of_classifiers(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS[1::2], expected_failed_checks=expected_failures)
def test_scikit_learns_checks_of_regressors(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    return X, np.array(["no", "yes"])[((X[:, 0] + np.sin(3 * X[:, 1]) + 0.5 * rng.normal(size=600)) > 0).astype(int)]


@pytest.mark.parametrize("kind", [PrunedClassifier, DistilledClassifier, QuantizedClassifier])
def test_answers_are_those_of_the_small_model_also_after_a_pickle(table, kind):
    X, y = table
    model = kind(RandomForestClassifier(20, random_state=0)).fit(X, y)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - its own
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.abs(pack(model).predict_proba(X) - model.predict_proba(X)).max() < 1e-6
    assert compute(model, X).active == pytest.approx(compute(model.compressed_ if kind is DistilledClassifier else pack(model), X).active)
    assert cross_val_score(clone(model), X, y, cv=2).mean() > 0.75


def test_a_class_of_one_row_is_learnt_and_has_its_column(table):
    X, y = table[0][:100], table[1][:100].astype("<U5")
    y[0] = "maybe"
    model = PrunedClassifier(TREE, random_state=0).fit(X, y)
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    assert model.predict_proba(X).shape == (100, 3)


def test_nobody_judges_by_rows_that_were_learnt(table):
    """The model that stands in for the estimator sees fewer rows than there are, and none of those that prune is given."""
    X, y = table
    seen = []

    class Watched(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            seen.append(X)
            return super().fit(X, y, sample_weight)

    PrunedClassifier(Watched(max_depth=4, random_state=0), validation_fraction=0.3, random_state=0).fit(X, y)
    assert [len(rows) for rows in seen] == [420]


@pytest.mark.parametrize("limits", [{"node_visits": 2}, {"max_loss_increase": -1}])
def test_limits_that_are_none_are_refused_before_the_fit(table, limits):
    class Never(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError

    with pytest.raises(ValueError, match=next(iter(limits))):
        PrunedClassifier(Never(), **limits).fit(*table)


def test_weights_reach_the_estimator(table):
    X, y = table
    weight = np.random.default_rng(0).integers(1, 4, 600)
    weighted = QuantizedClassifier(LogisticRegression()).fit(X, y, sample_weight=weight)
    repeated = QuantizedClassifier(LogisticRegression()).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert np.abs(weighted.predict_proba(X) - repeated.predict_proba(X)).max() < 1e-3


@pytest.mark.parametrize("kind", [PrunedClassifier, DistilledClassifier, QuantizedClassifier])
def test_a_class_of_which_all_rows_weigh_nothing(table, kind):
    X, y = table[0][:200], np.where(np.arange(200) < 10, "maybe", table[1][:200])
    mixture = MixtureOfExpertsClassifier(2, n_init=1, random_state=0)
    model = kind(mixture, student="tree", n_synthetic=0) if kind is DistilledClassifier else kind(mixture)
    model.fit(X, y, sample_weight=(y != "maybe").astype(float))
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    assert not model.predict_proba(X)[:, 0].any()


def test_too_few_rows_to_hold_some_out():
    with pytest.raises(ValueError, match="too few to learn from some"):
        PrunedClassifier(TREE).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])


@pytest.mark.parametrize("kind", [PrunedClassifier, DistilledClassifier, QuantizedClassifier])
def test_rows_of_weight_zero_are_none(table, kind):
    """Also where a class has no others: it keeps a column, of zeros."""
    X, y = table[0][:200], np.arange(200) % 3
    settings = {"student": "tree", "n_synthetic": 200} if kind is DistilledClassifier else {}
    settings |= {} if kind is QuantizedClassifier else {"random_state": 0}
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = kind(tree, **settings).fit(X, y, sample_weight=(y < 2).astype(float))
    assert model.predict_proba(X)[:, 2].max() == 0
    assert np.array_equal(model.predict_proba(X)[:, :2], kind(tree, **settings).fit(X[y < 2], y[y < 2]).predict_proba(X))


@pytest.mark.parametrize("kind", [PrunedClassifier, QuantizedClassifier])
def test_steps_of_a_pipeline_are_not_left_out(table, kind):
    X, y = 1000 + 500 * table[0], table[1]
    with pytest.raises(ValueError, match=r"'standardscaler'.*last step of the pipeline"):
        kind(make_pipeline(StandardScaler(), LogisticRegression())).fit(X, y)
    assert make_pipeline(StandardScaler(), kind(LogisticRegression())).fit(X, y).score(X, y) > 0.7


def test_an_estimator_of_the_other_task_and_a_share_that_is_none_are_refused(table):
    X, y = table
    with pytest.raises(TypeError, match="takes a regressor as estimator; received DecisionTreeClassifier"):
        QuantizedRegressor(TREE).fit(X, y)
    with pytest.raises(TypeError, match="takes a classifier as estimator; received DecisionTreeRegressor"):
        DistilledClassifier(REGRESSION_TREE).fit(X, y)
    for share in (0.0, -0.1, 1.0, np.nan, "a"):
        with pytest.raises(ValueError, match="validation_fraction"):
            PrunedClassifier(TREE, validation_fraction=share).fit(X, y)
