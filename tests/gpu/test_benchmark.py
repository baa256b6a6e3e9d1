"""The benchmark's models and arithmetic, which need no GPU."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit.packed import reference
from gpu.benchmarks import run


def test_cases_are_those_of_the_bounds():
    assert {case.name for case in run.make_cases(trees=100, rng=np.random.default_rng(0))} | {"E-step"} == set(run.H200_BOUNDS)


def test_models_are_evaluated_alike_by_the_cpu_engine():
    X = np.random.default_rng(0).normal(size=(200, run.COLUMNS)).astype(np.float32)
    for case in run.make_cases(trees=3):
        np.testing.assert_allclose(case.model.predict_proba(X), reference.predict_proba(case.model, X), atol=1e-12)


def test_wrong_answers_are_not_timed():
    assert run.check("case", np.zeros(2), np.full(2, 1e-7)) == pytest.approx(1e-7)
    for wrong in (1e-3, np.nan):
        with pytest.raises(SystemExit, match="Nothing was timed"):
            run.check("case", np.zeros(2), np.full(2, wrong))


def test_bounds_only_for_the_card_that_they_are_for():
    result = {"case": "E-step", "device_ms": 0.108}
    assert run.finish(dict(result), run.ROWS, "NVIDIA H200")["percent_of_bound"] == pytest.approx(50)
    assert "bound_ms" not in run.finish(dict(result), run.ROWS, "NVIDIA A100")
