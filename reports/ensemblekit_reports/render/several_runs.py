"""Several runs as one page and one text, in the report's own style."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ensemblekit_reports import wording
from ensemblekit_reports.atomic import write_bytes
from ensemblekit_reports.figures.colours import style_sheet
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.render.markdown import escape
from ensemblekit_reports.render.page import policy
from ensemblekit_reports.render.templating import environment

if TYPE_CHECKING:
    from pathlib import Path

    from ensemblekit_reports.reporting.several_runs import CommonTable, SideBySide

#: Costs that are laid side by side; the others are in each run's own report.
SHOWN_COSTS = ("fit_wall_s", "predict_single_p50_s", "size_bytes")
#: Name of the files, without ending.
NAME = "side-by-side"


def write_runs(found: SideBySide, directory: Path) -> Path:
    """Write the page and the text of several runs.

    Parameters
    ----------
    found : SideBySide
    directory : Path
        Made where it is missing.

    Returns
    -------
    Path
        The page, ``side-by-side.html``; the text lies beside it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for ending, text in ((".md", runs_to_markdown(found)), (".html", runs_to_html(found))):
        write_bytes(directory / f"{NAME}{ending}", text.encode("utf-8", "backslashreplace"))
    return directory / f"{NAME}.html"


def runs_to_html(found: SideBySide) -> str:
    """Return several runs as one self-contained page without a script."""
    engine = environment(autoescape=True)
    style = style_sheet() + engine.get_template("report.css").render()
    # Markup for the project's own style alone; every other text is escaped.
    words = {"style": Markup(style), "policy": policy(style, "")}  # noqa: S704
    return engine.get_template("several_runs.html.j2").render(**_words(found), **words)


def runs_to_markdown(found: SideBySide) -> str:
    """Return several runs as Markdown."""
    engine = environment(autoescape=False)
    engine.filters["md"] = escape
    text = engine.get_template("several_runs.md.j2").render(**_words(found))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _words(found: SideBySide) -> dict[str, Any]:
    def pairing(table: CommonTable) -> str:
        """Say of which later runs the folds are those of the first."""
        letters = [run.letter for run in found.runs[1:]]
        same = [letter for letter, paired in zip(letters, table.paired, strict=True) if paired]
        other = [letter for letter in letters if letter not in same]
        said = (
            [f"Same folds in A and {wording.listing(same)}: differences are paired by fold. Positive: the later run is better."]
            if same
            else []
        )
        if other:
            said.append(
                f"Other folds in {wording.listing(other)} than in A: its differences are unpaired, and have no interval and no test."
            )
        return " ".join(said)

    return {
        "found": found,
        "headline": headline(found),
        "pairing": pairing,
        "shown_costs": [QUANTITIES[name] for name in SHOWN_COSTS],
    }


def headline(found: SideBySide) -> str:
    """Say in one sentence how far the later runs differ from the first.

    Parameters
    ----------
    found : SideBySide

    Returns
    -------
    str
    """
    changes = [change for table in found.tables for row in table.rows for change in row.changes if change is not None]
    if not found.tables:
        return "The runs have no table in common."
    if not changes:
        return "The runs have no model in common."
    tested = [change for change in changes if change.call != "not tested"]
    if not tested:
        return f"{wording.count(len(changes), 'common score')}, none of them on the same folds: nothing is tested."
    clear = [change for change in tested if change.call in {"better", "worse"}]
    if all(change.call == "practically equal" for change in tested):
        return f"Practically equal in {wording.count(len(tested), 'paired comparison')}."
    if not clear:
        return f"No difference shown in {wording.count(len(tested), 'paired comparison')}."
    better = sum(change.call == "better" for change in clear)
    return f"{better} better and {len(clear) - better} worse than in run A, of {wording.count(len(tested), 'paired comparison')}."
