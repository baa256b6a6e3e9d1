"""The wheel is what users get: it holds the three packages with their data, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = {".cu", ".cuh", ".html", ".md", ".css", ".js", ".svg", ".toml", ".csv", ".typed", ".j2"}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_three_packages_and_nothing_else(names):
    top = {name.split("/")[0] for name in names}
    assert top == {"ensemblekit", "ensemblekit_gpu", "ensemblekit_reports", "ensemblekit-0.1.0.dist-info"}
    assert not [name for name in names if "test" in name.split("/")[-1] and not name.startswith("ensemblekit-")]


def test_every_file_of_the_packages_is_there(names):
    for package in ("ensemblekit", "gpu/ensemblekit_gpu", "reports/ensemblekit_reports"):
        folder = ROOT / package
        files = [path for path in folder.rglob("*") if path.suffix in DATA | {".py"} and "__pycache__" not in path.parts]
        wanted = {path.relative_to(folder.parent).as_posix() for path in files}
        assert wanted <= names
        assert f"{folder.name}/py.typed" in wanted


def test_templates_and_kernels_are_among_them(names):
    assert [name for name in names if name.startswith("ensemblekit_gpu/kernels/") and name.endswith(".cu")]
    assert [name for name in names if name.startswith("ensemblekit_reports/templates/")]


def test_the_command_is_declared(names):
    assert "ensemblekit-0.1.0.dist-info/entry_points.txt" in names
    assert "ensemblekit-0.1.0.dist-info/licenses/LICENSE" in names
