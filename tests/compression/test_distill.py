"""A student learns the teacher's distribution: by weights, exactly; and more of it from rows that nobody has seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.compression import distill
from ensemblekit.compression.distilling import STUDENTS
from ensemblekit.datasets.regimes import make_regimes_classification


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_regimes_classification(1500, 5, random_state=0)
    return X, np.array(["no", "yes"])[y]


@pytest.fixture(scope="module")
def forest(table):
    X, y = table
    return RandomForestClassifier(150, random_state=0).fit(X[:700], y[:700])


def test_a_student_of_its_own_kind_finds_the_teacher(table):
    """The minimum of the cross-entropy to a logistic model's probabilities is that model."""
    X, y = table
    teacher = LogisticRegression(C=1e6).fit(X, y)
    student = distill(teacher, X, student=LogisticRegression(C=1e6, tol=1e-8, max_iter=1000), n_synthetic=0).model
    assert np.abs(student.predict_proba(X) - teacher.predict_proba(X)).max() < 1e-3
    labels = LogisticRegression(C=1e6, max_iter=1000).fit(X, teacher.predict(X))  # from labels alone it does not
    assert np.abs(labels.predict_proba(X) - teacher.predict_proba(X)).max() > 0.1


def test_made_rows_teach_what_the_forest_knows(table, forest):
    X, _ = table
    truth = forest.predict_proba(X[700:])[:, 1]
    errors = []
    for n_synthetic in (0, 5000):
        student = distill(forest, X[:700], student=DecisionTreeClassifier(max_leaf_nodes=64, random_state=0), n_synthetic=n_synthetic)
        errors.append(np.mean((student.model.predict_proba(X[700:])[:, 1] - truth) ** 2))
    assert errors[1] < 0.9 * errors[0]


@pytest.mark.parametrize("student", STUDENTS)
def test_every_student_is_cheaper_and_better_than_guessing(table, forest, student):
    X, y = table
    found = distill(forest, X[:700], y[:700], student=student, n_synthetic=300)
    assert found.model.score(X[700:], y[700:]) > 0.5
    assert found.report.after.node_visits + found.report.after.multiply_adds < 0.5 * found.report.before.node_visits
    assert set(found.model.classes_) == {"no", "yes"}


@pytest.mark.parametrize("student", ["tree", "logistic"])
def test_regressors_learn_answers(table, student):
    X = table[0]
    teacher = GradientBoostingRegressor(n_estimators=30, random_state=0).fit(X, X[:, 0] ** 2 + X[:, 1])
    found = distill(teacher, X, student=student, n_synthetic=500)
    assert found.report.before.loss == 0.0  # judged by its own answers
    assert found.report.after.loss < np.var(teacher.predict(X))


def test_a_class_that_only_the_student_lacks_counts_as_missed(table):
    """The teacher hardly gives it any probability, so that no copy of a row carries it."""
    X, y = table[0][:300], np.where(np.arange(300) < 2, "aaa", table[1][:300])
    teacher = LogisticRegression(max_iter=500).fit(X, y, sample_weight=np.where(y == "aaa", 1e-9, 1.0))
    found = distill(teacher, X, y, student="tree", n_synthetic=0)
    assert found.model.classes_.tolist() == ["no", "yes"]
    answers = np.column_stack([np.zeros(300), found.model.predict_proba(X)])
    of_truth = answers[np.arange(300), np.searchsorted(teacher.classes_, y)]
    assert found.report.after.loss == pytest.approx(-np.log(np.maximum(of_truth, 1e-6)).mean())
    with pytest.raises(ValueError, match=r"does not know: \['zzz'\]"):
        distill(teacher, X, np.where(np.arange(300) == 5, "zzz", y), student="tree", n_synthetic=0)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_column_names_reach_teacher_and_student(table, task):
    X, y = pd.DataFrame(table[0][:200]).add_prefix("column "), table[1][:200]
    teacher = DecisionTreeClassifier(max_depth=3).fit(X, y) if task == "classification" else Ridge().fit(X, X["column 0"])
    found = distill(teacher, X, student="tree", n_synthetic=100)  # a warning about names is an error here
    assert found.model.feature_names_in_.tolist() == X.columns.tolist()


def test_a_pipeline_can_be_a_student(table):
    """Its last step gets the weights."""
    X, y = table
    teacher = LogisticRegression().fit(X, y)
    found = distill(teacher, X, student=make_pipeline(StandardScaler(), LogisticRegression(C=1e6)), n_synthetic=0)
    assert np.abs(found.model.predict_proba(X) - teacher.predict_proba(X)).max() < 1e-3
    with pytest.raises(TypeError, match="take sample_weight, and KNeighbors"):
        distill(teacher, X, student=make_pipeline(StandardScaler(), KNeighborsClassifier()), n_synthetic=0)


def test_students_that_cannot_learn(table, forest):
    X, y = table
    with pytest.raises(ValueError, match="choose one of"):
        distill(forest, X, student="forest")
    with pytest.raises(TypeError, match="n_synthetic must be a whole number"):
        distill(forest, X, student="tree", n_synthetic=1.5)
    with pytest.raises(TypeError, match="take sample_weight"):
        distill(forest, X, student=KNeighborsClassifier(), n_synthetic=0)
    with pytest.raises(TypeError, match="has no predict_proba"):
        distill(SVC().fit(X[:100], y[:100]), X)
    with pytest.raises(TypeError, match="answers with probabilities, and LinearSVC"):
        distill(forest, X, student=LinearSVC())
    with pytest.raises(TypeError, match="task is classification, and Ridge does another"):
        distill(forest, X, student=Ridge())


@pytest.mark.parametrize(
    ("settings", "message"), [({"n_synthetic": -1}, "must not be negative"), ({"y": ["yes"]}, r"each of 300 rows; received shape \(1,\)")]
)
def test_settings_that_cannot_serve(table, forest, settings, message):
    with pytest.raises(ValueError, match=message):
        distill(forest, table[0][:300], student="tree", **settings)


def test_what_no_report_could_be_made_of_is_refused(table, forest):
    X, y = table
    amounts = X[:, 0].copy()
    teacher = Ridge().fit(X, amounts)
    amounts[3] = np.nan
    with pytest.raises(ValueError, match="1 of 1500 answers are NaN"):
        distill(teacher, X, amounts, student="logistic", n_synthetic=0)
    with pytest.raises(TypeError, match="one answer a row, and Ridge gives several"):
        distill(Ridge().fit(X, X), X, student="logistic", n_synthetic=0)
    for nobody in (None, DecisionTreeClassifier):
        with pytest.raises(TypeError, match=r"student must be one of \['tree', .* received"):
            distill(forest, X, y, student=nobody, n_synthetic=0)
    with pytest.raises(TypeError, match="toarray"):
        distill(forest, sp.csr_array(X), y, student="tree", n_synthetic=0)
