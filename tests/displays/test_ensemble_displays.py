"""The pictures show the numbers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.displays.ensemble_cost import EnsembleCostDisplay
from ensemblekit.displays.ensemble_size import EnsembleSizeDisplay
from ensemblekit.ensembles import WeightedEnsembleClassifier
from ensemblekit.ensembles.size_curve import size_curve

X, y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def _no_window() -> None:
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_size_display_draws_the_curve() -> None:
    forest = RandomForestClassifier(n_estimators=6, random_state=0)
    curve = size_curve(forest, X, y, cv=3, scoring="neg_log_loss", random_state=0)
    _, ax = plt.subplots()
    display = EnsembleSizeDisplay.from_estimator(forest, X, y, cv=3, scoring="neg_log_loss", random_state=0, ax=ax)
    np.testing.assert_array_equal(display.line_.get_xydata(), np.column_stack([curve.sizes, curve.mean]))
    assert display.ax_ is ax
    assert display.edge_.get_xdata()[0] == curve.worse_below
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("trees", "minus log loss")


def test_cost_display_marks_the_ensemble_in_use() -> None:
    members = [(str(depth), DecisionTreeClassifier(max_depth=depth, random_state=0)) for depth in (1, 2, 3)]
    ensemble = WeightedEnsembleClassifier(members, max_cost=3, cv=3, random_state=0).fit(X, y)
    display = EnsembleCostDisplay.from_estimator(ensemble)
    assert len(display.points_.get_offsets()) == len(ensemble.cost_path_)
    cost, loss = display.used_.get_offsets()[0]
    assert cost <= 3
    assert loss == pytest.approx(ensemble.held_out_loss_)
    front = display.front_.get_xydata()
    assert np.all(np.diff(front[:, 0]) > 0)
    assert np.all(np.diff(front[:, 1]) < 0)


def test_cost_display_needs_a_budget() -> None:
    members = [("tree", DecisionTreeClassifier(random_state=0))]
    with pytest.raises(ValueError, match=r"max_cost=numpy\.inf"):
        EnsembleCostDisplay.from_estimator(WeightedEnsembleClassifier(members, cv=2, random_state=0).fit(X, y))
