"""The code of the guides runs, and says what they say."""

from __future__ import annotations

import doctest
from importlib.resources import files

import pytest


@pytest.mark.parametrize("package", ["compression", "ensembles", "mixture", "tuning"])
def test_the_code_of_a_guide(package):
    text = (files(f"ensemblekit.{package}") / "README.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, {}, package, "README.md", 0)
    assert len(example.examples) > 7
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0
