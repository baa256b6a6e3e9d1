"""The report as Markdown that a code host renders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ensemblekit_reports.render.templating import environment

if TYPE_CHECKING:
    from ensemblekit_reports.render.pictures import Pictures
    from ensemblekit_reports.reporting.report import Report

_SIGNS = re.compile(r"([\\`*_\[\]<>|~&$#!@])")
_LINKS = re.compile(r"(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def escape(text: str) -> str:
    r"""Write a foreign text so that Markdown shows it and does nothing with it.

    Examples
    --------
    >>> print(escape("a|b `c` <script> http://x.test"))
    a\|b \`c\` \<script\> http\://x.test
    """
    return _LINKS.sub(lambda found: "\\" + found.group(), _SIGNS.sub(r"\\\1", " ".join(text.split())))


def text(report: Report, pictures: Pictures) -> str:
    """Render the report as Markdown.

    Parameters
    ----------
    report : Report
    pictures : Pictures
        The figures, linked as ``figures/NAME.svg``.

    Returns
    -------
    str

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.render.pictures import draw
    >>> from ensemblekit_reports.reporting.report import build
    >>> report = build(example_results())
    >>> "| Mixture of experts |" in text(report, draw(report))
    True
    """
    # Autoescaping is for HTML; here every foreign text passes through `escape` in the template.
    engine = environment(autoescape=False)
    engine.filters["md"] = escape
    rendered = engine.get_template("report.md.j2").render(report=report, pictures=pictures)
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"
