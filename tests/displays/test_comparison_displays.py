"""Score against cost and paired differences: the pictures show the numbers, and only what is on the front wears colour."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.displays import PairedDifference, PairedDifferenceDisplay, ParetoDisplay, ParetoPoint
from ensemblekit.displays.front import pareto_front
from ensemblekit.displays.palette import DARK, LIGHT

POINTS = (
    ParetoPoint("small", 0.9, 1.0, (0.88, 0.92), (0.9, 1.2)),
    ParetoPoint("beaten", 0.89, 2.0, colour=1),
    ParetoPoint("large $\\frac{", 0.95, 8.0, colour=2),
    ParetoPoint("unfinished", 0.99, 0.5, colour=3, complete=False),
)


@pytest.fixture(autouse=True)
def _no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_front_holds_exactly_what_nothing_beats(points):
    losses, costs = zip(*points, strict=True)
    expected = [not any(a <= x and b <= y and (a, b) != (x, y) for a, b in points) for x, y in points]
    assert pareto_front(losses, costs).tolist() == expected


def test_front_leaves_out_what_was_not_measured():
    assert pareto_front([0.1, np.nan, 0.2], [2.0, 1.0, np.nan]).tolist() == [True, False, False]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_pareto_colours_its_front_and_steps_along_it(palette):
    display = ParetoDisplay(POINTS).plot(palette=palette)
    assert display.front.tolist() == [True, False, True, False]
    faces = [to_hex(mark.get_markerfacecolor()) for mark in display.marks_]
    assert faces == [palette.mark(0), palette.faint, palette.mark(2), palette.ground]
    xs, ys = display.steps_.get_data()
    assert list(zip(xs[:-1], ys[:-1], strict=True)) == [(1.0, 0.9), (8.0, 0.9), (8.0, 0.95)]
    assert {t.get_text() for t in display.ax_.texts} >= {point.label for point in POINTS}


def test_pareto_keeps_the_better_end_up_and_names_what_is_missing():
    display = ParetoDisplay(POINTS, higher_is_better=False, missing=["voting: failed"]).plot()
    low, high = display.ax_.get_ylim()
    assert low > high
    assert display.front.tolist() == [True, True, False, False]
    assert "✕ voting: failed" in [text.get_text() for text in display.ax_.texts]


def test_pareto_of_fitted_models_scores_and_counts_them():
    X, y = load_iris(return_X_y=True)
    trees = {str(depth): DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y) for depth in (1, 3)}
    _, ax = plt.subplots()
    display = ParetoDisplay.from_estimators(trees, X, y, scoring="accuracy", cost="node_visits", ax=ax)
    assert display.ax_ is ax
    assert [point.score for point in display.points] == [tree.score(X, y) for tree in trees.values()]
    assert display.points[0].cost < display.points[1].cost
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("node visits a row (log scale)", "accuracy")
    with pytest.raises(ValueError, match="'price' is unknown; choose one of"):
        ParetoDisplay.from_estimators(trees, X, y, cost="price")
    trees["stump of one leaf"] = DecisionTreeClassifier(random_state=0).fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match=r"\['stump of one leaf'\] cost no node visits a row"):
        ParetoDisplay.from_estimators(trees, X, y, cost="node_visits")


def test_differences_stand_where_they_are_and_the_extreme_one_is_an_arrow():
    rows = [PairedDifference(f"t{i}", 0.1 * i, -0.1, 0.4) for i in range(4)] + [PairedDifference("far", 9.0, 8.0, 10.0)]
    display = PairedDifferenceDisplay(rows, first="mixture", rope=0.05).plot()
    assert [mark.get_xdata()[0] for mark in display.marks_[:4]] == [row.gain for row in rows[:4]]
    assert display.marks_[-1].get_marker() == ">"
    assert display.marks_[-1].get_xdata()[0] < display.limit < 3
    assert display.band_.get_width() == pytest.approx(0.1)


def test_differences_of_found_comparisons():
    found = [
        SimpleNamespace(first="moe", second=name, gain=gain, low=gain - 1, high=gain + 1, call="")
        for name, gain in (("a", 1.0), ("b", np.nan), ("c", -2.0))
    ]
    display = PairedDifferenceDisplay.from_comparisons(found, labels={"a": "A", "moe": "Mixture"})
    assert [row.label for row in display.rows] == ["A", "c"]
    assert "← Mixture worse" in [text.get_text() for text in display.ax_.texts]
    with pytest.raises(ValueError, match="they begin with a, moe"):
        PairedDifferenceDisplay.from_comparisons([*found, SimpleNamespace(first="a", second="c", gain=0.0)])


def test_nothing_to_draw_is_said():
    with pytest.raises(ValueError, match="at least one point"):
        ParetoDisplay([])
    with pytest.raises(ValueError, match="at least one row"):
        PairedDifferenceDisplay.from_comparisons([])
