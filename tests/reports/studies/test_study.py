"""Study files: every key checked, every mistake answered with what is right."""

from __future__ import annotations

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.study_file import DEFAULT_STUDY, study_from_toml
from ensemblekit_reports.studies.table_choice import TableChoice

MINIMAL = '[[tables]]\nname = "iris"\n'


def read(tmp_path, text):
    file = tmp_path / "study.toml"
    file.write_text(text)
    return study_from_toml(file)


def test_the_default_study_has_tables_enough_for_a_test():
    plan = study_from_toml(DEFAULT_STUDY).plan(DEFAULT_STUDY.parent)
    assert [table.name for table in plan.tables] == ["iris", "wine", "breast_cancer", "election", "travel", "regimes"]
    assert [model.name for model in plan.models] == [
        "logistic", "random-forest", "xgboost", "lightgbm", "averaging", "weighted", "voting", "moe", "moe-boosted",
    ]  # fmt: skip
    assert plan.scheme == Scheme(2, 5)
    assert plan.quick


def test_paths_start_at_the_study_file(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "1,a\n2,b\n" * 5)
    study = read(tmp_path, 'folds = "1x3"\n[[tables]]\npath = "t.csv"\ntarget = "y"\n[[tables]]\npath = "t.csv"\ntarget = "y"\n')
    plan = study.plan(tmp_path)
    assert [table.name for table in plan.tables] == ["t", "t-2"]
    assert plan.scheme == Scheme(1, 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seeds = 1\n" + MINIMAL, r"unknown key 'seeds': did you mean 'seed'\? Valid: tables, name"),
        ('[[tables]]\nnmae = "iris"\n', r"unknown key 'nmae': did you mean 'name'\?"),
        ('seed = "1"\n' + MINIMAL, "seed must be a whole number; got '1'"),
        ("seed = true\n" + MINIMAL, "seed must be a whole number; got True"),
        ("quick = 1\n" + MINIMAL, "quick must be true or false; got 1"),
        ('models = "moe"\n' + MINIMAL, "models must be a list of names"),
        ("rope = []\n" + MINIMAL, "rope must be a number"),
        ('[tables]\nname = "iris"\n', r"write one \[\[tables\]\] section"),
        ("seed = 1\n", "tables must be given|names no table"),
        ("seed = \n", "cannot be read"),
    ],
)
def test_mistakes(tmp_path, text, complaint):
    with pytest.raises(UserError, match=complaint):
        read(tmp_path, text).plan(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"metric": "acuracy"}, r"unknown metric 'acuracy': did you mean 'accuracy'\? Valid: accuracy, balanced"),
        ({"models": ("logistc",)}, r"unknown model 'logistc': did you mean 'logistic'\? Valid: logistic, random-forest"),
        ({"models": ()}, "no model is named"),
        ({"tables": ("iris",)}, r'tables must be a list of tables, such as \[TableChoice\(name="iris"\)\]; got \(\'iris\',\)'),
        ({"models": ("moe", "moe")}, "'moe' is named twice"),
        ({"rope": -0.1}, "rope must not be negative"),
        ({"rope": float("nan")}, "rope must be a number; got nan"),
        ({"seed": -1}, "seed must not be negative"),
        ({"folds": "3by5"}, "write REPEATSxFOLDS"),
        ({"folds": "1x60"}, "too small for 60 folds"),
        ({"task": "regresion"}, r"unknown task 'regresion': did you mean 'regression'\?"),
        ({"task": "regression"}, "'iris' is one of classification, not of regression"),
        ({"tables": (TableChoice(name="iris"), TableChoice(name="diabetes"))}, "classes in iris, and amounts in diabetes"),
        ({"tables": (TableChoice(name="diabetes"),) * 2, "metric": "rmse"}, "no mean over 2 tables: choose r2"),
        ({"tables": (TableChoice(name="irsi"),)}, r"unknown bundled table 'irsi': did you mean 'iris'\?"),
    ],
)
def test_values_that_make_no_sense(tmp_path, change, complaint):
    with pytest.raises(UserError, match=complaint):
        assert Study(**{"tables": (TableChoice(name="iris"),)} | change).plan(tmp_path).assignments
