"""The written report: safe against hostile names, self-contained, byte-stable, never half there."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from ensemblekit_reports import atomic
from ensemblekit_reports.render import to_html, to_markdown, write
from ensemblekit_reports.render.cells import cells_to_csv
from ensemblekit_reports.render.data import to_json
from ensemblekit_reports.render.strips import fold_strips
from ensemblekit_reports.reporting.report import build
from tests.reports.reporting.synthetic import LEVELS, MODELS, fail, study

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "x" * 300,
    "🦊 | `code` | ](http://evil.test) <!-- {{ 7*7 }} -->",
    "שלום \u202e evil",
    "@SUM(1+1)\n</style></svg><b>",
)


def hostile():
    models = tuple(replace(m, label=name, definition=name) for m, name in zip(MODELS, HOSTILE, strict=True))
    results = study(dict.fromkeys(HOSTILE, LEVELS["iris"]), models)
    facts = [
        replace(t, source=t.name, target=t.name, licence=t.name, class_counts={t.name: 75, "b": 75}, notes=(t.name,))
        for t in results.tables
    ]
    results = fail(results, "voting", 80, HOSTILE[0])
    environment = replace(results.environment, command=HOSTILE[0], versions={HOSTILE[0]: HOSTILE[1]})
    return replace(results, tables=tuple(facts), name=HOSTILE[1], environment=environment, notes=HOSTILE)


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in {"meta", "link", "br", "img", "path", "circle", "rect", "use"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    def handle_endtag(self, tag):
        if tag in {"path", "circle", "rect", "use"}:
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def ordinary():
    return build(fail(study(), "xgboost", 50))


def test_page_is_whole_and_holds_one_script_one_style_and_its_data(ordinary):
    page = Page(to_html(ordinary))
    assert page.open == []
    assert (page.tags.count("script"), page.tags.count("style"), page.tags.count("h1")) == (2, 1, 1)
    assert [value for tag, key, value in page.attributes if (tag, key) == ("script", "type")] == ["application/json"]


def test_hostile_names_add_nothing_that_a_browser_acts_on(ordinary):
    usual, page = Page(to_html(ordinary)), Page(to_html(build(hostile())))
    assert page.open == []
    assert set(page.tags) <= set(usual.tags)
    assert (page.tags.count("script"), page.tags.count("style")) == (2, 1)
    assert {(tag, key) for tag, key, _ in page.attributes} <= {(tag, key) for tag, key, _ in usual.attributes}
    assert not [key for _, key, _ in page.attributes if key.startswith("on") or key in {"src", "style"}]
    assert "<script>alert(1)</script>" in page.text


def test_nothing_is_loaded_from_elsewhere(ordinary):
    links = [value for _, key, value in Page(to_html(ordinary)).attributes if key in {"href", "src", "xlink:href"}]
    assert links
    assert all(link.startswith("#") for link in links)


def test_every_inner_link_has_its_target(ordinary):
    page = Page(to_html(ordinary))
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, key, value in page.attributes if key == "href"} <= set(ids)
    named = {i for _, key, value in page.attributes if key == "aria-labelledby" for i in value.split()}
    assert named <= set(ids)


@pytest.mark.filterwarnings("error")
def test_a_page_without_a_score_promises_no_strip_of_folds():
    results = study({"iris": LEVELS["iris"]})
    for model in MODELS:
        fail(results, model.name, 10)
    report = build(results)
    assert fold_strips(report, report.tables[0]) is None
    assert "each fold:" not in to_html(report)


def test_policy_names_exactly_the_script_and_the_style_of_the_page(ordinary):
    html = to_html(ordinary)
    policy = next(v for _, k, v in Page(html).attributes if k == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_answer_comes_first(ordinary):
    page = Page(to_html(ordinary)).text
    assert page.index(ordinary.answer.answer) < page.index("What a better score costs") < page.index("Leaderboard")
    assert page.index("Leaderboard") < page.index("To make this again")


def test_every_form_carries_answer_reason_and_warning(ordinary):
    for text in (Page(to_html(ordinary)).text, to_markdown(ordinary).replace("\\", ""), to_json(ordinary)):
        assert ordinary.answer.answer in text
        assert "ValueError: no" in text
        assert "too-few-tables" in text
        assert "ensemblekit compare" in text
        assert "ab" * 32 in text


def test_markdown_shows_hostile_names_and_does_nothing_with_them():
    text = to_markdown(build(hostile()))
    bare = re.sub(r"\\[\\`*_\[\]<>|~&$#!@:.]", "", text)
    assert "<" not in bare
    assert "`" not in re.sub(r"`[a-z-]+`", "", bare)
    assert not re.search(r"\]\((?!figures/[\w-]+\.svg\))", bare)
    tables = [line for line in bare.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {11}
    assert "49" not in re.findall(r"{{ .* }}", text)


def test_markdown_tables_have_as_many_cells_as_heads(ordinary):
    lines = re.sub(r"\\\|", "", to_markdown(ordinary)).splitlines()
    for above, line in pairwise(lines):
        if above.startswith("|") and line.startswith("|"):
            assert above.count("|") == line.count("|")


def test_csv_is_inert_and_keeps_every_number():
    cells = hostile().cells
    rows = list(csv.DictReader(io.StringIO(cells_to_csv(cells))))
    assert not [v for row in rows for v in row.values() if v.lstrip(" ")[:1] in set("=+@\t\r") and v]
    assert not [row for row in rows if re.match(r" *-\D", row["dataset"])]
    back = [float(row["accuracy"]) for row in rows if row["accuracy"]]
    assert back == cells["accuracy"].dropna().tolist()
    assert list(rows[0])[:5] == ["dataset", "model", "repeat", "fold", "status"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", " =1", "＝1"])
def test_csv_formula_starts(text):
    assert cells_to_csv(pd.DataFrame({"dataset": [text]})).split("\n", 1)[1].strip('"').startswith("'")


@pytest.mark.parametrize("name", ["=1+1", "@SUM(1)", "+1", "-1"])
def test_names_of_columns_are_no_formulas_either(name):
    assert cells_to_csv(pd.DataFrame({name: [0.5], "probability of " + name: [0.5]})).startswith(f"'{name},probability of {name}\n")


def test_json_is_standard_and_complete(ordinary):
    content = json.loads(to_json(ordinary), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert content["verdict"] == ordinary.verdict
    assert len(content["tables"]) == 5
    assert content["leaderboard"][0]["scores"]["accuracy"]["value"] == ordinary.leaderboard[0].scores["accuracy"].value
    assert content["comparisons"][0]["p"] is None


def test_files_are_equal_for_equal_results(tmp_path):
    for name in ("first", "second"):
        write(build(fail(study(), "xgboost", 50)), tmp_path / name)
    first = sorted(p.relative_to(tmp_path / "first") for p in (tmp_path / "first").rglob("*") if p.is_file())
    assert len(first) > 10
    for path in first:
        assert (tmp_path / "first" / path).read_bytes() == (tmp_path / "second" / path).read_bytes(), path


def test_written_files_and_their_links(tmp_path, ordinary):
    page = write(ordinary, tmp_path)
    assert page == tmp_path / "report.html"
    linked = re.findall(r"\]\((figures/[^)]+)\)", (tmp_path / "report.md").read_text("utf-8"))
    assert linked
    assert all((tmp_path / link).exists() for link in linked)
    assert page.stat().st_size < 600_000
    assert not list(tmp_path.rglob(f"*{atomic.PARTIAL}"))


def test_figures_of_an_earlier_report_go(tmp_path, ordinary):
    write(ordinary, tmp_path)
    (tmp_path / "figures" / "mine.png").write_bytes(b"")
    write(build(study({"iris": LEVELS["iris"]})), tmp_path)
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"pareto.svg", "differences.svg", "mine.png"}


def test_a_full_disk_leaves_the_old_page(tmp_path, ordinary, monkeypatch):
    write(ordinary, tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(build(study(seed=1)), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert not list(tmp_path.rglob(f"*{atomic.PARTIAL}"))


def test_names_that_are_no_text_can_be_written(tmp_path):
    results = study({"iris": LEVELS["iris"]})
    environment = replace(results.environment, command="ensemblekit compare caf\udce9.csv")
    page = write(build(replace(results, environment=environment)), tmp_path)
    assert "caf\\udce9.csv" in page.read_text("utf-8")


@pytest.mark.slow
def test_twenty_models_on_twenty_tables_stay_small(tmp_path):
    models = tuple(replace(MODELS[i % 8], name=f"m{i}", label=f"Model {i}") for i in range(20))
    results = study({f"table {i}": tuple(0.8 + 0.005 * j for j in range(20)) for i in range(20)}, models)
    assert write(build(results), tmp_path).stat().st_size < 1_500_000


def test_folds_that_divide_no_group_and_weights_are_said():
    results = study({"iris": LEVELS["iris"]})
    plain = build(results)
    grouped = build(replace(results, tables=(replace(results.tables[0], groups="<b>who", weights="<b>much"),)))
    assert "divide no group of <bdi>&lt;b&gt;who</bdi>" in to_html(grouped)
    assert "<bdi>&lt;b&gt;much</bdi>: says how much each row counts" in to_html(grouped)
    assert "<b>who" not in to_html(grouped)
    assert "divide no group of" in to_markdown(grouped)
    assert "count by" in to_markdown(grouped)
    assert "divide no group" not in to_html(plain) + to_markdown(plain)
