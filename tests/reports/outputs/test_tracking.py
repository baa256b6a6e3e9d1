"""MLflow holds what the report says: the study, a run for each model, means with intervals, costs with units."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.example import example_results
from ensemblekit_reports.outputs.tracking import log_to_mlflow
from ensemblekit_reports.reporting.checks import Finding
from ensemblekit_reports.reporting.report import build
from tests.reports.reporting.test_render import HOSTILE, hostile

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("ignore")]  # MLflow's database layer warns of itself


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("logged")
    for name in ("report.html", "report.pdf", "results.parquet", "figures/folds.svg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("<p>report")
    results = example_results(("moons", "r/ings #1"))
    models = (replace(results.models[0], definition="x" * 9000), *results.models[1:])
    report = replace(build(replace(results, models=models)), warnings=(Finding("odd", "A."), Finding("sad", "B."), Finding("odd", "C.")))
    run = log_to_mlflow(report, folder, str(folder / "store"), "exp")
    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder}/store/mlflow.db"), run, report, folder


def test_the_study_is_a_run_with_its_verdict_and_report(logged):
    client, run, report, folder = logged
    study = client.get_run(run)
    assert study.data.tags["verdict"] == report.verdict
    assert study.data.tags["fingerprint"] == report.reproducibility.fingerprint
    assert study.data.tags["checksum.r-ings-1"] == report.tables[1].facts.checksum
    assert study.data.params == {"metric": "accuracy", "rope": "0.01", "folds": "2x5", "quick": "False", "seed": "0"}
    assert {file.path for file in client.list_artifacts(run)} == {"report.html", "report.pdf", "results.parquet", "figures"}
    assert [file.path for file in client.list_artifacts(run, "figures")] == ["figures/folds.svg"], "where report.md links it"
    assert (study.info.end_time - study.info.start_time) == 12_000
    assert list((folder / "store").rglob("report.html")), "artifacts lie beside the database"


def test_every_finding_is_kept(logged):
    client, run, _, _ = logged
    found = {name: tag for name, tag in client.get_run(run).data.tags.items() if name.startswith("finding.")}
    assert found == {"finding.odd": "A.", "finding.sad": "B.", "finding.odd.2": "C."}


def test_each_model_is_a_run_inside_it(logged):
    client, run, report, _ = logged
    study = client.get_run(run)
    children = client.search_runs([study.info.experiment_id], f"tags.mlflow.parentRunId = '{run}'")
    by_name = {child.data.params["model"]: child.data for child in children}
    assert set(by_name) == {"moe", "averaging", "logistic"}
    for standing in report.leaderboard:
        data = by_name[standing.model.name]
        accuracy = standing.scores["accuracy"]
        assert data.metrics["accuracy"] == accuracy.value
        assert data.metrics["fit_wall_s"] == standing.costs["fit_wall_s"].value
        assert data.tags["rank"] == str(standing.rank)
        of_table = next(s for s in report.tables[1].standings if s.model.name == standing.model.name)
        low = of_table.scores["accuracy"].low
        assert data.metrics["r-ings-1/accuracy.low"] == low
    assert len(by_name["moe"].params["definition"]) == 6000


def test_a_store_that_is_none_is_one_sentence(tmp_path):
    pytest.importorskip("mlflow")
    store = tmp_path / "store"
    store.mkdir()
    with sqlite3.connect(store / "mlflow.db") as other:
        other.execute("create table experiments (x)")
    with pytest.raises(UserError, match=r"MLflow at .*store did not take the run"):
        log_to_mlflow(build(example_results()), tmp_path, str(store), "exp")


def test_hostile_names_become_keys_that_mlflow_takes_and_texts_as_they_are(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    results = hostile()
    report = build(replace(results, tables=results.tables[-3:], cells=results.cells[results.cells["dataset"].isin(HOSTILE[-3:])]))
    run = log_to_mlflow(report, tmp_path, str(tmp_path / "store"), HOSTILE[0])
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/store/mlflow.db")
    study = client.get_run(run)
    assert study.data.tags["command"] == HOSTILE[0]
    assert study.data.tags["mlflow.runName"] == HOSTILE[1]
    children = client.search_runs([study.info.experiment_id], f"tags.mlflow.parentRunId = '{run}'")
    assert {child.data.tags["mlflow.runName"] for child in children} == {name[:250] for name in HOSTILE}
    keys = {key for child in children for key in child.data.metrics} | {tag for tag in study.data.tags if tag.startswith("checksum.")}
    assert not [key for key in keys if re.search(r"[^\w./-]", key)]
    assert len({key.partition("/")[0] for key in keys if "/" in key}) == 3, "every table has metrics of its own"
