"""The page about studies: its example is one, and no key is left out."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ensemblekit_reports.quantities import METRICS
from ensemblekit_reports.studies.model_choice import ModelChoice, choose_models
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.study_file import study_from_toml
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.studies.tuning import INNER_FOLDS, Tuning

README = (Path(__file__).parents[3] / "reports" / "README.md").read_text()


def test_the_example_is_a_study(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "study.toml").write_text(example)
    study = study_from_toml(tmp_path / "study.toml")
    assert [table.path or table.openml or table.name for table in study.tables] == ["customers.csv", 31, "breast_cancer"]
    models = choose_models(study.models, "classification")
    assert [model.name for model in models] == ["logistic", "moe8", "KNeighborsClassifier", "bagged stumps"]
    assert models[3].factory(0).estimator.max_depth == 1
    assert study.tune == Tuning(30, 600)


@pytest.mark.parametrize("kind", [Study, TableChoice, ModelChoice])
def test_every_key_is_explained(kind):
    missing = [field.name for field in fields(kind) if f"`{field.name.rstrip('_')}`" not in README]
    assert not missing


def test_its_numbers_are_those_of_the_code():
    assert f"{INNER_FOLDS} inner folds" in README
    assert {metric.rope for metric in METRICS} == {0.01, 0.005}
    assert [metric.name for metric in METRICS if metric.rope == 0.005] == ["brier"]
