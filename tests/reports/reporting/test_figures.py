"""Figures: labels that do not collide, SVG that needs nothing and is always the same."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemblekit.displays.label_places import Box, place_labels
from ensemblekit_reports.figures.colours import model_variables, variables
from ensemblekit_reports.figures.differences import Row, draw_differences
from ensemblekit_reports.figures.pareto import draw_pareto
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.render.pictures import draw
from ensemblekit_reports.reporting.report import build
from tests.reports.reporting.synthetic import MODELS, fail, study

FRAME = Box(0, 0, 700, 350)
SVG = "{http://www.w3.org/2000/svg}"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(60, 640), st.integers(30, 320)), min_size=1, max_size=9, unique=True))
def test_labels_keep_inside_and_apart(marks):
    placed = place_labels(marks, [(90, 14)] * len(marks), FRAME)
    boxes = [p.box for p in placed]
    assert all(box.overlap(FRAME) == pytest.approx(box.area) for box in boxes)
    covered = sum(a.overlap(b) for i, a in enumerate(boxes) for b in boxes[:i])
    spread = min([abs(a[0] - b[0]) + abs(a[1] - b[1]) for i, a in enumerate(marks) for b in marks[:i]], default=99)
    # Marks that lie on each other leave no room for nine names; otherwise there is always a way.
    assert covered == 0 or spread < 30


def test_labels_of_a_crowd_do_not_touch():
    marks = [(350 + 7 * i, 170 + 3 * (i % 3)) for i in range(8)]
    boxes = [p.box for p in place_labels(marks, [(100, 14)] * 8, FRAME)]
    assert sum(a.overlap(b) for i, a in enumerate(boxes) for b in boxes[:i]) == 0


@pytest.mark.parametrize("width", [60, 100])
def test_no_line_to_a_name_runs_through_another_mark(width):
    marks = [(500, 170), (522, 178), (548, 173), (556, 177)]
    intervals = [Box(x - 2, y - 40, x + 2, y + 40) for x, y in marks]
    placed = place_labels(marks, [(width, 14)] * 4, FRAME, intervals)
    far = [(place, mark) for place, mark in zip(placed, marks, strict=True) if place.needs_line]
    assert far
    for place, mark in far:
        end = place.nearest(*mark)
        for part in (0.2, 0.4, 0.6, 0.8, 1.0):
            x, y = (a + part * (b - a) for a, b in zip(mark, end, strict=True))
            assert not [other for other in marks if other != mark and abs(x - other[0]) < 8 and abs(y - other[1]) < 8]


def report_with_failures():
    results = fail(fail(study(), "xgboost", 50), "voting", 3)
    return build(results)


def contrast(first, second):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_are_legible_on_both_grounds():
    table = {name: (light, dark) for name, light, dark in variables()}
    for name, grounds in table.items():
        least = 4.5 if name in {"ink", "muted"} else 3.0
        if name not in {"grid", "band", "ground"}:
            assert all(contrast(c, g) >= least for c, g in zip(grounds, table["ground"], strict=True)), name


def test_the_mixture_has_one_colour_in_every_report():
    assert model_variables(MODELS)["moe"] == model_variables(MODELS[::-1])["moe"] == "model-0"
    assert len(set(model_variables(MODELS).values())) == len(MODELS)


@pytest.mark.parametrize("drawing", draw(report_with_failures()).all(), ids=lambda d: d.name)
def test_svg_stands_by_itself(drawing):
    root = ET.fromstring(drawing.standalone().partition("\n")[2])  # noqa: S314
    assert root.get("role") == "img"
    named = {e.get("id"): e.text for e in root if e.tag in {f"{SVG}title", f"{SVG}desc"}}
    assert list(named) == root.get("aria-labelledby").split()
    assert all(named.values())
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids)
    assert all(identity.startswith(drawing.name) for identity in ids)
    used = set(re.findall(r"#([\w-]+)\)", drawing.svg)) | set(re.findall(r'href="#([^"]+)"', drawing.svg))
    assert used <= set(ids)
    assert not re.search(r'style=|<style|script|(href|src)="[^#]|data:|#0a0b', drawing.svg)


def test_equal_reports_give_equal_figures():
    first, again = draw(report_with_failures()), draw(report_with_failures())
    assert first == again


def test_settings_of_the_reader_change_nothing():
    report = report_with_failures()
    usual = draw(report)
    with mpl.rc_context({"font.size": 40, "axes.grid": False, "lines.linewidth": 9, "axes.unicode_minus": False}):
        assert draw(report) == usual


def test_only_the_front_wears_colour():
    report = report_with_failures()
    svg = draw(report).pareto.svg
    colours = model_variables(report.models)
    for standing in report.leaderboard:
        assert (f"var(--{colours[standing.model.name]})" in svg) == standing.on_front, standing.model.name


def test_failed_models_are_marked():
    svg = draw(report_with_failures()).pareto.svg
    assert "✕ XGBoost: failed" in svg
    assert "Voting (47 of 50 folds)" in svg


def test_nothing_to_draw():
    report = build(study({"t": (0.9,)}, MODELS[7:]))
    assert draw(report).all() == ()
    assert draw_pareto([], QUANTITIES["accuracy"], {}, "p", "t") is None
    assert draw_differences([], QUANTITIES["accuracy"], 0.01, "d", "m", "t") is None


def test_an_extreme_row_does_not_squeeze_the_others():
    rows = [Row(f"t{i}", 0.01, 0.0, 0.02, "", None) for i in range(4)] + [Row("far", 0.5, 0.4, 0.6, "", None)]
    drawing = draw_differences(rows, QUANTITIES["accuracy"], 0.01, "d", "m", "t")
    ticks = [float(t.replace("−", "-")) for t in re.findall(r'middle"[^>]*>(−?[\d.]+)<', drawing.svg)]
    assert max(ticks) < 10
    assert "+50 (40 to 60)" in drawing.svg


@pytest.mark.parametrize("name", ["$\\frac{$", "🦊 fox", "שלום", "日本語", "a<b>&\"'", "\u202eevil", "x" * 300, "\u200b", "\x07"])
def test_foreign_names_are_drawn_as_they_are(name):
    rows = [Row(name, 0.01, 0.0, 0.02, "better", 0)]
    drawing = draw_differences(rows, QUANTITIES["accuracy"], 0.01, "d", name, "t")
    ET.fromstring(drawing.svg)  # noqa: S314
    assert "\u202e" not in drawing.svg
