"""What a notebook shows: members side by side under their names, what each weighs, and who combines them."""

from __future__ import annotations

import sys

from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, StackingEnsembleClassifier, WeightedEnsembleClassifier

X, y = load_iris(return_X_y=True)
MEMBERS = [("stump", DecisionTreeClassifier(max_depth=1)), ("none", "drop"), ("<b>bayes", GaussianNB())]


def test_weights_stand_beside_the_names():
    ensemble = WeightedEnsembleClassifier(MEMBERS, cv=2, random_state=0).fit(X, y)
    page = ensemble._repr_html_()
    stump, bayes = ensemble.weights_
    assert f"stump: weight {stump:.2g}" in page
    assert f"&lt;b&gt;bayes: weight {bayes:.2g}" in page
    assert "<b>bayes" not in page
    assert "weight" not in WeightedEnsembleClassifier(MEMBERS)._repr_html_().split("sk-container")[-1].split("Parameters")[0]


def test_a_fitted_ensemble_shows_its_fitted_members():
    ensemble = AveragingEnsembleClassifier(MEMBERS).fit(X, y)
    assert ensemble._sk_visual_block_().estimators[0] is ensemble.named_estimators_["stump"]


def test_stacking_shows_who_combines():
    page = StackingEnsembleClassifier(MEMBERS, cv=2).fit(X, y)._repr_html_()
    assert page.index("stump") < page.index("final_estimator<") < page.rindex("LogisticRegression")


def test_default_members_need_not_be_installed_to_be_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert "AveragingEnsembleClassifier" in AveragingEnsembleClassifier()._repr_html_()
