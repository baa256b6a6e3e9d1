"""The report as files: one page, one text, two tables of numbers and the figures, all from the same plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.render.cells import cells_to_csv, cells_to_parquet
from ensemblekit_reports.render.data import to_json
from ensemblekit_reports.render.markdown import text
from ensemblekit_reports.render.page import page
from ensemblekit_reports.render.pictures import draw

if TYPE_CHECKING:
    from pathlib import Path

    from ensemblekit_reports.reporting.report import Report

__all__ = ["to_html", "to_json", "to_markdown", "write"]


def to_html(report: Report) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Opens offline; holds its styles, figures and script and forbids everything else.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> to_html(build(example_results())).splitlines()[0]
    '<!doctype html>'
    """
    return page(report, draw(report))


def to_markdown(report: Report) -> str:
    """Return the report as Markdown, its figures linked as files under ``figures/``.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        GitHub-flavoured Markdown.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> to_markdown(build(example_results())).splitlines()[0]
    '# Is Mixture of experts worth it on this table?'
    """
    return text(report, draw(report))


def write(report: Report, directory: Path) -> Path:
    """Write the report into a folder, every file whole or not at all.

    Parameters
    ----------
    report : Report
    directory : Path
        Made where it is missing. Files of an earlier report are replaced, figures that are no longer drawn removed.

    Returns
    -------
    Path
        ``report.html``, written last: where it is new, the other files are too.

    Raises
    ------
    OSError
        When the folder cannot be written to.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> with TemporaryDirectory() as folder:
    ...     _ = write(build(example_results()), Path(folder))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['figures', 'report.html', 'report.md', 'results.csv', 'results.json', 'results.parquet']
    """
    pictures = draw(report)
    figures = directory / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for drawing in pictures.all():
        _write(figures / f"{drawing.name}.svg", drawing.standalone())
    _write(directory / "results.csv", cells_to_csv(report.cells))
    write_bytes(directory / "results.parquet", cells_to_parquet(report.cells))
    _write(directory / "results.json", to_json(report))
    _write(directory / "report.md", text(report, pictures))
    _write(directory / "report.html", page(report, pictures))
    _remove_others(figures, {f"{drawing.name}.svg" for drawing in pictures.all()})
    return directory / "report.html"


def _write(path: Path, content: str) -> None:
    # A file name may hold bytes that are no text; Python carries them as lone surrogates, which UTF-8 refuses.
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def _remove_others(figures: Path, kept: set[str]) -> None:
    for path in figures.glob("*.svg"):
        if path.name not in kept:
            path.unlink()
