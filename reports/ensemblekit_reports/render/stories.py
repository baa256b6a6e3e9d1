"""What the page tells of mixtures and ensembles: sentences, rows of text and drawings, made from insights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ensemblekit_reports import wording
from ensemblekit_reports.figures.colours import model_positions
from ensemblekit_reports.figures.ensembles import draw_sizes
from ensemblekit_reports.figures.learning import draw_learning
from ensemblekit_reports.figures.mixtures import draw_drivers, draw_load, draw_map, draw_trace
from ensemblekit_reports.insights import sentences
from ensemblekit_reports.insights.plain import EnsembleInsight, ExplainedRow, MixtureInsight
from ensemblekit_reports.reporting.learning import CurvePoint, LearningCurve, still_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.figures.svg import Drawing
    from ensemblekit_reports.reporting.report import Report

#: Mixtures on a table, tables of ensembles and of learning curves that are told in full, with few tables; and the same over all tables.
MOST = {"mixtures": 4, "ensembles": 3, "learning": 6}
_IN_ALL = {"mixtures": 20, "ensembles": 20, "learning": 60}
_ABOUT_DRIVERS = (
    "What drives the gate: points by which an expert's share of a row changes, on average, when the column is shuffled among the rows. "
    "To the right: the expert is likelier where the column is higher; to the left: where it is lower; with a name: in that category."
)


@dataclass(frozen=True)
class Picture:
    """A drawing with what is written beneath it.

    Parameters
    ----------
    drawing : Drawing
    caption : str
    """

    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class MixtureStory:
    """A mixture on a table.

    Parameters
    ----------
    insight : MixtureInsight
    label : str
        What the reader calls the mixture.
    headline : str
        Whether the gate chooses.
    sentences : tuple of str
        What it looks at, what each expert does, how the fit went.
    pictures : tuple of Picture
        Empty where the story is not told in full.
    """

    insight: MixtureInsight
    label: str
    headline: str
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class EnsembleStory:
    """Ensembles of the same members on a table.

    Parameters
    ----------
    insights : tuple of EnsembleInsight
    labels : tuple of str
        What the reader calls them.
    headline : str
        How the members err.
    sentences : tuple of str
        What they count, and what each ensemble gains.
    pictures : tuple of Picture
        Empty where the story is not told in full.
    """

    insights: tuple[EnsembleInsight, ...]
    labels: tuple[str, ...]
    headline: str
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class LearningStory:
    """The learning curves of a table.

    Parameters
    ----------
    table : str
    sentence : str
        Whether more rows should help.
    curves : tuple of LearningCurve
    pictures : tuple of Picture
        Empty where the story is not told in full.
    """

    table: str
    sentence: str
    curves: tuple[LearningCurve, ...]
    pictures: tuple[Picture, ...]

    @property
    def longest(self) -> tuple[CurvePoint, ...]:
        """Return the points of a model that finished the most of them."""
        return max((curve.points for curve in self.curves), key=len)


@dataclass(frozen=True)
class Stories:
    """All that is told of mixtures and ensembles.

    Parameters
    ----------
    mixtures : tuple of MixtureStory
        Those of the mixture in question first.
    ensembles : tuple of EnsembleStory
    learning : tuple of LearningStory

    Examples
    --------
    >>> Stories().drawings()
    ()
    """

    mixtures: tuple[MixtureStory, ...] = ()
    ensembles: tuple[EnsembleStory, ...] = ()
    learning: tuple[LearningStory, ...] = ()

    def drawings(self) -> tuple[Drawing, ...]:
        """Return every drawing."""
        pictures = [story.pictures for story in self.mixtures] + [story.pictures for story in self.ensembles]
        pictures += [story.pictures for story in self.learning]
        return tuple(picture.drawing for told in pictures for picture in told)


def most_in_full(kind: str, n_tables: int) -> int:
    """Return how many stories are told in full: the page is to stay small with many tables, whose own sections grow.

    Examples
    --------
    >>> [most_in_full("mixtures", n_tables) for n_tables in (1, 5, 10, 20, 100)]
    [4, 4, 2, 1, 1]
    """
    return max(1, min(MOST[kind], _IN_ALL[kind] // n_tables))


def tell(report: Report) -> Stories:
    """Tell of the mixtures and ensembles of a report.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Stories

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> tell(build(example_results())).mixtures
    ()
    """
    mixtures = [insight for insight in report.insights if isinstance(insight, MixtureInsight)]
    mixtures.sort(key=lambda insight: insight.model != report.answer.focus)
    told = tuple(_mixture(report, insight, i) for i, insight in enumerate(mixtures, start=1))
    ensembles = [insight for insight in report.insights if isinstance(insight, EnsembleInsight)]
    ordered = sorted(ensembles, key=lambda insight: _table(report, insight))
    groups = [tuple(group) for _, group in groupby(ordered, key=_members)]
    return Stories(told, tuple(_ensembles(report, group, i) for i, group in enumerate(groups, start=1)), _learning(report))


def _learning(report: Report) -> tuple[LearningStory, ...]:
    labels, places = {model.name: model.label for model in report.models}, model_positions(report.models)
    found = []
    for i, (table, group) in enumerate(groupby(report.learning, key=lambda curve: curve.table), start=1):
        curves, where = tuple(group), wording.name(table, 40)
        drawing = (
            draw_learning(curves, labels, places, report.quantity, f"learning-{i}", where)
            if i <= most_in_full("learning", len(report.tables))
            else None
        )
        pictures = (Picture(drawing, "Mean score on the folds of the first repeat, by the number of rows learnt from."),) if drawing else ()
        found.append(LearningStory(table, still_rising(curves, labels, report.quantity.name, report.rope), curves, pictures))
    return tuple(found)


def _table(report: Report, insight: EnsembleInsight) -> int:
    return [section.facts.name for section in report.tables].index(insight.dataset)


def _members(insight: EnsembleInsight) -> tuple[object, ...]:
    return insight.dataset, tuple((member.name, member.score) for member in insight.members), insight.correlation


def _label(report: Report, model: str) -> str:
    return next((facts.label for facts in report.models if facts.name == model), model)


def _mixture(report: Report, insight: MixtureInsight, position: int) -> MixtureStory:
    label = wording.name(_label(report, insight.model))
    experts = [sentences.expert_sentence(k, expert, insight.score_name, insight.n_rows) for k, expert in enumerate(insight.experts)]
    said = [sentences.what_it_looks_at(insight), *experts, sentences.how_it_was_fitted(insight)]
    pictures = _mixture_pictures(insight, label, position) if position <= most_in_full("mixtures", len(report.tables)) else ()
    return MixtureStory(insight, label, sentences.how_it_chooses(insight), tuple(filter(None, said)), pictures)


def _mixture_pictures(insight: MixtureInsight, label: str, position: int) -> tuple[Picture, ...]:
    name, where = f"mixture-{position}", f"{label} on {wording.name(insight.dataset, 40)}"
    pictures = [Picture(draw_map(insight.maps[0], f"{name}-map", where), _about_the_map(insight))] if insight.maps else []
    pictures.append(Picture(draw_load(insight, f"{name}-load", where), f"Load: mean gate probability over {insight.n_rows:,} test rows."))
    if len(insight.steps) > 1:
        pictures.append(Picture(draw_trace(insight, f"{name}-trace", where), _about_the_trace(insight)))
    drivers = draw_drivers(insight, f"{name}-drivers", where)
    return (*pictures, Picture(drivers, _ABOUT_DRIVERS)) if drivers else tuple(pictures)


def _about_the_trace(insight: MixtureInsight) -> str:
    if insight.bank == "BoostedExperts":
        return "Fit: the likelihood after every round of boosting. It need not level off: rows held out say when to stop."
    return "Fit: the curve should be flat at its end; a rise there asks for more steps."


def _about_the_map(insight: MixtureInsight) -> str:
    said = "Which expert leads where, over two of the columns that drive the gate most; darker where it has nine tenths. Dots: rows."
    border = " Thick line: where the mixture's answer changes." if insight.maps[0].answers else ""
    others = len(sentences.driving_columns(insight)) > len(insight.maps[0].columns)
    return f"{said}{border}{' Every other column is held at its median or most frequent value.' if others else ''}"


def _ensembles(report: Report, insights: Sequence[EnsembleInsight], position: int) -> EnsembleStory:
    labels = [wording.name(_label(report, insight.model)) for insight in insights]
    pairs = list(zip(insights, labels, strict=True))
    said = [sentences.how_it_weighs(*pair) for pair in pairs] + [sentences.what_it_gains(*pair) for pair in pairs]
    pictures: tuple[Picture, ...] = ()
    if position <= most_in_full("ensembles", len(report.tables)):
        places = model_positions(report.models)
        positions = [places.get(insight.model, 0) for insight in insights]
        where = wording.name(insights[0].dataset, 40)
        drawing = draw_sizes(insights, labels, positions, f"ensemble-{position}-sizes", where)
        band = "; band: from the worst choice to the best" if len(insights) == 1 else ""
        tested = wording.count(insights[0].n_rows, "test row")
        caption = f"Smaller ensembles of the same fitted members, on {tested}. Line: mean over all choices of that many members{band}."
        pictures = (Picture(drawing, caption),) if drawing else ()
    return EnsembleStory(tuple(insights), tuple(labels), sentences.how_members_err(insights[0]), tuple(said), pictures)


def why(row: ExplainedRow) -> str:
    """Say in one sentence where a row went.

    Parameters
    ----------
    row : ExplainedRow

    Returns
    -------
    str

    Examples
    --------
    >>> why(ExplainedRow(310, "typical", 1, 0, (0.04, 0.96), -0.2, (), 0.0, "no", "no"))
    'Row 310, typical of expert 1: it went to expert 1 (96 %), next was expert 0 (4 %). True answer no, the mixture says no.'
    """
    kind = f"typical of expert {row.expert}" if row.kind == "typical" else "a doubtful one"
    went, rival = sentences.percent(row.proba[row.expert]), sentences.percent(row.proba[row.rival])
    truth, answer = wording.name(row.truth, 30), wording.name(row.answer, 30)
    return (
        f"Row {row.row}, {kind}: it went to expert {row.expert} ({went}), next was expert {row.rival} ({rival}). "
        f"True answer {truth}, the mixture says {answer}."
    )
