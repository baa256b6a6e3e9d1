"""The page as PDF: printed by a Chromium that is there, or by WeasyPrint; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.weasyprint_page import prepare

#: Under which names systems install it.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
NEEDED = (
    "--pdf needs Chromium (apt install chromium, or any Chrome on the PATH) or WeasyPrint (pip install 'ensemblekit[pdf]'), "
    "and neither is there. Without --pdf there is the page, which any browser prints."
)
#: A page takes seconds; a browser that hangs does not end by itself.
SECONDS = 120


def print_pdf(page: Path) -> Path:
    """Print a report as PDF, beside it.

    Parameters
    ----------
    page : Path
        The HTML file.

    Returns
    -------
    Path
        The same name with the ending ``.pdf``.

    Raises
    ------
    UserError
        When there is nothing to print with, or it fails.

    Examples
    --------
    >>> print_pdf(Path("out/report.html"))  # doctest: +SKIP
    PosixPath('out/report.pdf')
    """
    out = page.with_suffix(".pdf")
    browser = find_browser()
    if browser:
        _print_with_browser(browser, page, out)
    elif find_spec("weasyprint"):
        _print_with_weasyprint(page, out)
    else:
        raise UserError(NEEDED)
    return out


def find_browser() -> str | None:
    """Return the path of a Chromium, or None; the environment variable ``CHROMIUM`` names one that is elsewhere.

    Examples
    --------
    >>> find_browser()  # doctest: +SKIP
    '/usr/bin/chromium'
    """
    named = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, (named,) if named else BROWSERS)), None)


def check_printing() -> None:
    """Say before a run that there is nothing to print its report with.

    Raises
    ------
    UserError
        When there is neither a browser nor WeasyPrint.

    Examples
    --------
    >>> check_printing()  # doctest: +SKIP
    """
    if not (find_browser() or find_spec("weasyprint")):
        raise UserError(NEEDED)


def _print_with_weasyprint(page: Path, out: Path) -> None:
    try:
        parsed = import_module("weasyprint").HTML(filename=str(page))
        prepare(parsed.etree_element)
        printed = parsed.write_pdf()
    except Exception as error:  # it loads Pango and others from the system, which may be missing, and reads the page by its own rules
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"WeasyPrint could not print {page}: {lines[0][:300]}. Chromium can, where it is (apt install chromium)."
        ) from error
    write_bytes(out, printed)


def _print_with_browser(browser: str, page: Path, out: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ensemblekit-print-", ignore_cleanup_errors=True) as scratch:
        printed = Path(scratch) / "page.pdf"
        # A profile of its own, so that no running browser is spoken to. A process of root gets no sandbox from Chromium; the page is
        # ours, holds no foreign script and forbids any.
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--no-first-run", "--disable-background-networking"]
        options += [f"--user-data-dir={scratch}/profile", f"--print-to-pdf={printed}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")
        try:
            command = [browser, *options, page.absolute().as_uri()]
            ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"{browser} could not print {page}: {error}") from None
        if not printed.exists():
            lines = [line for line in ended.stderr.splitlines() if line.strip()] or [f"it ended with {ended.returncode}"]
            raise UserError(f"{browser} could not print {page}: {lines[-1][:300]}")
        write_bytes(out, printed.read_bytes())
