"""PDF where something can print it, else one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.example import example_results
from ensemblekit_reports.outputs import printing
from ensemblekit_reports.render import write
from ensemblekit_reports.reporting.report import build


@pytest.fixture
def page(tmp_path):
    (tmp_path / "report.html").write_text("<!doctype html><p>A report")
    return tmp_path / "report.html"


def fake_browser(folder, script):
    browser = folder / "browser"
    browser.write_text("#!/bin/sh\n" + script)
    browser.chmod(0o755)
    return str(browser)


PRINTING = """for option; do case $option in --print-to-pdf=*) printf %%PDF-fake > "${option#--print-to-pdf=}";; esac; done\n"""


def test_what_the_browser_prints_lies_beside_the_page(page, tmp_path, monkeypatch):
    monkeypatch.setenv("CHROMIUM", fake_browser(tmp_path, PRINTING))
    assert printing.print_pdf(page) == tmp_path / "report.pdf"
    assert (tmp_path / "report.pdf").read_bytes() == b"%PDF-fake"


def test_a_browser_that_fails_is_a_sentence(page, tmp_path, monkeypatch):
    monkeypatch.setenv("CHROMIUM", fake_browser(tmp_path, "echo >&2 no display\nexit 3\n"))
    with pytest.raises(UserError, match=r"could not print .*report\.html: no display"):
        printing.print_pdf(page)
    assert not (tmp_path / "report.pdf").exists()


def test_a_browser_that_hangs_is_ended(page, tmp_path, monkeypatch):
    monkeypatch.setenv("CHROMIUM", fake_browser(tmp_path, "exec sleep 60\n"))
    monkeypatch.setattr(printing, "SECONDS", 0.2)
    with pytest.raises(UserError, match=r"timed out after 0\.2 seconds"):
        printing.print_pdf(page)


def test_nothing_to_print_with_is_said_before_the_run(page, monkeypatch):
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    monkeypatch.setattr(printing, "find_spec", lambda name: None)
    for attempt in (printing.check_printing, lambda: printing.print_pdf(page)):
        with pytest.raises(UserError, match="--pdf needs Chromium"):
            attempt()


class WeasyPrint:
    """Stands for the module, and for its class of a page."""

    def __init__(self, filename=None):
        self.page = filename

    HTML = property(lambda self: WeasyPrint)

    etree_element = property(lambda self: f"the tree of {Path(self.page).name}")

    def write_pdf(self):
        return b"%PDF of " + Path(self.page).name.encode()


@pytest.fixture
def without_browser(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    monkeypatch.setattr(printing, "find_spec", lambda name: name == "weasyprint")


@pytest.mark.usefixtures("without_browser")
def test_without_a_browser_weasyprint_prints(page, monkeypatch):
    monkeypatch.setattr(printing, "import_module", lambda name: {"weasyprint": WeasyPrint()}[name])
    prepared = []
    monkeypatch.setattr(printing, "prepare", prepared.append)
    printing.check_printing()
    assert printing.print_pdf(page).read_bytes() == b"%PDF of report.html"
    assert prepared == ["the tree of report.html"]


@pytest.mark.usefixtures("without_browser")
def test_a_weasyprint_that_lacks_its_libraries_is_a_sentence(page, monkeypatch):
    def no_pango(name):
        raise OSError(f"cannot load library 'libpango-1.0-0'\n{name} is sorry")

    monkeypatch.setattr(printing, "import_module", no_pango)
    with pytest.raises(UserError, match=r"WeasyPrint could not print .*report\.html: cannot load library 'libpango-1\.0-0'\. Chromium"):
        printing.print_pdf(page)
    assert not page.with_suffix(".pdf").exists()


@pytest.mark.browser
def test_a_real_browser_prints_the_report(tmp_path):
    printed = printing.print_pdf(write(build(example_results()), tmp_path))
    content = printed.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 20_000
