"""The real command on small tables: what it leaves, what it says, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import pytest

from ensemblekit.datasets import BUNDLED

COMMAND = [str(Path(sys.executable).with_name("ensemblekit"))]
CHEAP = ["--models", "logistic,lightgbm", "--folds", "1x2", "--quick", "--jobs", "1"]


def run(*arguments, cwd, env=None):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | (env or {}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def customers(tmp_path_factory):
    """Write a table with everything that real tables have."""
    rng = random.Random(0)  # noqa: S311 - a table, no secret
    file = tmp_path_factory.mktemp("tables") / "customers.csv"
    with file.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["customer_id", "signed up", "plan", "<b>spend</b>", "active", 'notes, "free"', "constant", "churned"])
        for number in range(80):
            spend = rng.gauss(50, 20)
            churned = "yes" if spend + rng.gauss(0, 10) > 50 else "no"
            plan = rng.choice(["basic", "plus", "", "rare" if number < 3 else "pro"])
            cell = "" if rng.random() < 0.1 else f"{spend:.2f}"
            writer.writerow(
                [1000 + 7 * number, f"2024-01-{number % 28 + 1:02d}", plan, cell, number % 3 == 0, f"note {number}", 1, churned]
            )
    return file


@pytest.fixture(scope="module")
def finished(customers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "out"
    return run("compare", customers, "--target", "churned", "--out", folder, *CHEAP, cwd=folder.parent), folder


def test_a_table_becomes_a_report(finished):
    process, folder = finished
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == str(folder / "report.html")
    assert len(process.stdout.splitlines()[0]) > 40
    for name in ("report.html", "report.md", "results.csv", "results.json", "figures"):
        assert (folder / name).exists()
    assert "<b>spend</b>" not in (folder / "report.html").read_text()


def test_the_terminal_shows_our_words_alone(finished):
    process, _ = finished
    assert all(line.startswith(("Accuracy: ", "Cost: ")) for line in process.stderr.splitlines()), process.stderr


def test_results_hold_one_row_for_each_cell(finished):
    _, folder = finished
    rows = list(csv.DictReader((folder / "results.csv").read_text().splitlines()))
    assert [(row["model"], row["fold"], row["status"]) for row in rows] == [
        ("logistic", "0", "ok"), ("logistic", "1", "ok"), ("lightgbm", "0", "ok"), ("lightgbm", "1", "ok"),
    ]  # fmt: skip
    assert all(float(row["accuracy"]) > 0.5 for row in rows)


def test_what_was_left_out_is_said(finished):
    _, folder = finished
    run_facts = json.loads((folder / "run.json").read_text())
    notes = " ".join(run_facts["tables"][0]["notes"])
    for column in ("customer_id", "signed up", 'notes, "free"', "constant"):
        assert f"Column {column!r} was left out" in notes
    assert run_facts["environment"]["command"].startswith("ensemblekit compare ")
    assert "--target churned" in run_facts["environment"]["command"]


def test_a_second_run_and_the_report_command_do_no_work_again(finished, customers):
    _, folder = finished
    before = {file: file.stat().st_mtime_ns for file in (folder / "cells").rglob("*.json")}
    (folder / "report.html").unlink()
    again = run("compare", customers, "--target", "churned", "--out", folder, *CHEAP, cwd=folder.parent)
    assert (again.returncode, again.stderr) == (0, "")
    assert (folder / "report.html").exists()
    (folder / "report.html").unlink()
    other = run("report", folder, "--metric", "f1_macro", "--rope", "0.03", cwd=folder.parent)
    assert (other.returncode, other.stderr) == (0, "")
    assert "primary metric macro F1" in (folder / "report.html").read_text()
    assert "The metric declared before the run was Accuracy" in (folder / "report.html").read_text()
    assert run("report", folder, cwd=folder.parent).returncode == 0
    assert "primary metric accuracy" in (folder / "report.html").read_text()
    assert before == {file: file.stat().st_mtime_ns for file in (folder / "cells").rglob("*.json")}


@pytest.mark.parametrize(("given", "asked"), [([], joblib.cpu_count()), (["--jobs", "-1"], joblib.cpu_count()), (["--jobs", "3"], 3)])
def test_minus_one_job_is_all_cores_as_in_python(tmp_path, monkeypatch, given, asked):
    from ensemblekit_reports import cli

    found = []
    monkeypatch.setattr(cli, "dry_run", lambda *_, jobs, **__: found.append(jobs))
    assert cli.main(["compare", "iris", "--models", "logistic", "--dry-run", "--quiet", "--out", str(tmp_path / "out"), *given]) == 0
    assert found == [asked]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.csv", "--target", "y"], "no file nowhere.csv"),
        (["good.cvs", "--target", "y"], "did you mean good.csv?"),
        (["irsi"], "did you mean the bundled table 'iris'?"),
        (["excel.xlsx", "--target", "y"], "save the sheet as CSV"),
        (["good.csv"], "Name it with --target. Columns: x, answer."),
        (["good.csv", "--target", "anwser"], "did you mean 'answer'?"),
        (["empty.csv", "--target", "y"], "is empty"),
        (["header.csv", "--target", "y"], "has no rows"),
        (["twice.csv", "--target", "y"], "more than one column named 'x'"),
        (["one_class.csv", "--target", "y"], "one class only"),
        (["single_row.csv", "--target", "y"], "have a single row"),
        (["continuous.csv", "--target", "y", "--models", "logistic"], "the answers here are amounts: take 'ridge'"),
        (["continuous.csv", "--target", "y", "--metric", "accuracy"], "accuracy is a metric of classification"),
        (["good.csv", "--target", "answer", "--task", "regression"], "12 answers in 'answer' are no numbers: 'a', 'b'"),
        (["constant.csv", "--target", "y"], "no usable feature column"),
        (["good.csv", "--target", "answer", "--models", "logistc"], "did you mean 'logistic'?"),
        (["good.csv", "--target", "answer", "--out", "good.csv"], "cannot be written to"),
        (["good.csv", "--target", "answer", "--metric", "auc"], "unknown metric 'auc'"),
        (["good.csv", "--target", "answer", "--jobs", "0"], "--jobs must be at least 1, or -1 for all cores; got 0"),
        (["good.csv", "--target", "answer", "--jobs", "-1", "--models", "all"], "unknown model 'all'"),
        (["study.toml"], "unknown key 'sed': did you mean 'seed'?"),
        (["--target", "y"], "--target belongs to a table"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(tmp_path, capfd, monkeypatch, arguments, complaint):
    from ensemblekit_reports.cli import main

    files = {
        "good.csv": "x,answer\n" + "1,a\n2,b\n" * 6,
        "excel.xlsx": "PK\x03\x04",
        "empty.csv": "",
        "header.csv": "x,y\n",
        "twice.csv": "x,x,y\n1,2,a\n",
        "one_class.csv": "x,y\n1,a\n2,a\n",
        "single_row.csv": "x,y\n1,a\n2,a\n3,b\n",
        "continuous.csv": "x,y\n" + "".join(f"{n % 5},{n / 7}\n" for n in range(40)),
        "constant.csv": "x,y\n" + "1,a\n1,b\n" * 6,
        "study.toml": "sed = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("ensemblekit: ")
    assert complaint in said.err
    assert len(said.err.splitlines()) == 1
    left = {file.name for file in tmp_path.iterdir()} - set(files)
    assert not left


def test_a_dry_run_says_what_is_left_to_do_and_touches_nothing(finished, customers, tmp_path):
    _, folder = finished
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    arguments = ["compare", customers, "--target", "churned", *CHEAP, "--folds", "2x2", "--dry-run"]
    done = run(*arguments, "--out", folder, "--json", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    assert (plan["n_cells"], plan["n_finished"], plan["n_timed"]) == (8, 0, 2), "other folds are other cells"
    assert before == {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    arguments[arguments.index("2x2")] = "1x2"
    same = run(*arguments, "--out", folder, cwd=tmp_path)
    assert "4 cells, 4 of them finished; costs to measure: 0" in same.stdout
    assert "\nabout 0 s " in same.stdout
    run(*arguments, "--out", "new", cwd=tmp_path)
    assert not (tmp_path / "new").exists()


def test_quiet_and_json(finished, customers):
    _, folder = finished
    arguments = ["compare", customers, "--target", "churned", "--out", folder, *CHEAP]
    quiet = run(*arguments, "--quiet", cwd=folder.parent)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    machine = run("report", folder, "--json", cwd=folder.parent)
    found = json.loads(machine.stdout)
    assert found["report"] == str(folder / "report.html")
    assert {row["model"] for row in found["leaderboard"]} == {"logistic", "lightgbm"}
    assert all(row["accuracy"] > 0.5 and row["failure"] == "" for row in found["leaderboard"])
    assert found["verdict"]


def test_a_mistake_seen_from_outside(tmp_path):
    process = run("compare", "nowhere.csv", "--target", "y", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "ensemblekit: no file nowhere.csv.\n"


def test_a_missing_extra_is_a_row_with_the_command_to_install_it(tmp_path):
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "lightgbm.py").write_text("raise ImportError('hidden')\n")
    process = run("compare", "iris", "--out", "out", *CHEAP, cwd=tmp_path, env={"PYTHONPATH": str(hiding)})
    assert process.returncode == 0, process.stderr
    rows = list(csv.DictReader((tmp_path / "out" / "results.csv").read_text().splitlines()))
    assert {row["status"] for row in rows if row["model"] == "logistic"} == {"ok"}
    assert all("pip install 'ensemblekit[boosting]'" in row["reason"] for row in rows if row["model"] == "lightgbm")


def heed_interrupts():
    """Undo what a shell does to commands in the background: they, and all that they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
