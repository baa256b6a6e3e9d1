"""The sections of mixtures and ensembles: there when there is something to tell, inert, and no longer than they may be."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.example import example_results
from ensemblekit_reports.insights import sentences
from ensemblekit_reports.insights.choosing import with_gate_columns
from ensemblekit_reports.insights.plain import Expert
from ensemblekit_reports.render import to_html, to_json, to_markdown
from ensemblekit_reports.render.stories import most_in_full, tell
from ensemblekit_reports.reporting.report import Report, build
from tests.reports.insights import made_up

HOSTILE = "<script>alert(1)</script> $\\frac{1}{0}$ `|` [a](javascript:x) \u202e{{ 7 * 7 }}" + "x" * 300


def report_of(*insights: object, tables: tuple[str, ...] = ("moons",)) -> Report:
    return build(replace(example_results(tables), insights=insights))


@pytest.fixture(scope="module")
def told() -> Report:
    return report_of(made_up.mixture(), made_up.ensemble())


@pytest.fixture(scope="module")
def page(told: Report) -> str:
    return to_html(told)


def test_sections_and_their_sentences_are_in_page_and_text(told: Report, page: str) -> None:
    text = to_markdown(told).replace("\\", "")
    for said in (
        "What the mixtures do",
        "Expert 0 answers for 60 % of the rows, mainly where age is pay.",
        "On the 48 rows that it leads it is right in 90 %, on the others it would be in 50 %.",
        "Row 3, typical of expert 0: it went to expert 0 (90 %), next was expert 1 (10 %).",
        "What the ensembles do",
        "Averaging is right in 93 % of 80 rows, its best member alone, forest, in 91 %.",
    ):
        assert said in page, said
        assert said in text, said
    assert "× 7.4" in page
    assert "mixture-1-map" in page


def test_nothing_to_tell_leaves_no_section() -> None:
    page = to_html(report_of())
    assert "What the mixtures do" not in page
    assert "What the ensembles do" not in page


def test_hostile_names_do_nothing() -> None:
    names = (HOSTILE, HOSTILE + "2")
    report = report_of(made_up.mixture(names=names), made_up.ensemble(names=names))
    page, text = to_html(report), to_markdown(report)
    assert "<script>alert" not in page
    assert not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"(?<!\\)\]\((?!figures/)", text)
    assert "49" not in sentences.what_it_looks_at(made_up.mixture(names=names))
    assert "\u202e" not in page
    assert "x" * 100 not in page.split('id="h-mixtures"')[1].split('id="warnings"')[0]


def test_the_same_insights_give_the_same_bytes(page: str) -> None:
    assert to_html(report_of(made_up.mixture(), made_up.ensemble())) == page


def test_many_tables_are_told_in_numbers() -> None:
    tables = tuple(f"t{i}" for i in range(8))
    report = report_of(*(kind(table) for table in tables for kind in (made_up.mixture, made_up.ensemble)), tables=tables)
    stories = tell(report)
    assert sum(bool(story.pictures) for story in stories.mixtures) == most_in_full("mixtures", 8) == 2
    assert sum(bool(story.pictures) for story in stories.ensembles) == most_in_full("ensembles", 8) == 2
    page, text = to_html(report), to_markdown(report)
    assert page.count("Told in full below for the first 2") == text.count("Told in full for the first 2") == 2
    section = page.split('id="h-mixtures"')[1].split('id="h-ensembles"')[0]
    rest = page.split('id="h-ensembles"')[1].split('id="warnings"')[0]
    assert all(f"<bdi>{table}</bdi>" in section and f"<bdi>{table}</bdi>" in rest for table in tables)
    assert all(f"| {table} | 2 | 0.80 |" in text for table in tables)


def test_the_mixture_in_question_comes_first() -> None:
    report = report_of(made_up.mixture(model="logistic"), made_up.mixture(model="moe"))
    assert report.answer.focus == "moe"
    assert [story.insight.model for story in tell(report).mixtures] == ["moe", "logistic"]


def test_ensembles_of_other_members_are_told_apart() -> None:
    same, other = made_up.ensemble(model="moe"), made_up.ensemble(names=("forest", "other"), model="logistic")
    assert [story.insights for story in tell(report_of(made_up.ensemble(), same, other)).ensembles] == [
        (made_up.ensemble(), same),
        (other,),
    ]


def test_grids_stay_out_of_the_numbers_for_programs() -> None:
    assert '"maps"' not in to_json(report_of(made_up.mixture()))
    assert '"contributions"' in to_json(report_of(made_up.mixture()))


@pytest.mark.parametrize(
    ("effective", "per_row", "said"),
    [(1.02, 1.01, "has collapsed: expert 0"), (2.0, 1.9, "hardly chooses"), (2.0, 1.1, "divides the rows")],
)
def test_a_gate_is_called_what_it_is(effective: float, per_row: float, said: str) -> None:
    assert said in sentences.how_it_chooses(replace(made_up.mixture(), effective=effective, effective_per_row=per_row))


def test_an_expert_that_nobody_asks() -> None:
    idle = Expert(0.0, 0.0, 0, None, 0.5, None)
    assert sentences.expert_sentence(3, idle, "accuracy", 80) == "Expert 3 answers for 0 % of the rows and leads in none."


def test_regressors_are_told_by_their_error() -> None:
    expert = replace(made_up.mixture().experts[0], own=1.23456, elsewhere=20.0)
    assert "On the 48 rows that it leads its error is 1.2, on the others it would be 20." in sentences.expert_sentence(
        0, expert, "rmse", 80
    )
    assert "The error of Averaging is 0.93" in sentences.what_it_gains(replace(made_up.ensemble(), score_name="rmse"), "Averaging")


def test_the_reader_chooses_the_columns_of_the_map() -> None:
    one = made_up.mixture()
    other = replace(one.maps[0], columns=("pay", "sex, or so"))
    two = replace(one, maps=(one.maps[0], other))
    for asked in ("sex, or so,pay", "pay,sex, or so"):
        first, second, third = with_gate_columns((two, made_up.ensemble(), one), asked)
        assert [grid.columns for grid in first.maps] == [("pay", "sex, or so"), ("age", "pay")]
        assert (second, third) == (made_up.ensemble(), one)
    with pytest.raises(UserError, match="no gate map over 'age,height' is stored; stored are moons: age,pay"):
        with_gate_columns((one,), "age,height")
