"""Which figures a report has, drawn once for all its forms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import matplotlib as mpl

from ensemblekit_reports import wording
from ensemblekit_reports.figures.colours import model_positions
from ensemblekit_reports.figures.differences import Row, draw_differences
from ensemblekit_reports.figures.pareto import draw_pareto
from ensemblekit_reports.figures.ranks import draw_ranks
from ensemblekit_reports.render.stories import Stories, tell
from ensemblekit_reports.reporting.comparisons import UNTESTED
from ensemblekit_reports.settled import settled_objects

if TYPE_CHECKING:
    from ensemblekit_reports.figures.svg import Drawing
    from ensemblekit_reports.reporting.report import Report, TableSection
    from ensemblekit_reports.reporting.sentences import Statement


@dataclass(frozen=True)
class Pictures:
    """The figures of a report.

    Parameters
    ----------
    pareto : Drawing or None
        Score against cost over all tables.
    differences : tuple of Drawing
        One table: the model in question against every other. Several: against each rival of the verdict, by table.
    tables : tuple of (Drawing or None)
        For each table of several: the model in question against every other. Empty for a single table.
    stories : Stories
        Of mixtures and ensembles.
    ranks : Drawing or None
        Mean ranks of the complete models, from six tables on.
    """

    pareto: Drawing | None
    differences: tuple[Drawing, ...]
    tables: tuple[Drawing | None, ...]
    stories: Stories = field(default_factory=Stories)
    ranks: Drawing | None = None

    def all(self) -> tuple[Drawing, ...]:
        """Return every figure there is."""
        every = (self.pareto, *self.differences, self.ranks, *self.tables, *self.stories.drawings())
        return tuple(drawing for drawing in every if drawing is not None)


def draw(report: Report) -> Pictures:
    """Draw the figures of a report.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Pictures

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> [drawing.name for drawing in draw(build(example_results(("moons", "rings")))).all()][:4]
    ['pareto', 'differences-1', 'differences-2', 'table-1-differences']
    """
    # A reader's own matplotlib settings must change neither the look nor a byte of the report.
    with mpl.rc_context(), settled_objects():
        mpl.rcdefaults()
        return replace(_draw(report), stories=tell(report))


def _draw(report: Report) -> Pictures:
    positions = model_positions(report.models)
    several = len(report.tables) > 1
    where = wording.count(len(report.tables), "table") if several else wording.name(report.tables[0].facts.name)
    pareto = draw_pareto(report.leaderboard, report.quantity, positions, "pareto", where)
    if not several:
        only = _against_all(report, report.tables[0], positions, "differences")
        return Pictures(pareto, (only,) if only else (), ())
    ranked = [standing.model for standing in report.leaderboard if standing.complete]
    by_rival = [
        _by_table(report, statement, positions, f"differences-{i}") for i, statement in enumerate(report.answer.statements, start=1)
    ]
    return Pictures(
        pareto,
        tuple(drawing for drawing in by_rival if drawing is not None),
        tables=tuple(
            _against_all(report, section, positions, f"table-{i}-differences") for i, section in enumerate(report.tables, start=1)
        ),
        ranks=draw_ranks(report.friedman, ranked, positions, "ranks") if report.friedman else None,
    )


def _against_all(report: Report, section: TableSection, positions: dict[str, int], name: str) -> Drawing | None:
    labels = {model.name: model.label for model in report.models}
    rows = [Row(labels[c.second], c.gain, c.low, c.high, c.call, positions[c.second]) for c in report.against_focus(section.comparisons)]
    first = labels.get(report.answer.focus, "")
    title = f"{wording.name(first)} against the other models on {wording.name(section.facts.name)}"
    return draw_differences(rows, report.quantity, report.rope, name, first, title)


def _by_table(report: Report, statement: Statement, positions: dict[str, int], name: str) -> Drawing | None:
    labels = {model.name: model.label for model in report.models}
    overall = statement.comparison
    rows = [Row(table, c.gain, c.low, c.high, c.call, positions[overall.second]) for table, c in statement.on_tables]
    call = "" if overall.call == UNTESTED else overall.call
    rows.append(Row("Mean of the tables", overall.gain, overall.low, overall.high, call, None, summary=True))
    first = labels[overall.first]
    title = f"{wording.name(first)} against {wording.name(labels[overall.second])}, table by table"
    return draw_differences(rows, report.quantity, report.rope, name, first, title)
