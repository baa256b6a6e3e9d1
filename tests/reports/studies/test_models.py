"""The registry: every model fits a small table; the costly ones run only when they are named."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

from ensemblekit.packed import pack
from ensemblekit_reports.studies.model import describe
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.portable import from_portable, to_portable
from ensemblekit_reports.studies.registry import DEFAULT_MODELS, REGISTRY, REGRESSORS, default_models
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.table_choice import TableChoice
from tests.reports.running import oddities

MIXTURES = ("moe-boosted", "moe-trees")


def test_a_study_without_models_leaves_the_costly_ones_out():
    assert set(REGISTRY) - set(DEFAULT_MODELS) == {"moe-trees", "stacking"}
    for task in ("classification", "regression"):
        table = "iris" if task == "classification" else "diabetes"
        assert tuple(model.name for model in Study((TableChoice(name=table),)).plan(Path()).models) == default_models(task)


def test_both_tasks_have_the_same_models_but_for_the_linear_one():
    assert set(REGISTRY) ^ set(REGRESSORS) == {"logistic", "ridge"}
    for task, known, is_one in (("classification", REGISTRY, is_classifier), ("regression", REGRESSORS, is_regressor)):
        for name, model in known.items():
            assert (model.name, model.task) == (name, task)
            assert is_one(model.factory(0)), name
            assert model.factory(3).random_state == 3


def test_a_model_comes_out_of_another_process_as_it_went_in():
    for model in (REGRESSORS["moe"], REGISTRY["moe-trees"], model_from_estimator("own", Ridge(alpha=7.0), "regression")):
        again = from_portable(pickle.loads(pickle.dumps(to_portable(model))))  # noqa: S301 - its own
        assert (again.name, again.label, again.family, again.preprocessing, again.task, again.registered) == (
            model.name, model.label, model.family, model.preprocessing, model.task, model.registered,
        )  # fmt: skip
        assert again.definition(complete=True) == model.definition(complete=True)


@pytest.mark.filterwarnings("ignore:Experts .* answer for less")
@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_of_trees_fits_and_packs(name):
    X, y = make_classification(300, 8, n_informative=5, class_sep=1.5, random_state=0)
    model = REGISTRY[name].factory(0)
    assert model.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.7
    assert REGISTRY[name].factory(1).random_state == 1
    if name == "moe-boosted":
        work = pack(model).node_visits(X)
        assert work.active <= work.total
    assert REGISTRY[name].family == "mixture"


def own(X):
    return X


@pytest.mark.parametrize(
    ("estimator", "foreign"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        (FunctionTransformer(np.log1p), False),
        (BaggingClassifier(make_pipeline(FunctionTransformer(own), LogisticRegression())), True),
        (FunctionTransformer(partial(np.clip, a_min=0)), True),
        (ColumnTransformer([("own", FunctionTransformer(own), [0])]), True),
        (oddities.Prior(), True),
    ],
)
def test_who_needs_a_process_of_its_own(estimator, foreign):
    assert model_from_estimator("m", estimator).foreign == foreign
    assert from_portable(to_portable(model_from_estimator("m", estimator))).foreign == foreign, "a worker of a cluster keeps it apart, too"


def test_an_array_among_many_parameters_is_shown_and_what_was_not_given_is_not():
    shown = describe(XGBClassifier(monotone_constraints=np.array([1, -1]), missing=float("nan"), max_depth=3))
    assert "monotone_constraints=array([ 1, -1])" in shown
    assert "max_depth=3" in shown
    assert "missing" not in shown
