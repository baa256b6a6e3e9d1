"""A finished study in MLflow: one run for the study, and inside it one for each model."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ensemblekit._extras import require
from ensemblekit_reports.errors import UserError

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report
    from ensemblekit_reports.reporting.standings import Standing

#: Files and folders of a report that go along, where they are there.
ARTIFACTS = ("report.html", "report.md", "figures", "report.pdf", "results.csv", "results.json", "results.parquet", "model_card.md")
#: What MLflow takes in the value of a parameter and of a tag.
LONGEST_PARAMETER, LONGEST_TAG = 6000, 5000


def log_to_mlflow(report: Report, directory: Path, where: str, experiment: str) -> str:
    """Write a finished study into an MLflow store.

    Metrics are means over folds (and tables) under the names of ``results.csv``, their 95 % interval under ``NAME.low`` and
    ``NAME.high``; costs carry their unit in their name. Of several tables each has metrics of its own too, ``TABLE/NAME``.

    Parameters
    ----------
    report : Report
        What was found.
    directory : Path
        Output folder of the run; its report goes along as artifact.
    where : str
        URI of a tracking server or database, or a folder, in which an SQLite database and a folder of artifacts are kept.
    experiment : str
        Name of MLflow's experiment; made where it is missing.

    Returns
    -------
    str
        Identifier of the study's run.

    Raises
    ------
    UserError
        When the store cannot be reached or does not take the run.
    ImportError
        Without the extra ``mlflow``.
    """
    # MLflow reports its use to its makers unless told not to, and begins on import.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow = require("mlflow", extra="mlflow", purpose="ensemblekit log --mlflow")
    uri = _as_uri(where)
    if uri.startswith("sqlite:"):
        require("sqlalchemy", extra="mlflow", purpose="An MLflow store in a folder")
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        number = found.experiment_id if found else client.create_experiment(experiment, artifact_location=_artifacts(uri))
        return _log_study(client, number, report, directory)
    except Exception as error:  # a server, a database or a disk: anything may be wrong with them
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"MLflow at {where} did not take the run: {lines[0][:300]}") from error


def _as_uri(where: str) -> str:
    """Return a folder as the URI of a database in it: MLflow keeps no plain files any more."""
    if "://" in where or where == "databricks":
        return where
    folder = Path(where).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def _artifacts(uri: str) -> str | None:
    """Return where a database's artifacts go: beside it, and not into whatever folder the command was called in."""
    return (Path(uri.removeprefix("sqlite:///")).parent / "artifacts").absolute().as_uri() if uri.startswith("sqlite:///") else None


def _log_study(client: Any, experiment: str, report: Report, directory: Path) -> str:
    environment = report.reproducibility
    started = int(datetime.fromisoformat(environment.started_at).timestamp() * 1000)
    ended = started + int(environment.elapsed_s * 1000)
    study = str(client.create_run(experiment, start_time=started, run_name=report.name, tags=_tags(_study_tags(report))).info.run_id)
    scheme = f"{report.n_repeats}x{report.n_splits}"
    declared = {"metric": report.quantity.name, "rope": report.rope, "folds": scheme, "quick": report.quick, "seed": environment.seed}
    for name, value in declared.items():
        client.log_param(study, name, str(value))
    client.log_metric(study, "elapsed_s", environment.elapsed_s, timestamp=ended)
    for standing in report.leaderboard:
        _log_model(client, experiment, study, report, standing, (started, ended))
    for name in ARTIFACTS:
        if (directory / name).exists():  # a folder keeps its name, so that what the text links is found
            client.log_artifact(study, str(directory / name))
    client.set_terminated(study, "FINISHED", end_time=ended)
    return study


def _study_tags(report: Report) -> dict[str, str]:
    environment = report.reproducibility
    tags = {"verdict": report.verdict, "command": environment.command, "fingerprint": environment.fingerprint}
    tags |= {f"machine.{name}": value for name, value in environment.machine.items()}
    tags |= {f"version.{name}": value for name, value in environment.versions.items()}
    for name, section in zip(_names(report), report.tables, strict=True):
        tags[f"checksum.{name}"] = section.facts.checksum
    return tags | _finding_tags(report)


def _finding_tags(report: Report) -> dict[str, str]:
    """Return every finding under its code; several of one code are numbered from the second on."""
    tags: dict[str, str] = {}
    met: Counter[str] = Counter()
    for finding in report.warnings:
        met[finding.code] += 1
        number = f".{met[finding.code]}" if met[finding.code] > 1 else ""
        tags[f"finding.{finding.code}{number}"] = finding.sentence
    return tags


def _log_model(client: Any, experiment: str, study: str, report: Report, standing: Standing, when: tuple[int, int]) -> None:
    model, (started, ended) = standing.model, when
    tags = {
        "mlflow.parentRunId": study,
        "rank": str(standing.rank or ""),
        "front": str(standing.on_front).lower(),
        "contended": str(standing.contended).lower(),
        "fingerprint": report.reproducibility.fingerprint,
        "failure": standing.failure,
    }
    own = str(client.create_run(experiment, start_time=started, run_name=model.label[:250], tags=_tags(tags)).info.run_id)
    for name, value in {"model": model.name, "family": model.family, "definition": model.definition}.items():
        client.log_param(own, name, value[:LONGEST_PARAMETER])
    for name, number in _numbers(report, standing):
        client.log_metric(own, name, number, timestamp=ended)
    client.set_terminated(own, "FINISHED" if standing.n_finished else "FAILED", end_time=ended)


def _numbers(report: Report, standing: Standing) -> Iterator[tuple[str, float]]:
    """Yield every mean with its interval, and every cost, that is a number."""
    parts = [("", standing)]
    if len(report.tables) > 1:
        for name, section in zip(_names(report), report.tables, strict=True):
            parts += [(f"{name}/", s) for s in section.standings if s.model.name == standing.model.name]
    for prefix, part in parts:
        for name, summary in part.scores.items():
            triple = {name: summary.value, f"{name}.low": summary.low, f"{name}.high": summary.high}
            yield from ((prefix + key, value) for key, value in triple.items() if math.isfinite(value))
        yield from ((prefix + name, cost.value) for name, cost in part.costs.items() if math.isfinite(cost.value))
        yield prefix + "folds_finished", float(part.n_finished)


def _names(report: Report) -> list[str]:
    """Return the tables' names in signs that MLflow allows in a key, each once."""
    names: list[str] = []
    for section in report.tables:
        plain = re.sub(r"[^A-Za-z0-9_.]+", "-", section.facts.name).strip("-.")[:60] or "table"
        names.append(plain if plain not in names else f"{plain}-{len(names) + 1}")
    return names


def _tags(tags: dict[str, str]) -> dict[str, str]:
    return {name: value[:LONGEST_TAG] for name, value in tags.items() if value}
