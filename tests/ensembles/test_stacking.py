"""Stacking is scikit-learn's: same members, folds and last model, same answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit.ensembles import StackingEnsembleClassifier, StackingEnsembleRegressor

MEMBERS = [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=2, random_state=0))]
REGRESSORS = [("ridge", Ridge(alpha=0.1)), ("tree", DecisionTreeRegressor(max_depth=2, random_state=0))]


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_scikit_learn(load: object, weighted: bool) -> None:
    X, y = load(return_X_y=True)
    labels = np.array(["a", "b", "c"])[y]
    folds = list(StratifiedKFold(4, shuffle=True, random_state=1).split(X, y))
    # In the order of the rows: scikit-learn puts held-out answers back there, and the last bits depend on the order.
    params = {"sample_weight": np.random.default_rng(0).uniform(0.5, 2, size=len(y))} if weighted else {}
    final = LogisticRegression(max_iter=1000, tol=1e-10)
    ours = StackingEnsembleClassifier(MEMBERS, final_estimator=final, cv=folds).fit(X, labels, **params)
    theirs = StackingClassifier(MEMBERS, final, cv=folds).fit(X, labels, **params)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_regressor_equals_scikit_learn() -> None:
    X, y = load_diabetes(return_X_y=True)
    folds = list(KFold(4).split(X))
    ours = StackingEnsembleRegressor(REGRESSORS, cv=folds).fit(X, y)
    theirs = StackingRegressor(REGRESSORS, RidgeCV(), cv=folds).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X))


def test_given_last_model_stays_as_it_was() -> None:
    X, y = load_iris(return_X_y=True)
    final = DecisionTreeClassifier(random_state=0)
    ensemble = StackingEnsembleClassifier(MEMBERS, final_estimator=final, cv=2, random_state=0).fit(X, y)
    assert ensemble.final_estimator_ is not final
    assert not hasattr(final, "tree_")
