"""What a run hands over beside its report, by the real command."""

from __future__ import annotations

import csv
import json

import pytest

from ensemblekit_reports.cli import main
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running import handing_over

CHEAP = ["--models", "logistic", "--folds", "1x2", "--quick", "--jobs", "1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "out"
    assert main(["compare", "iris", *CHEAP, "--out", str(folder), "--quiet", "--save-model"]) == 0
    return folder


def test_the_stored_model_predicts_a_new_table(finished, tmp_path, capsys):
    names = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)"
    (tmp_path / "new.csv").write_text(f"{names},memo\n5.1,3.5,1.4,0.2,a\n6.7,3.0,5.2,2.3,b\n")
    out = tmp_path / "out.csv"
    assert main(["predict", str(finished / "model.skops"), str(tmp_path / "new.csv"), "--proba", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"The model does not use the column 'memo'; it was left out.\n{out}\n"
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["prediction"] for row in rows] == ["setosa", "virginica"]
    assert all(abs(sum(float(row[f"probability of {kind}"]) for kind in ("setosa", "versicolor", "virginica")) - 1) < 1e-9 for row in rows)


def test_the_card_says_how_good_the_stored_model_is(finished):
    card = (finished / "model_card.md").read_text()
    assert card.startswith("# Logistic regression\n\nA single model for the classes of ")
    assert "| Accuracy, % | 9" in card
    assert "| Time for one row |" in card
    assert "- `quick-scheme` " in card


def test_what_is_written_is_said(finished, capsys):
    assert main(["compare", "iris", *CHEAP, "--out", str(finished), "--json", "--save-model", "logistic"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(finished / "model.skops")


def test_the_verdict_is_said_even_where_the_model_cannot_be_stored(finished, capsys, monkeypatch):
    def refuse(*everything):
        raise UserError("it cannot be stored")

    monkeypatch.setattr(handing_over, "save_model", refuse)
    assert main(["compare", "iris", *CHEAP, "--out", str(finished), "--save-model"]) == 2
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == str(finished / "report.html")
    assert said.err.splitlines()[-1] == "ensemblekit: it cannot be stored"


def test_out_belongs_to_several_runs(finished, capsys):
    assert main(["report", str(finished), "--out", "elsewhere"]) == 2
    assert "--out belongs to a page of several runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["compare", "iris", "--models", "logistic", "--save-model", "moe"], "unknown model 'moe': Valid: best, logistic."),
        (["compare", "--save-model"], "fits a model on one table, and this study has 6"),
        (["predict", "nowhere.skops", "t.csv"], "no file nowhere.skops"),
    ],
)
def test_what_cannot_be_handed_over_is_said_before_the_run(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
