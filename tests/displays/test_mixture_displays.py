"""The pictures of a mixture show what the mixture says."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.displays import EMTraceDisplay, ExpertLoadDisplay, GateDisplay


@pytest.fixture(autouse=True)
def _no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(300, 3))


@pytest.fixture(scope="module")
def model(rows):
    y = np.where(rows[:, 0] > 0, rows[:, 1] > 0, rows[:, 1] < 0)
    return MixtureOfExpertsClassifier(2, random_state=0).fit(rows, y)


def test_the_gate_map_holds_what_the_gate_says_of_its_points(model, rows):
    display = GateDisplay.from_estimator(model, rows, features=(1, 0), grid_resolution=11)
    i, j = 3, 8
    point = np.median(rows, axis=0)
    point[1], point[0] = display.first[j], display.second[i]
    assert_allclose(display.proba[i, j], model.gate_proba(point[None])[0])
    assert display.dots_.get_offsets().shape == (300, 2)
    assert len(display.borders_) == 2
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("column 1", "column 0")
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["expert 0", "expert 1"]


def test_the_gate_map_reads_frames_and_holds_other_columns_at_their_middle(rows):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(kind=np.where(rows[:, 0] > -1, "x", "y"))
    seen = []

    class Mixture(MixtureOfExpertsClassifier):
        def gate_proba(self, X):
            seen.append(X)
            return np.full((len(X), 1), 1.0)

    model = Mixture(1).fit(rows, rows[:, 0] > 0)
    display = GateDisplay.from_estimator(model, frame, features=["a", "c"], grid_resolution=5)
    assert display.names == ("a", "c")
    assert display.borders_ == []
    assert set(seen[0]["kind"]) == {"x"}
    assert_allclose(seen[0]["b"], frame["b"].median())
    assert_allclose(np.unique(seen[0]["c"]), display.second)


@pytest.mark.parametrize("features", [(0, 0), (0, 1, 2)])
def test_the_gate_map_wants_two_columns(model, rows, features):
    with pytest.raises(ValueError, match="two different columns"):
        GateDisplay.from_estimator(model, rows, features=features)


def test_the_gate_map_reads_sparse_rows(model, rows):
    dense, sparse = (GateDisplay.from_estimator(model, table, grid_resolution=5) for table in (rows, sp.csr_array(rows)))
    assert_allclose(sparse.proba, dense.proba)
    plt.close("all")


def test_load_and_effective_numbers(model, rows):
    y = model.predict(rows)
    display = ExpertLoadDisplay.from_estimator(model, rows, y)
    assert_allclose([bar.get_height() for bar in display.bars_], 100 * model.gate_proba(rows).mean(axis=0))
    assert_allclose(display.marks_.get_ydata(), 100 * model.responsibilities(rows, y).mean(axis=0))
    assert 1 <= display.effective_experts_per_row <= display.effective_experts <= 2


def test_effective_numbers_of_known_shares():
    even = ExpertLoadDisplay.from_predictions(np.full((5, 4), 0.25))
    assert even.effective_experts == pytest.approx(4)
    assert even.effective_experts_per_row == pytest.approx(4)
    lone = ExpertLoadDisplay.from_predictions(np.eye(4)[[2, 2]])
    assert lone.effective_experts == pytest.approx(1)
    assert lone.marks_ is None


def test_what_is_no_distribution_is_refused():
    with pytest.raises(ValueError, match="a distribution over experts"):
        ExpertLoadDisplay.from_predictions(np.ones((3, 2)))


def test_the_trace_is_the_one_of_the_fit(model):
    display = EMTraceDisplay.from_estimator(model)
    assert_allclose(display.line_.get_ydata(), model.lower_bounds_)
    assert np.all(display.gap_.get_ydata() > 0)
    assert "converged" in display.ax_.get_title()


@pytest.mark.parametrize("display", [GateDisplay, ExpertLoadDisplay])
def test_models_that_are_not_fitted_are_refused(display, rows):
    with pytest.raises(NotFittedError):
        display.from_estimator(MixtureOfExpertsClassifier(), rows)
