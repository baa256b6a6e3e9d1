"""The default members take any table: names of columns, labels, missing cells, without a word."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from ensemblekit.ensembles import AveragingEnsembleClassifier
from ensemblekit.ensembles.lightgbm_members import LightGBMClassifier, LightGBMRegressor
from ensemblekit.ensembles.members import (
    KINDS,
    default_classifiers,
    lightgbm_classifier,
    make_members,
    xgboost_classifier,
)
from ensemblekit.ensembles.xgboost_members import XGBoostClassifier, XGBoostRegressor

BOOSTERS = [xgboost_classifier, lightgbm_classifier]
AWKWARD = [["[a]", "b<c", 'd"', "{e}"], ["same", "same", "same", "same"], ["a:b", "a,b", "<script>", "ü "]]


@pytest.mark.parametrize("names", AWKWARD)
@pytest.mark.parametrize("make", BOOSTERS)
def test_any_column_names(make: object, names: list[str]) -> None:
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=names)
    model = make(random_state=0).set_params(n_estimators=10)
    on_frame = clone(model).fit(frame, y)
    np.testing.assert_array_equal(on_frame.predict_proba(frame), clone(model).fit(X, y).predict_proba(X))
    assert on_frame.feature_names_in_[0] == names[0]
    assert np.mean(on_frame.predict(frame) == y) > 0.9


@pytest.mark.parametrize("make", BOOSTERS)
def test_columns_in_another_order_are_refused(make: object) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = make(random_state=0).set_params(n_estimators=5).fit(X, y)
    for method in (model.predict, model.predict_proba):
        with pytest.raises(ValueError, match="feature names should match"):
            method(X[X.columns[::-1]])


@pytest.mark.parametrize("make", BOOSTERS)
@pytest.mark.parametrize("labels", [["no", "yes", "may"], [7, -1, 30], [2.0, 4.0, 3.0], [0, 1, 2]])
def test_any_labels(make: object, labels: list) -> None:
    X, y = load_iris(return_X_y=True)
    given = np.array(labels)[y]
    model = make(random_state=0).set_params(n_estimators=10).fit(X, given)
    assert model.classes_.tolist() == sorted(labels)
    assert np.mean(model.predict(X) == given) > 0.9
    assert model.score(X, given) > 0.9
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))  # noqa: S301


@pytest.mark.parametrize("make", BOOSTERS)
def test_refit_forgets_names_and_labels(make: object) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = make(random_state=0).set_params(n_estimators=5).fit(X, np.array(["a", "b", "c"])[y])
    model.fit(X.to_numpy(), y)
    assert model.classes_.tolist() == [0, 1, 2]
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("make", BOOSTERS)
def test_one_class_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match="one class only"):
        make().fit(np.zeros((5, 1)), ["a"] * 5)


@pytest.mark.parametrize("regressor", [XGBoostRegressor, LightGBMRegressor])
def test_regressors_take_any_names(regressor: type) -> None:
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=AWKWARD[0])
    options = {"n_estimators": 3, "verbosity": -1} if regressor is LightGBMRegressor else {"n_estimators": 3}
    model = regressor(**options).fit(frame, y)
    np.testing.assert_array_equal(model.predict(frame), regressor(**options).fit(X, y).predict(X))


def test_default_members_are_silent(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b [kg]", "a"]).mask(rng.random((60, 3)) < 0.2)
    frame.iloc[:, 2] = 1.0
    labels = pd.Series(rng.choice(["x", "y"], size=60))
    ensemble = AveragingEnsembleClassifier(random_state=0).fit(frame, labels)
    ensemble.predict_proba(frame)
    AveragingEnsembleClassifier(random_state=0).fit(frame.to_numpy(), labels).predict(frame.to_numpy())
    assert capfd.readouterr() == ("", "")


def test_members_have_libraries_classes_and_one_thread() -> None:
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    assert issubclass(XGBoostClassifier, XGBClassifier)
    assert issubclass(LightGBMClassifier, LGBMClassifier)
    assert all(member.n_jobs == 1 for _, member in default_classifiers())


@pytest.mark.parametrize("make", BOOSTERS)
def test_missing_library_names_the_command(make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, make.__name__.removesuffix("_classifier"), None)
    with pytest.raises(ImportError, match=r"pip install 'ensemblekit\[boosting\]'"):
        make()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_kind_fits_and_its_seed_matters(kind: str, task: str) -> None:
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(120, 6)), rng.normal(size=(50, 6))
    y = X.sum(axis=1) + rng.normal(size=120)
    y = (y > 0).astype(int) if task == "classification" else y
    (name, one), (_, two) = make_members(kind, n=2, task=task, random_state=7)
    rounds = "max_iter" if kind == "hist_boosting" else "n_estimators"
    answers = []
    for member in (one, two, clone(one)):
        fitted = member.set_params(**{rounds: 10}).fit(X, y)
        answers.append(fitted.predict_proba(new) if task == "classification" else fitted.predict(new))
    assert name == f"{kind}_0"
    np.testing.assert_array_equal(answers[0], answers[2])
    assert not np.array_equal(answers[0], answers[1])


@pytest.mark.parametrize(
    ("kinds", "params", "message"),
    [
        (["forrest"], {}, r"kinds \['forest', .*received \['forrest'\]"),
        ([], {}, "received none"),
        (["forest"], {"n": 0}, "at least one"),
        (["forest"], {"task": "ranking"}, "task='ranking' is unknown"),
    ],
)
def test_make_members_errors(kinds: list[str], params: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_members(*kinds, **params)


def test_xgboost_rows_sum_to_one_in_double_precision() -> None:
    X, y = load_iris(return_X_y=True)
    proba = xgboost_classifier(random_state=0).set_params(n_estimators=5).fit(X, y).predict_proba(X)
    assert proba.dtype == np.float64
    log_loss(y, proba)
    log_loss(y, AveragingEnsembleClassifier(random_state=0).fit(X, y).predict_proba(X))
