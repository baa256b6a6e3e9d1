"""The guide's code runs, and says what it says."""

from __future__ import annotations

import doctest
from importlib.resources import files


def test_the_guide():
    text = (files("ensemblekit.tuning") / "README.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, {}, "tuning", "README.md", 0)
    assert len(example.examples) > 12
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0
