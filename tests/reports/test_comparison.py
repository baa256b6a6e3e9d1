"""What a stranger may give to `compare`: one sentence says what is valid, and what was received."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from ensemblekit_reports import ModelChoice, Tuning, compare
from ensemblekit_reports.errors import UserError

X, Y = load_iris(return_X_y=True, as_frame=True)
NAN = math.nan


class StartedError(Exception):
    """The run would begin now."""


@pytest.fixture(autouse=True)
def asked_for(monkeypatch):
    """What a run is asked to do; none is run."""
    asked = {}

    def begin(plan, directory, **options):
        asked.update(options, plan=plan)
        raise StartedError

    monkeypatch.setattr("ensemblekit_reports.comparison.run", begin)
    return asked


class ChangesItsParameter(ClassifierMixin, BaseEstimator):
    def __init__(self, size=1):
        self.size = size + 1


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("time_limit_s", "x", "a number of seconds; got 'x'"),
        ("time_limit_s", None, "a number of seconds; got None"),
        ("time_limit_s", NAN, "a number of seconds; got nan"),
        ("time_limit_s", np.array([1.0, 2.0]), "a number of seconds; got array"),
        ("time_limit_s", True, "a number of seconds; got True"),
        ("memory_limit_mb", math.inf, "a number of megabytes; got inf"),
        ("memory_limit_mb", -1, "limits of time and memory must not be negative"),
        ("price_per_hour", [1], "a number, 0 for no prices; got [1]"),
        ("rope", True, "rope must be a number; got True"),
        ("rope", math.inf, "rope must be a number; got inf"),
        ("seed", None, "seed must be a whole number; got None"),
        ("seed", 1.5, "seed must be a whole number; got 1.5"),
        ("seed", 2**32, "seed must be at most 4294967295, got 4294967296"),
        ("n_jobs", 0, "at least 1, or -1 for all cores; got 0"),
        ("n_jobs", "4", "at least 1, or -1 for all cores; got '4'"),
        ("n_jobs", True, "at least 1, or -1 for all cores; got True"),
        ("folds", (5, 2), 'folds must be text such as "3x5", for three repeats of five folds; got (5, 2)'),
        ("folds", 5, 'folds must be text such as "3x5"'),
        ("quick", "False", "quick must be true or false; got 'False'"),
        ("compress", 1, "compress must be true or false; got 1"),
        ("fresh", None, "fresh must be true or false; got None"),
        ("verbose", "no", "verbose must be true or false; got 'no'"),
        ("name", "", "name must not be empty"),
        ("name", 5, "name must be text in quotes; got 5"),
        ("metric", ["accuracy"], "metric must be the name of a metric in quotes, such as \"accuracy\"; got ['accuracy']"),
        ("task", 5, 'task must be "classification" or "regression"; got 5'),
        ("engine", None, 'engine must be "local", "dask" or "ray"; got None'),
        ("energy", 5, "energy must be a country as three capital letters"),
        ("silence", [["quick-scheme"]], "silence must be a list of codes of checks"),
        ("silence", ["a", ["b", "c"]], "silence must be a list of codes of checks"),
        ("silence", None, "silence must be a list of codes of checks"),
        ("learning_curve", [0.5, "x"], "learning_curve must be a list of numbers"),
        ("learning_curve", [0.1, [0.2]], "learning_curve must be a list of numbers"),
        ("learning_curve", np.array(0.5), "learning_curve must be a list of numbers"),
        ("rope", 10**400, "rope must be a number; got 1000"),
        ("seed", 10**400, "seed must be at most 4294967295, got 1000"),
        ("learning_curve", True, "learning_curve must be a list of numbers"),
        ("learning_curve", [NAN], "learning_curve must be a list of numbers"),
        ("learning_curve", "0.5", "learning_curve must be a list of numbers"),
        ("tune", True, "tune is a whole number of trials, or a Tuning; received True"),
        ("tune", Tuning("x"), "tune: trials must be a whole number; got 'x'"),
        ("tune", Tuning(3, NAN), "tune: time_limit_s must be a number of seconds; got nan"),
        ("directory", 5, "directory must be the path of a folder, or be left out; got 5"),
        ("directory", b"x", "directory must be the path of a folder, or be left out; got b'x'"),
    ],
)
def test_a_value_of_the_wrong_kind(name, value, complaint):
    with pytest.raises(UserError) as told:
        compare(["logistic"], X, Y, **{name: value})
    assert complaint in str(told.value)


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        ({"a": LogisticRegression}, "model 'a' is the class LogisticRegression: give an estimator made of it"),
        ([LogisticRegression()], "write {'LogisticRegression': LogisticRegression(...)}"),
        ([LogisticRegression], "write {'LogisticRegression': LogisticRegression(...)}"),
        (LogisticRegression(), "write {'LogisticRegression': LogisticRegression(...)}"),
        ([("a", LogisticRegression())], "a model is a name that `ensemblekit models` lists"),
        ({1: GaussianNB()}, "a model's name must be text that is not empty; got 1"),
        ({" ": GaussianNB()}, "a model's name must be text that is not empty; got ' '"),
        ({"a": "logistic"}, "ModelChoice('a', model=...) of a name; got 'logistic'"),
        ({"a": None}, "got None"),
        ({"a": len}, "has no get_params"),
        ({"a": ChangesItsParameter()}, "cannot be copied by sklearn.base.clone"),
        (RandomForestClassifier(), "write {'RandomForestClassifier': RandomForestClassifier(...)}"),
        (None, "got None"),
        ([5], "got 5"),
        ([], "no model is named"),
        ([ModelChoice(5)], "ModelChoice: name must be text in quotes; got 5"),
        ([ModelChoice("a", class_=LogisticRegression)], 'ModelChoice: class must be text such as "sklearn.svm:SVC"'),
        ([ModelChoice("a", model="moe", params=[1])], "ModelChoice: params must be a table of parameters; got [1]"),
        (["moe", {"moe": GaussianNB()}], "model 'moe' is named twice"),
    ],
)
def test_what_is_no_model(models, complaint):
    with pytest.raises(UserError) as told:
        compare(models, X, Y)
    assert complaint in str(told.value)


def test_numbers_of_numpy_are_numbers(asked_for):
    given = {
        "time_limit_s": np.float64(3),
        "seed": np.int64(3),
        "rope": np.float32(0.5),
        "quick": np.True_,
    }
    with pytest.raises(StartedError):
        compare("logistic", X, Y, n_jobs=-1, learning_curve=np.array([0.5]), **given)
    plan = asked_for["plan"]
    found = plan.budget.seconds, plan.seed, plan.rope, plan.quick, *plan.shares
    assert found == (3.0, 3, 0.5, True, 0.5, 1.0)
    assert [type(value) for value in found] == [float, int, float, bool, float, float]
    assert asked_for["jobs"] >= 1
    assert "time_limit_s=3, " in asked_for["command"]
