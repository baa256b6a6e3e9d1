"""What somebody who gets a stored model should know of it: a page of Markdown beside the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ensemblekit_reports.render.markdown import escape
from ensemblekit_reports.render.templating import environment
from ensemblekit_reports.reporting.comparisons import facing

if TYPE_CHECKING:
    from ensemblekit_reports.outputs.stored_model import StoredModel
    from ensemblekit_reports.reporting.report import Report

_KINDS = {
    "mixture": "A mixture of experts",
    "ensemble": "An ensemble",
    "single": "A single model",
    "compressed": "A compressed variant of a model",
}


def model_card(report: Report, stored: StoredModel, file: str) -> str:
    """Write the card of a model that a comparison chose.

    skops' own card is a template that is filled in by hand; this one says what the comparison measured, in its words.

    Parameters
    ----------
    report : Report
        Of a study of one table.
    stored : StoredModel
        A model of it, fitted on all rows.
    file : str
        Name of the file that the model is in.

    Returns
    -------
    str
        Markdown, names of strangers escaped.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> from ensemblekit_reports.outputs.stored_model import StoredModel
    >>> from ensemblekit_reports.outputs.table_encoding import TableEncoding
    >>> facts = {"definition": "LogisticRegression()", "versions": {}, "seed": 0}
    >>> stored = StoredModel(None, TableEncoding((), "moon"), ("lower", "upper"), "logistic", facts)
    >>> print(model_card(build(example_results()), stored, "model.skops").splitlines()[0])
    # Logistic regression
    """
    engine = environment(autoescape=False)
    engine.filters["md"] = escape
    (section,) = report.tables
    standing = next(s for s in section.standings if s.model.name == stored.name)
    others = [s.model.name for s in section.standings if s.model.name != stored.name]
    judged = [facing(section.comparisons, stored.name, other) for other in others]
    text = engine.get_template("model_card.md.j2").render(
        report=report,
        stored=stored,
        standing=standing,
        facts=section.facts,
        against=[comparison for comparison in judged if comparison is not None],
        findings=[finding for finding in report.warnings if not finding.models or stored.name in finding.models],
        labels={model.name: model.label for model in report.models},
        kinds=_KINDS,
        file=file,
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
