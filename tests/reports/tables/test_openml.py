"""Tables of OpenML, read by scikit-learn from a cache that the test prepares; the network is closed."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
from urllib.error import URLError

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.studies.study import Study
from ensemblekit_reports.studies.study_file import study_from_toml
from ensemblekit_reports.studies.table_choice import TableChoice
from ensemblekit_reports.tables.openml import openml_table

COLUMNS = [("row", "numeric"), ("size", "numeric"), ("colour", "nominal"), ("doctor", "nominal"), ("kind", "nominal")]
ROWS = [f"{n},{n % 7 + 0.5},{'red' if n % 3 else 'blue'},{'ann' if n % 4 else 'bob'},{n % 2}" for n in range(24)]
ARFF = (
    "@RELATION toy\n@ATTRIBUTE row NUMERIC\n@ATTRIBUTE size REAL\n@ATTRIBUTE colour {red,blue}\n@ATTRIBUTE doctor {ann,bob}\n"
    "@ATTRIBUTE kind {0,1}\n@DATA\n" + "\n".join(ROWS) + "\n"
)


SUM = hashlib.md5(ARFF.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Lay out a table as scikit-learn caches it, and close the network."""

    def closed(request):
        raise URLError(f"the network is closed for {request.full_url}")

    def write(path, content):
        file = tmp_path / "openml" / "openml.org" / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content.encode()))

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", closed)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda seconds: None)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    facts = {
        "id": "77", "name": "toy", "version": "2", "status": "active", "format": "ARFF", "licence": "CC0", "description": "",
        "url": "https://www.openml.org/data/v1/download/5/toy.arff", "md5_checksum": SUM,
    }  # fmt: skip
    features = [
        {"index": str(i), "name": name, "data_type": kind, "is_target": str(name == "kind").lower(), "is_ignore": "false",
         "is_row_identifier": str(name == "row").lower(), "number_of_missing_values": "0"}
        for i, (name, kind) in enumerate(COLUMNS)
    ]  # fmt: skip
    write("api/v1/json/data/77", json.dumps({"data_set_description": facts}))
    write("api/v1/json/data/features/77", json.dumps({"data_features": {"feature": features}}))
    write("api/v1/json/data/qualities/77", json.dumps({"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "24"}]}}))
    write("data/v1/download/5/toy.arff", ARFF)
    listed = [{"did": 77, "name": "toy", "version": 2, "status": "active"}, {"did": 78, "name": "toy", "version": 3, "status": "active"}]
    write("api/v1/json/data/list/data_name/toy/limit/2/status/active/", json.dumps({"data": {"dataset": listed}}))
    write("api/v1/json/data/list/data_name/toy/limit/2/data_version/2", json.dumps({"data": {"dataset": listed[:1]}}))
    return tmp_path


def test_a_table_by_its_number(cache):
    table = openml_table(77)
    assert (table.name, table.source, table.licence) == ("toy", "OpenML 77 (toy, version 2)", "CC0")
    assert [(c.name, c.kind) for c in table.columns] == [("size", "numeric"), ("colour", "categorical"), ("doctor", "categorical")]
    assert (table.target, table.classes, table.task) == ("kind", ("0", "1"), "classification")
    assert table.X[0].tolist() == [0.5, 0.0, 1.0]
    assert socket.getdefaulttimeout() is None


def test_columns_are_chosen_as_those_of_a_file(cache):
    table = openml_table(77, target="size", groups="doctor", task="regression", name="mine")
    assert (table.name, table.target, table.task) == ("mine", "size", "regression")
    assert [c.name for c in table.columns] == ["colour", "kind"]
    assert set(table.groups) == {0, 1}
    with pytest.raises(UserError, match=r"OpenML 77 \(toy, version 2\) has no column named 'sise'; did you mean 'size'"):
        openml_table(77, target="sise")


def test_a_name_with_several_versions_says_which_one_was_taken(cache):
    by_name, by_version = openml_table("toy"), openml_table("toy", version=2)
    assert by_name.checksum == by_version.checksum == openml_table(77).checksum
    assert any("Multiple active versions" in note and "returning version 2" in note for note in by_name.notes)
    assert not by_version.notes


def test_what_is_not_cached_is_one_sentence_when_the_network_is_closed(cache):
    with pytest.raises(
        UserError,
        match=r"the OpenML table 31 is not in the cache.*cannot be fetched from openml.org: the network is closed.*SCIKIT_LEARN_DATA",
    ):
        openml_table(31)
    with pytest.raises(UserError, match="number 77 stands for one version already"):
        openml_table(77, version=1)


def test_a_damaged_cache_is_fetched_again(cache):
    file = cache / "openml" / "openml.org" / "data/v1/download/5/toy.arff.gz"
    file.write_bytes(gzip.compress(ARFF.replace("0.5", "0.6").encode()))
    with pytest.raises(UserError, match=r"the OpenML table 77 is not in the cache.*cannot be fetched"):
        openml_table(77)


def test_in_a_study_with_a_checksum(cache, tmp_path):
    (tmp_path / "s.toml").write_text(f'models = ["logistic"]\n[[tables]]\nopenml = 77\nchecksum = "sha256:{openml_table(77).checksum}"\n')
    plan = study_from_toml(tmp_path / "s.toml").plan(tmp_path)
    assert plan.tables[0].source.startswith("OpenML 77")
    wrong = TableChoice(openml="toy", version=2, checksum="ab" * 32)
    with pytest.raises(UserError, match=f"its checksum is {plan.tables[0].checksum}, the study says {'ab' * 32}"):
        Study(tables=(wrong,)).plan(tmp_path)


def test_from_the_command_line(cache, capsys):
    from ensemblekit_reports.cli import main

    assert main(["compare", "openml:31"]) == 2
    assert "the OpenML table 31 is not in the cache" in capsys.readouterr().err
    assert main(["compare", "openml:toy", "--target", "knid"]) == 2
    assert "did you mean 'kind'?" in capsys.readouterr().err
