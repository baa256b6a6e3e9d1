"""What the page's script draws from: every measured quantity of every model, safe inside a page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from ensemblekit_reports import wording
from ensemblekit_reports.quantities import COSTS, METRICS, QUANTITIES
from ensemblekit_reports.render import to_html
from ensemblekit_reports.render.explorer import measured, page_data
from ensemblekit_reports.render.heat import SHADES, heat
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.statistics.summaries import Summary
from tests.reports.reporting.synthetic import MODELS, fail, study
from tests.reports.reporting.test_render import HOSTILE, hostile


@pytest.fixture(scope="module")
def report():
    return build(fail(fail(study(), "xgboost", 50), "voting", 3))


def test_every_measured_quantity_can_be_chosen(report):
    columns = set(report.cells.columns[report.cells.notna().any()])
    scores, costs = measured(report.leaderboard)
    assert [q.name for q in scores] == [q.name for q in METRICS if q.name in columns]
    assert [q.name for q in costs] == [q.name for q in COSTS if q.name in columns]
    assert [q["name"] for q in json.loads(page_data(report))["quantities"]] == [q.name for q in scores + costs]


def test_numbers_are_those_of_the_leaderboards(report):
    content = json.loads(page_data(report))
    names, told = [q["name"] for q in content["quantities"]], 0
    assert [table["name"] for table in content["tables"]] == ["all 5 tables", *(s.facts.name for s in report.tables)]
    for table, standings in zip(content["tables"], [report.leaderboard, *(s.standings for s in report.tables)], strict=True):
        by_name = {s.model.name: s for s in standings}
        for cells, model in zip(table["cells"], report.models, strict=True):
            for name, cell in zip(names, cells, strict=True):
                summary = (by_name[model.name].scores | by_name[model.name].costs)[name]
                assert (cell is None) == (summary.n == 0)
                if cell is not None:
                    drawn = Summary(*(np.nan if number is None else number for number in cell), n=summary.n)
                    assert (drawn.value, drawn.low, drawn.high) == pytest.approx(
                        (summary.value, summary.low, summary.high), rel=5.1e-6, nan_ok=True
                    )
                    assert written(drawn, name) == written(summary, name)
                    told += 1
    assert told > 700


def written(summary, name):
    q = QUANTITIES[name]
    if q in METRICS:
        return wording.score(summary, q), wording.score_interval(summary, q)
    return wording.cost(summary.value, q), wording.cost_range(summary, q)


def test_the_static_leaderboard_shows_the_numbers_that_the_script_draws(report):
    content = json.loads(page_data(report))
    quantities = [QUANTITIES[q["name"]] for q in content["quantities"]]
    board = to_html(report).partition('<table class="sortable leaderboard">')[2].partition("</table>")[0]
    heads = re.findall(r'data-name="(\w+)"', board)
    rows = re.findall(r'<tr data-model="(\d+)".*?</tr>', board, re.DOTALL)
    cells = [
        re.findall(r'<td(?: class="h\d")? data-v="([^"]+)"(?: hidden)?>(.*?)</td>', row, re.DOTALL)[1:] for row in board.split("<tr")[2:]
    ]
    assert len(rows) == len(cells) == len(report.models)
    for model, shown in zip(map(int, rows), cells, strict=True):
        assert len(shown) == len(heads)
        for name, (sorted_by, text) in zip(heads, shown, strict=True):
            cell = content["tables"][0]["cells"][model][[q.name for q in quantities].index(name)]
            if cell is None:
                assert (sorted_by, text) == ("nan", "–")
                continue
            drawn = Summary(*(np.nan if number is None else number for number in cell), n=1)
            assert float(sorted_by) == pytest.approx(drawn.value, rel=5.5e-5)
            value, span = written(drawn, name)
            assert text == value + (f"<small>{span or 'no interval'}</small>" if span or QUANTITIES[name] in METRICS else "")


def test_failures_are_told(report):
    table = json.loads(page_data(report))["tables"][0]
    finished = dict(zip((m.name for m in report.models), table["finished"], strict=True))
    assert (finished["xgboost"], finished["voting"], finished["moe"], table["folds"]) == (0, 47, 50, 50)


def test_hostile_names_stay_text():
    text = str(page_data(build(hostile())))
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text)["models"][0]["label"] == HOSTILE[0]


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "predict_single_p50_s", "predict_rows_per_s_100"])
def test_the_best_is_shaded_most_and_the_unfinished_not_at_all(report, name):
    shades, q = heat(report.leaderboard, QUANTITIES[name]), QUANTITIES[name]
    complete = [s for s in report.leaderboard if s.complete]
    values = np.array([(s.scores | s.costs)[name].value for s in complete])
    order = np.argsort(-values if q.higher_is_better else values)
    ordered = [shades[complete[i].model.name] for i in order]
    assert ordered == sorted(ordered, reverse=True)
    assert (ordered[0], ordered[-1]) == (SHADES, 0)
    assert shades["xgboost"] == shades["voting"] == 0


def test_equal_numbers_are_not_shaded():
    report = build(study({"t": (0.9,)}, MODELS[7:]))
    assert heat(report.leaderboard, QUANTITIES["accuracy"]) == {"moe": 0}
