"""Models by import path and with parameters: found, refused before anything runs, and known by what they hold."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path

import pytest
from sklearn.preprocessing import FunctionTransformer

from ensemblekit.ensembles import AveragingEnsembleClassifier
from ensemblekit.mixture import MixtureOfExpertsClassifier
from ensemblekit_reports import ModelChoice
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.fingerprints import fingerprint_of
from ensemblekit_reports.studies.imported import estimator_from
from ensemblekit_reports.studies.model_choice import choose_models
from ensemblekit_reports.studies.own_code import is_own
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.portable import from_portable, to_portable
from ensemblekit_reports.studies.registry import REGISTRY
from ensemblekit_reports.studies.study_file import study_from_toml
from tests.reports.running import oddities
from tests.reports.running.test_running import PLAN

STUDY = """
seed = 3
[[tables]]
name = "iris"
[[models]]
name = "moe"
[[models]]
name = "moe2"
model = "moe"
params = {n_experts = 2, alpha = 0.5}
[[models]]
class = "sklearn.svm:SVC"
params = {C = 10, probability = true}
preprocessing = "linear"
[[models]]
name = "bagged"
class = "sklearn.ensemble:BaggingClassifier"
params = {estimator = {class = "sklearn.tree:DecisionTreeClassifier"}, estimator__max_depth = 3}
"""


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    return study_from_toml(tmp_path / "s.toml").plan(tmp_path)


def test_a_study_file_names_models_with_parameters(plan):
    moe, two, svc, bagged = plan.models
    assert moe is REGISTRY["moe"]
    assert (two.name, two.label, two.family, two.preprocessing, two.registered) == ("moe2", "moe2", "mixture", "linear", False)
    assert two.factory(7).get_params() == MixtureOfExpertsClassifier(n_experts=2, alpha=0.5, random_state=7).get_params()
    assert (svc.name, svc.family, svc.preprocessing) == ("SVC", "single", "linear")
    assert (svc.factory(7).C, svc.factory(7).random_state) == (10, 7)
    assert (bagged.name, bagged.preprocessing) == ("bagged", "trees")
    assert bagged.factory(7).estimator.get_params()["max_depth"] == 3
    assert bagged.factory(7).estimator.random_state == 7


def test_such_models_are_made_alike_in_another_process(plan):
    for model in plan.models:
        assert from_portable(to_portable(model)).factory(5).get_params().keys() == model.factory(5).get_params().keys()
        assert from_portable(to_portable(model)).definition() == model.definition()
        assert from_portable(to_portable(model)).preprocessing == model.preprocessing


def test_a_list_may_mix_names_paths_and_sections(tmp_path):
    text = 'models = ["moe", "sklearn.svm:SVC", {name = "m3", model = "moe", params = {n_experts = 3}}]\n[[tables]]\nname = "iris"\n'
    (tmp_path / "s.toml").write_text(text)
    assert [model.name for model in study_from_toml(tmp_path / "s.toml").plan(tmp_path).models] == ["moe", "SVC", "m3"]


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ("sklearn.svn:SVC", r"no module 'sklearn.svn'; did you mean 'sklearn.svm'\?"),
        ("sklearn.svm.SVC", "an import path has a colon before the class, as in 'sklearn.svm:SVC'"),
        ("sklern.svm:SVC", r"no module 'sklern' for 'sklern.svm'; did you mean 'sklearn'\?"),
        ("sklearn.svm:SVCC", r"sklearn.svm has no class 'SVCC': did you mean 'SVC'\?"),
        ("sklearn.metrics:accuracy_score", "is no estimator: it must be a class with the methods fit and predict"),
        ("collections:Counter", "is no estimator"),
        (ModelChoice(class_="sklearn.svm:SVC", params={"c": 1}), r"unknown parameter of sklearn.svm:SVC 'c': did you mean 'C'\?"),
        (ModelChoice(class_="sklearn.ensemble:BaggingClassifier", params={"estimator__c": 1}), "unknown parameter of sklearn.ensemble:Bag"),
        (ModelChoice("moe", params={"experts_n": 1}), r"unknown parameter of moe 'experts_n'"),
        (ModelChoice("moe", params={"random_state": 1}), "set anew on each fold"),
        (ModelChoice(class_="sklearn.svm:SVC", params={"random_state": 1}), "random_state of sklearn.svm:SVC is set anew on each fold"),
        (ModelChoice("meo"), r"unknown model 'meo': did you mean 'moe'\?"),
        (ModelChoice("m", model="moe", class_="sklearn.svm:SVC"), "a registry name or a class, not both"),
        (ModelChoice("moe", preprocessing="scaled"), "unknown preprocessing 'scaled'.*Valid: linear, trees"),
        (ModelChoice(class_="sklearn.svm:SVR"), r"'SVR' \(SVR\) is a regressor, and the answers here are classes"),
        (ModelChoice(class_="sklearn.ensemble:VotingClassifier"), "cannot be made: TypeError"),
        ("tests.reports.running.oddities:NoBase", r"'NoBase' \(NoBase\) has no get_params: its class must inherit from sklearn.base.Base"),
    ],
)
def test_mistakes_are_said_before_anything_runs(choice, complaint):
    with pytest.raises(UserError, match=complaint):
        choose_models((choice,), "classification")


def test_estimators_in_lists_are_made(tmp_path):
    (tmp_path / "s.toml").write_text("""
        [[tables]]
        name = "iris"
        [[models]]
        class = "sklearn.ensemble:VotingClassifier"
        params = {weights = [1, 2], estimators = [
            ["nb", {class = "sklearn.naive_bayes:GaussianNB"}],
            ["tree", {class = "sklearn.tree:DecisionTreeClassifier", params = {max_depth = 2}}]]}
    """)
    (voting,) = study_from_toml(tmp_path / "s.toml").plan(tmp_path).models
    made = voting.factory(7)
    assert [(name, type(part).__name__) for name, part in made.estimators] == [("nb", "GaussianNB"), ("tree", "DecisionTreeClassifier")]
    assert all(isinstance(pair, tuple) for pair in made.estimators)
    assert (made.weights, made.estimators[1][1].max_depth, made.estimators[1][1].random_state) == ([1, 2], 2, 7)


def test_unknown_keys_and_names_given_twice(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY.replace("params = {n", "parms = {n"))
    with pytest.raises(UserError, match=r"\[\[models\]\]: unknown key 'parms': did you mean 'params'\? Valid: name, model, class, params"):
        study_from_toml(tmp_path / "s.toml")
    with pytest.raises(UserError, match=r"'moe' is named twice; give one of them a name of its own: .* in Python"):
        choose_models(("moe", ModelChoice(model="moe", params={"n_experts": 2})), "classification")


def test_a_module_in_the_current_folder_is_not_taken_in_silence(tmp_path, monkeypatch):
    (tmp_path / "minimal_models.py").write_text("raise RuntimeError('was run')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"minimal_models.py in this folder is not on Python's path: say PYTHONPATH=\."):
        estimator_from("minimal_models:Own", {})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="cannot be imported: RuntimeError: was run"):
        estimator_from("minimal_models:Own", {})


def test_estimators_of_the_package_keep_their_family():
    assert model_from_estimator("a", AveragingEnsembleClassifier()).family == "ensemble"
    assert model_from_estimator("m", MixtureOfExpertsClassifier()).family == "mixture"
    assert model_from_estimator("o", oddities.Prior()).family == "single"


def test_parameters_make_another_cell():
    def keys(choice):
        return [
            cell.accuracy.name[-20:]
            for cell in plan_cells(dataclasses.replace(PLAN, models=choose_models((choice,), "classification")), Path())
        ]

    four = ModelChoice("m", model="moe", params={"n_experts": 4, "alpha": 0.5})
    assert keys(four) == keys(four)
    assert not set(keys(four)) & set(keys(dataclasses.replace(four, params={"n_experts": 4, "alpha": 0.25})))
    assert not set(keys(four)) & set(keys(dataclasses.replace(four, preprocessing="trees")))


OWN = """
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier
{top}
LEVEL = {level}

