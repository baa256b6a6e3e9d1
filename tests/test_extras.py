"""A missing optional package is an error that holds the command to install it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ensemblekit._extras import require

ROOT = Path(__file__).parents[1]


def test_the_error_names_package_and_command():
    with pytest.raises(
        ImportError, match=re.escape("'no_such_package', which is not installed. Install it: pip install 'ensemblekit[boosting]'")
    ):
        require("no_such_package", extra="boosting", purpose="A test")


def test_every_extra_that_an_error_names_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"boosting", "report", "fast", "gpu", "dask", "onnx", "all", "dev"} <= set(extras)
    sources = [path for folder in ("ensemblekit", "gpu", "reports") for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r'extra="(\w+)"', path.read_text())}
    assert named <= set(extras)


WITHOUT_EXTRAS = """
import sys

class Absent:
    names = {"lightgbm", "xgboost", "pandas", "numba", "treelite", "matplotlib", "cupy", "pyarrow", "rich", "jinja2"}

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from sklearn.datasets import load_iris
import ensemblekit
from ensemblekit.ensembles import AveragingEnsembleClassifier

X, y = load_iris(return_X_y=True)
print(ensemblekit.MixtureOfExpertsClassifier(2, n_init=1).fit(X, y).score(X, y) > 0.9)
AveragingEnsembleClassifier().fit(X, y)
"""


def test_the_core_needs_no_extra():
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == ["True"]
    assert ended.returncode == 1
    assert "pip install 'ensemblekit[boosting]'" in ended.stderr.splitlines()[-1]