@pytest.mark.parametrize(("jobs", "end"), [("1", signal.SIGINT), ("2", signal.SIGINT), ("2", signal.SIGTERM)])
def test_an_end_from_outside_keeps_finished_cells_and_says_how_to_go_on(tmp_path, jobs, end):
    """Ctrl-C reaches the whole group of processes, SIGTERM one."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = ["compare", "wine", "--models", "random-forest", "--folds", "20x5", "--quick", "--jobs", jobs, "--fresh"]
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [*COMMAND, *arguments, "--out", "out"],
            cwd=tmp_path,
            stderr=err,
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - no thread runs beside it
            env=os.environ | {"TMPDIR": str(scratch)},
        )
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("out/cells/accuracy/*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        (os.killpg if end == signal.SIGINT else os.kill)(process.pid, end)
        assert process.wait(60) == 130
    said = (tmp_path / "err").read_text()
    words = [line for line in said.splitlines() if line and not line.startswith("Accuracy: ")]
    assert len(words) == 1, said
    assert words[0].startswith("ensemblekit: interrupted. Finished cells are kept in out; go on with: ensemblekit compare")
    assert "--fresh" not in words[0]
    kept = list((tmp_path / "out" / "cells").rglob("*.json"))
    assert 0 < len(kept) < 100
    predictions = {file.stem for file in (tmp_path / "out" / "cells").rglob("*.*") if file not in kept}
    assert {file.stem for file in kept} <= predictions
    assert all(json.loads(file.read_text())["status"] == "ok" for file in kept)
    assert not (tmp_path / "out" / "report.html").exists()
    assert not list(scratch.glob("ensemblekit-*"))
    assert not (tmp_path / "out" / ".scratch").exists()


def test_lists(tmp_path):
    models = run("models", cwd=tmp_path)
    assert [line.split()[0] for line in models.stdout.splitlines()] == [
        "logistic", "ridge", "random-forest", "xgboost", "lightgbm",
        "averaging", "weighted", "voting", "stacking", "moe", "moe-boosted", "moe-trees",
    ]  # fmt: skip
    datasets = run("datasets", cwd=tmp_path)
    assert [line.split()[0] for line in datasets.stdout.splitlines()] == list(BUNDLED)
    assert run("--version", cwd=tmp_path).stdout.startswith("ensemblekit ")


def test_from_a_script_with_a_model_of_its_own(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "from sklearn.datasets import load_iris\n"
        "from ensemblekit_reports import compare\n"
        "class Own(ClassifierMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        self.classes_ = np.unique(y)\n"
        "        return self\n"
        "    def predict(self, X):\n"
        "        return np.full(len(X), self.classes_[0])\n"
        "if __name__ == '__main__':\n"
        "    X, y = load_iris(return_X_y=True, as_frame=True)\n"
        "    found = compare(['logistic', {'own': Own()}], X, y, folds='1x3', quick=True, n_jobs=2)\n"
        "    assert (found.results['status'] == 'ok').all(), found.results['reason'].tolist()\n"
        "    assert found.results['fit_wall_s'].notna().sum() == 2\n"
        "    assert len(found.verdict) > 20 and 'own' in found.to_markdown()\n"
        "    print(found.to_html('page.html'))\n"
    )
    process = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == "page.html\n"
    assert (tmp_path / "page.html").read_text().lstrip().lower().startswith("<!doctype html")
