"""Registry, loaders, files and checksums agree, and the files are what their generator makes."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from ensemblekit.datasets import BUNDLED, load_bundled
from ensemblekit_reports.tables.table import bundled_table, table_from_file

DATA = Path(__file__).parents[2] / "data"
REGISTRY = tomllib.loads((DATA / "registry.toml").read_text())


def generator():
    spec = importlib.util.spec_from_file_location("generate", DATA / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_table_is_registered_and_every_entry_is_a_table():
    assert {name for name, entry in REGISTRY.items() if entry["loader"] == "bundled"} == set(BUNDLED)
    files = {entry["file"] for entry in REGISTRY.values() if "file" in entry}
    assert files == {file.name for file in DATA.glob("*.csv")} == set(generator().TABLES)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_tables(name):
    entry, table = REGISTRY[name], bundled_table(name)
    assert entry["checksum"] == table.checksum
    assert (entry["target"], entry["licence"]) == (table.target, table.licence)
    assert entry["source"] == load_bundled(name).source


@pytest.mark.parametrize("name", [name for name, entry in REGISTRY.items() if "file" in entry])
def test_files(name):
    entry = REGISTRY[name]
    assert table_from_file(DATA / entry["file"], entry["target"]).checksum == entry["checksum"]


def test_the_generator_makes_the_files_again():
    for name, make in generator().TABLES.items():
        assert make().to_csv(index=False, lineterminator="\n") == (DATA / name).read_text()


def test_an_unknown_table_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="there are: iris, wine"):
        load_bundled("titanic")
