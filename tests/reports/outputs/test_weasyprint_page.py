"""WeasyPrint prints what a browser shows: colours, symbols, no hidden columns."""

from __future__ import annotations

import pytest

from ensemblekit_reports.example import example_results
from ensemblekit_reports.outputs.weasyprint_page import SVG, prepare
from ensemblekit_reports.render import write
from ensemblekit_reports.reporting.report import build

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def weasyprint():
    try:
        return pytest.importorskip("weasyprint")
    except OSError as error:
        pytest.skip(f"Pango is missing: {error}")


def prepared(weasyprint, page):
    root = weasyprint.HTML(string=page).etree_element
    prepare(root)
    return root


def style_of(root, identifier):
    found = next(element for element in root.iter() if element.get("id") == identifier)
    return dict(one.split(":") for one in found.get("style", "").split(";") if one)  # a later declaration replaces an earlier one


SHEET = """<style>:root{--ink:#111}.dot{fill:var(--ink);stroke:red}circle{fill:green}figure svg .dot{stroke:var(--gone,blue)}
@media print{:root{--ink:#000}}@media (prefers-color-scheme:dark){:root{--ink:#fff}.dot{fill:white}}</style>"""


def test_figures_get_what_the_cascade_says_on_paper(weasyprint):
    figure = '<svg><circle id="a" class="dot"/><circle id="b"/><circle id="c" class="dot" style="stroke:gold"/></svg>'
    root = prepared(weasyprint, f"{SHEET}<figure>{figure}</figure>")
    assert style_of(root, "a") == {"fill": "#000", "stroke": "blue"}
    assert style_of(root, "b") == {"fill": "green"}
    assert style_of(root, "c") == {"fill": "#000", "stroke": "gold"}


def test_symbols_of_other_figures_come_along(weasyprint):
    page = '<svg><symbol id="m"><path class="dot" d="M0 0"/></symbol></svg><svg id="user"><use href="#m"/><use href="#gone"/></svg>'
    root = prepared(weasyprint, SHEET + page)
    user = next(figure for figure in root.iter(f"{SVG}svg") if figure.get("id") == "user")
    assert [path.get("style") for path in user.iter(f"{SVG}path")] == ["fill:#000;stroke:red"]


def test_nothing_of_a_report_is_left_to_a_browser(weasyprint, tmp_path):
    page = weasyprint.HTML(filename=str(write(build(example_results()), tmp_path)))
    root = page.etree_element
    coloured = {element.get("class") for element in root.iter(f"{SVG}rect") if element.get("class")}
    prepare(root)
    figures = list(root.iter(f"{SVG}svg"))
    drawn = [element for figure in figures for element in figure.iter()]
    assert not [value for element in drawn for value in element.attrib.values() if "var(" in value]
    assert not [element for element in root.iter() if "hidden" in element.attrib]
    for figure in figures:
        here = {element.get("id") for element in figure.iter()}
        assert all(use.get("href")[1:] in here for use in figure.iter(f"{SVG}use"))
    assert {"worse", "equal", "better"} <= coloured
    assert all("fill:#" in element.get("style", "") for element in root.iter(f"{SVG}rect") if element.get("class") in coloured)
    assert len(page.render().pages) > 2
