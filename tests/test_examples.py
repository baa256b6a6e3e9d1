"""The worked examples run, draw their picture and show what they say."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
def test_drift(tmp_path):
    example = runpy.run_path(str(EXAMPLES / "drift.py"))
    accuracy = example["main"](str(tmp_path / "drift.png"))
    assert (tmp_path / "drift.png").stat().st_size > 10_000
    at_once = {name: scores[example["BEFORE"]] for name, scores in accuracy.items()}
    assert max(at_once.values()) < 0.5
    assert accuracy["adapt_gate"][-1] > 0.9 > 0.5 > accuracy["left alone"][-1]
    assert accuracy["adapt_gate"][example["BEFORE"] - 1] > accuracy["left alone"][example["BEFORE"] - 1] - 0.02
    assert np.isfinite(accuracy["update_feedback"]).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Experts .* answer for less")
def test_transfer():
    losses = runpy.run_path(str(EXAMPLES / "transfer.py"))["main"]()
    assert all(loss["frozen experts"] < loss["from nothing"] for loss in losses.values())
    assert losses[800]["from nothing"] < losses[100]["from nothing"]