def helper(X):
    LEVEL
    {helper}

class Base(BaseEstimator):
    def prepare(self, X):
        {base}

class Own(ClassifierMixin, Base):
    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        {comment}
        super().__init__()
        self.model_ = DecisionTreeClassifier(max_depth={depth}).fit(helper(self.prepare(X)), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)
"""
PLAIN = {"top": "", "helper": "return X", "base": "return X", "comment": "pass", "depth": 3, "level": 1}


def own(tmp_path, monkeypatch, **changes):
    (tmp_path / "own_module_of_a_test.py").write_text(OWN.format(**PLAIN | changes))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.modules.pop("own_module_of_a_test", None)
    importlib.invalidate_caches()
    return estimator_from("own_module_of_a_test:Own", {})


@pytest.mark.parametrize("change", [{"depth": 2}, {"level": 2}, {"helper": "return X * 2"}, {"base": "return X + 1"}])
def test_a_changed_body_is_another_model(tmp_path, monkeypatch, change):
    before = fingerprint_of(own(tmp_path, monkeypatch))
    assert fingerprint_of(own(tmp_path, monkeypatch, comment="pass  # of no weight", top="\n\n")) == before
    assert fingerprint_of(own(tmp_path, monkeypatch, **change)) != before


def test_a_changed_body_makes_another_cell_and_travels_without_its_folder(tmp_path, monkeypatch):
    one = model_from_estimator("own", own(tmp_path, monkeypatch))
    portable = to_portable(one)
    two = model_from_estimator("own", own(tmp_path, monkeypatch, depth=2))
    assert one.definition(complete=True) == two.definition(complete=True)
    first, second = (plan_cells(dataclasses.replace(PLAN, models=(model,)), tmp_path)[0].accuracy for model in (one, two))
    assert first != second
    sys.modules.pop("own_module_of_a_test")
    (tmp_path / "own_module_of_a_test.py").unlink()
    assert type(from_portable(portable).factory(1)).__name__ == "Own"


def test_functions_as_parameters_are_known_by_what_they_do():
    def times(k):
        return FunctionTransformer(lambda X: X * k)

    one, same, other = (model_from_estimator("f", times(k)) for k in (2, 2, 3))
    assert one.identity() == same.identity()
    assert one.identity() != other.identity()


def test_what_is_taken_out_of_an_own_module_counts(tmp_path, monkeypatch):
    def fingerprint(rate):
        monkeypatch.setattr(oddities, "RATE", rate, raising=False)
        return fingerprint_of(FunctionTransformer(lambda X: X * oddities.RATE))

    assert fingerprint(2) == fingerprint(2) != fingerprint(3)


def test_whose_code_it_is():
    assert is_own("tests.reports.running.oddities")
    assert not any(is_own(name) for name in ("numpy", "json", "ensemblekit.mixture.em", "ensemblekit_gpu", "sys"))
