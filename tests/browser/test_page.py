"""The page in a real browser: quiet, offline, moved by keyboard and pointer, legible to screen readers, safe against names."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ensemblekit_reports import wording
from ensemblekit_reports.example import example_results
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.render import to_html
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.results import Leak
from ensemblekit_reports.statistics.summaries import Summary
from tests.reports.insights import made_up
from tests.reports.reporting.synthetic import LEVELS, answered, fail, study
from tests.reports.reporting.test_render import HOSTILE, hostile

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
DARK = {"color_scheme": "dark"}


@pytest.fixture(scope="module")
def report():
    return build(answered(fail(fail(study(), "xgboost", 50), "voting", 3)))


@pytest.fixture(scope="module")
def ordinary(report, tmp_path_factory):
    return written(tmp_path_factory, to_html(report))


@pytest.fixture(scope="module")
def wicked(tmp_path_factory):
    return written(tmp_path_factory, to_html(build(answered(hostile()))))


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """Every section that a page may have: mixtures, ensembles, learning curves, ranks; one table of amounts has its own."""
    tables = {f"table {i}": tuple(level + 0.01 * (i % 3) for level in LEVELS["regimes"]) for i in range(6)}
    results = answered(study(tables))
    first = results.cells[results.cells["repeat"] == 0]
    curve = pd.concat(
        [first.assign(share=share, n_train=first["n_train"] * share, accuracy=first["accuracy"] * share) for share in (0.8, 1.0)]
    )
    insights = [made_up.mixture("table 0"), made_up.mixture("table 1", names=HOSTILE[3:5]), made_up.ensemble("table 2", names=HOSTILE[:2])]
    text = to_html(build(replace(results, curve=curve, insights=tuple(insights), leaks=(Leak("table 0", HOSTILE[0], 0.99),))))
    for heading in ("What the mixtures do", "What the ensembles do", "Would more rows help?", "Mean ranks"):
        assert heading in text, heading
    return written(tmp_path_factory, text)


@pytest.fixture(scope="module")
def amounts(tmp_path_factory):
    return written(tmp_path_factory, to_html(build(example_results(task="regression"))))


def written(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(text, "utf-8")
    return file


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")


@pytest.mark.parametrize("name", ["ordinary", "wicked", "telling", "amounts"])
@pytest.mark.parametrize("settings", [{}, DARK, PHONE], ids=["light", "dark", "phone"])
def test_nothing_is_said_nothing_is_asked_for_and_nothing_sticks_out(opened, request, name, settings):
    file = request.getfixturevalue(name)
    page = opened(file, **settings)
    unfold(page)
    assert page.complaints == []
    assert page.requests == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["ordinary", "wicked", "telling", "amounts"])
@pytest.mark.parametrize("settings", [{}, DARK, PHONE], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_serious(opened, axe, request, name, settings):
    page = opened(request.getfixturevalue(name), **settings)
    unfold(page)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found if v["impact"] in {"serious", "critical"}]
    assert grave == []
    assert page.evaluate("axe.run(document)")["passes"]


def test_axe_would_find_something(opened, axe, ordinary):
    page = opened(ordinary)
    page.evaluate("document.querySelectorAll('#explorer-controls label').forEach(l => l.replaceWith(...l.querySelectorAll('select')))")
    page.evaluate(axe)
    assert "select-name" in {v["id"] for v in page.evaluate("axe.run(document)")["violations"]}


def test_explorer_draws_what_is_chosen_and_says_so(opened, ordinary, report):
    page = opened(ordinary)
    before, front = page.inner_html("#explorer-chart"), page.text_content("#explorer-front")
    assert "XGBoost: failed" in front
    page.select_option("#explorer-score", "log_loss")
    page.select_option("#explorer-cost", "size_bytes")
    page.select_option("#explorer-table-choice", label="digits")
    assert page.inner_html("#explorer-chart") != before
    assert "Log-loss against size, digits" in page.get_attribute("#explorer-chart svg", "aria-label")
    standings = next(s.standings for s in report.tables if s.facts.name == "digits")
    complete = sorted((s for s in standings if s.complete), key=lambda s: s.costs["size_bytes"].value)
    best, expected = float("inf"), []
    for standing in complete:
        if standing.scores["log_loss"].value < best:
            best = standing.scores["log_loss"].value
            expected.append(standing.model.label)
    rows = page.locator("#explorer-table tbody tr")
    unfold(page)
    on_front = [row.locator("th").inner_text() for row in rows.all() if "on the front" in row.inner_text()]
    assert on_front == expected
    assert page.get_attribute("#explorer-front", "role") == "status"


def test_ranges_are_written_as_on_the_static_page(opened, ordinary):
    page = opened(ordinary)
    for low, high in [(0.0046, 0.0055), (0.00046, 0.0055), (0.5, 0.62)]:
        script = page.evaluate(f'rangeText([{low}, {low}, {high}], quantities["fit_wall_s"])')
        assert script == wording.cost_range(Summary(low, low, high, n=3), QUANTITIES["fit_wall_s"])


@pytest.mark.parametrize("cost", ["predict_rows_per_s_100", "fit_wall_s"])
def test_names_in_the_chart_do_not_overlap_and_the_better_end_is_on_the_left(opened, ordinary, cost):
    page = opened(ordinary)
    page.select_option("#explorer-cost", cost)
    boxes = page.evaluate("""[...document.querySelectorAll('#explorer-chart .front-text, #explorer-chart .quiet-text')]
        .map(t => t.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])""")
    crossing = [
        (a, b)
        for i, a in enumerate(boxes)
        for b in boxes[:i]
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 4
    ]
    assert crossing == []
    unfold(page)
    texts = page.locator("#explorer-table tbody tr td:nth-child(4)").all_inner_texts()
    assert texts
    # Cheapest first in the table; the fastest is the cheapest.
    assert texts[0] != texts[-1]


def test_leaderboard_sorts_hides_and_explains(opened, ordinary, report):
    page = opened(ordinary)
    head = page.locator("table.leaderboard th button", has_text="Log-loss")
    head.focus()
    assert page.inner_text("#tip") == "Mean of -ln(probability given to the true class)."
    page.keyboard.press("Escape")
    assert page.is_hidden("#tip")
    page.keyboard.press("Enter")
    names = page.locator("table.leaderboard tbody tr th bdi").all_inner_texts()
    by_loss = sorted((s for s in report.leaderboard if s.n_finished), key=lambda s: s.scores["log_loss"].value)
    assert names[: len(by_loss)] == [s.model.label for s in by_loss]
    assert page.inner_text("#said").startswith("Sorted by Log-loss")
    page.locator("details.picker summary").click()
    box = page.get_by_label("Balanced accuracy, %")
    column = page.locator("table.leaderboard th[data-name=balanced_accuracy]")
    assert column.is_hidden()
    box.check()
    assert column.is_visible()
    assert "Balanced accuracy" in page.inner_text("#said")


def downloaded(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "leaderboard.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_csv_holds_what_is_on_screen(opened, ordinary, report):
    page = opened(ordinary)
    page.locator("table.leaderboard th button", has_text="Fit time").click()
    head, *rows = downloaded(page)
    shown = [th.get_attribute("data-name") for th in page.locator("table.leaderboard th[data-name]:visible").all()]
    assert head[:2] == ["rank", "model"]
    assert head[2::3] == shown
    assert [row[1] for row in rows] == page.locator("table.leaderboard tbody tr th bdi").all_inner_texts()
    accuracy = {s.model.label: s.scores["accuracy"].value for s in report.leaderboard if s.n_finished}
    column = head.index("accuracy")
    assert {row[1]: float(row[column]) for row in rows if row[column]} == pytest.approx(accuracy, rel=5.1e-6)


def test_csv_of_hostile_names_is_inert(opened, wicked):
    rows = downloaded(opened(wicked))
    names = [row[1] for row in rows[1:]]
    assert len(names) == len(HOSTILE)
    assert not [name for name in names if name.lstrip()[:1] in set("=+-@|%")]
    assert any(name.startswith("'=cmd") for name in names)


def test_keyboard_reaches_everything(opened, ordinary):
    page = opened(ordinary)
    unfold(page)
    wanted = page.evaluate("""[...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')]
        .filter(e => e.checkVisibility()).map((e, i) => { e.dataset.stop = i; return String(i); })""")
    assert len(wanted) > 60
    reached = []
    for _ in range(len(wanted) + 5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.stop"))
    assert set(wanted) - set(reached) == set()


def test_hostile_names_stay_text(opened, wicked):
    page = opened(wicked)
    unfold(page)
    page.select_option("#explorer-table-choice", "1")
    assert page.complaints == []
    assert page.locator("img, iframe, script[src]").count() == 0
    assert page.locator("a:not([href^='#'])").count() == 0
    assert "<script>alert(1)</script>" in page.inner_text("#explorer-table")


def test_without_script_the_page_still_answers(opened, ordinary, report):
    page = opened(ordinary, java_script_enabled=False)
    assert page.inner_text("h1") == report.answer.answer
    assert page.locator("#explorer-chart svg").is_visible()
    assert page.locator("#explorer-controls").is_hidden()
    assert page.locator("#leaderboard-tools").is_hidden()
    assert page.locator("table.leaderboard tbody tr").count() == len(report.models)


@pytest.mark.parametrize("name", ["ordinary", "wicked", "telling", "amounts"])
def test_nothing_sticks_out_of_the_paper(opened, request, name):
    page = opened(request.getfixturevalue(name), viewport={"width": 700, "height": 1000})  # A4 less margins, at 96 dots an inch
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_print_opens_what_is_folded(opened, ordinary):
    page = opened(ordinary)
    assert page.locator("details:not(.picker):not([open])").count() > 0
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not(.picker):not([open])").count() == 0
    assert page.locator("#explorer-controls").is_hidden()
    assert len(page.pdf()) > 10_000


def test_a_single_table_works_too(opened, tmp_path):
    results = study({"iris": (0.955, 0.947, 0.94, 0.945, 0.95, 0.952, 0.948, 0.957)})
    file = tmp_path / "report.html"
    file.write_text(to_html(build(answered(replace(results, name="one"), 3))), "utf-8")
    page = opened(file)
    page.select_option("#explorer-cost", "size_bytes")
    assert page.complaints == []
    assert page.locator("#explorer-table-choice").is_hidden()
