"""Budget advice, the lines that rebuild the winner, and the diagram of ranks."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from statsmodels.stats.multitest import multipletests

from ensemblekit_reports.outputs.refitting import refit
from ensemblekit_reports.quantities import COSTS
from ensemblekit_reports.render import to_html, to_markdown
from ensemblekit_reports.render.pictures import draw
from ensemblekit_reports.reporting.rebuilding import rebuild
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.statistics.multiplicity import holm
from ensemblekit_reports.statistics.several_tables import friedman
from ensemblekit_reports.studies.plan import Plan
from ensemblekit_reports.studies.registry import REGISTRY, REGRESSORS
from ensemblekit_reports.studies.scheme import Scheme
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.tables.table import bundled_table, table_from_file, table_from_frame
from tests.reports.reporting.synthetic import LEVELS, MODELS, fail, study


@pytest.fixture(scope="module")
def report():
    return build(fail(study(), "xgboost", 50))


def test_advice_climbs_in_price_and_by_more_than_does_not_matter(report):
    assert [a.cost.name for a in report.advice] == [c.name for c in COSTS if not c.higher_is_better and report.cells[c.name].notna().any()]
    for advice in report.advice:
        for below, above in pairwise(advice.steps):
            assert below.cost < above.cost
            assert below.score + report.rope < above.score
        # Whatever is affordable and not advised scores hardly better than what is.
        for step, following in pairwise([*advice.steps, None]):
            reach = following.cost if following else np.inf
            affordable = [s for s in report.leaderboard if s.complete and s.costs[advice.cost.name].value < reach]
            assert step.score + report.rope >= max(s.scores["accuracy"].value for s in affordable)
        best = advice.best or advice.steps[-1]
        assert best.score == max(s.scores["accuracy"].value for s in report.leaderboard if s.complete)


@pytest.mark.parametrize(("metric", "rope"), [("accuracy", 0.2), ("log_loss", 5.0)])
def test_where_nothing_dearer_matters_the_cheapest_is_advised(metric, rope):
    advice = next(a for a in build(replace(study(metric=metric), rope=rope)).advice if a.cost.name == "predict_single_p50_s")
    assert [step.model for step in advice.steps] == ["logistic"]
    assert advice.best is not None
    assert advice.best.cost > advice.steps[0].cost
    assert f"is the cheapest; nothing dearer is more than {'20 points' if metric == 'accuracy' else '5 nats'} better" in advice.sentence
    assert f"at most {advice.best.label} (" in advice.sentence


def test_advice_says_what_is_not_shown(report):
    advice = next(a for a in report.advice if a.cost.name == "predict_single_p50_s")
    assert [step.model for step in advice.steps] == ["logistic", "moe"]
    assert advice.steps[1].remark == "clearly better than Logistic regression on 1 of 5 tables"
    assert advice.steps[1].remark in advice.sentence
    assert "XGBoost" not in advice.sentence
    for text in (to_html(report), to_markdown(report)):
        assert "Within a budget" in text


def test_advice_on_one_table_goes_by_the_test():
    results = study({"breast cancer": LEVELS["breast cancer"]})
    report = build(fail(results, "logistic", 10))
    steps = next(a for a in report.advice if a.cost.name == "predict_single_p50_s").steps
    assert [step.model for step in steps] == ["moe"]
    advice = {a.cost.name: a.steps for a in build(study({"regimes": LEVELS["regimes"]})).advice}
    assert [step.remark for step in advice["fit_wall_s"]] == ["", ""]
    tied = build(replace(study({"wine": (0.90, 0.80, 0.80, 0.80, 0.80, 0.80, 0.80, 0.905)}), rope=0.001)).advice[0].steps
    assert [step.remark for step in tied] == ["", "not shown to be better than Logistic regression"]


@pytest.mark.parametrize("name", list(REGISTRY))
def test_definition_and_imports_make_the_model(name):
    facts = REGISTRY[name].facts()
    scope = {}
    exec(facts.imports, scope)  # noqa: S102
    again = eval(facts.definition, scope)  # noqa: S307
    assert type(again) is type(REGISTRY[name].factory(0))
    assert REGISTRY[name].definition() == replace(REGISTRY[name], factory=lambda seed: again).definition()


#: Fitted in a moment, and still by chance.
SMALL = {"random-forest": {"n_estimators": 3}, "moe-boosted": {"n_experts": 2}}


def run(code, **names):
    with redirect_stdout(io.StringIO()) as said:
        exec(code, names)  # noqa: S102
    return said.getvalue()


def test_the_winner_is_rebuilt_from_a_file(tmp_path, monkeypatch):
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.assign(**{"kind of 'flower'": y.map(["se", "ve", "vi"].__getitem__)}).to_csv(tmp_path / "my 'flowers'.csv", index=False)
    monkeypatch.chdir(tmp_path)
    facts = table_from_file((tmp_path / "my 'flowers'.csv"), "kind of 'flower'").facts()
    for name in ("logistic", "random-forest"):
        code = rebuild(REGISTRY[name].facts(), facts)
        assert run(code).startswith("the table of the report: True\n[")
        assert len([line for line in code.splitlines() if line]) <= 13


def test_the_winner_is_rebuilt_from_memory_and_from_the_package():
    frame, answers = pd.DataFrame({"x": range(20)}), pd.Series(["a", "b"] * 10, name="y")
    facts = table_from_frame(frame, answers, name="mine").facts()
    assert "True" in run(rebuild(REGISTRY["logistic"].facts(), facts), X=frame, y=answers)
    assert "True" in run(rebuild(REGISTRY["logistic"].facts(), bundled_table("wine").facts()))


def test_the_lines_make_what_the_study_would_store(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    X, y = load_iris(return_X_y=True, as_frame=True)
    beside = {"who": np.arange(150) // 5, "how often": random.integers(1, 9, 150)}
    X.assign(kind=y, **beside).to_csv(tmp_path / "iris.csv", index=False)
    monkeypatch.chdir(tmp_path)
    read = {"groups": "who", "weights": "how often", "task": "regression"}
    from_file = table_from_file(tmp_path / "iris.csv", "kind", **read)
    series = {kind: pd.Series(beside[name]) for kind, name in (("groups", "who"), ("weights", "how often"))}
    from_memory = table_from_frame(X, y.rename("kind"), name="iris", **series, task="regression")
    for table in (from_file, from_memory):
        for model in (REGRESSORS["ridge"], REGRESSORS["weighted"]):
            scope = {"X": X, "y": y.rename("kind"), **series}
            with redirect_stdout(io.StringIO()) as said:
                exec(rebuild(model.facts(), table.facts()), scope)  # noqa: S102
            assert said.getvalue().startswith("the table of the report: True")
            stored = refit(Plan("p", (table,), (model,), "r2", 0.01, Scheme(1, 3), 0, quick=True), model.name)
            np.testing.assert_allclose(scope["model"].predict(table.X), stored.pipeline.predict(table.X))


@pytest.mark.parametrize("name", ["random-forest", "moe-boosted"])
def test_the_lines_have_the_seed_of_the_study(name):
    table = bundled_table("iris")
    small = replace(REGISTRY[name], factory=lambda seed: REGISTRY[name].factory(seed).set_params(**SMALL[name]))
    scope, other = {}, {}
    for seed, names in ((7, scope), (0, other)):
        with redirect_stdout(io.StringIO()):
            exec(rebuild(small.facts(seed), table.facts()), names)  # noqa: S102
    stored = refit(Plan("p", (table,), (small,), "accuracy", 0.01, Scheme(1, 3), 7, quick=True), name).pipeline.predict_proba(table.X)
    np.testing.assert_array_equal(scope["model"].predict_proba(table.X), stored)
    assert not np.array_equal(other["model"].predict_proba(table.X), stored)
    assert small.facts(7).definition == small.facts(0).definition, "runs of other seeds compare the same models"


def test_an_openml_table_is_named_by_its_number():
    facts = replace(bundled_table("iris").facts(), origin="openml", source="OpenML 61 (iris, version 1)", target="class")
    code = rebuild(REGISTRY["logistic"].facts(), facts)
    assert "table = openml_table(61, target='class', task='classification')" in code
    assert "from ensemblekit_reports.tables.openml import openml_table" in code


def test_where_the_lines_would_make_another_model_there_are_none():
    facts = bundled_table("iris").facts()
    assert rebuild(REGISTRY["logistic"].tuned_by(Tuning(3, metric="accuracy")).facts(), facts) == ""
    assert rebuild(REGISTRY["logistic"].facts(), replace(facts, origin="")) == ""
    assert rebuild(REGISTRY["logistic"].facts(), facts)


def test_a_report_shows_the_lines_of_its_first(report):
    models = tuple(replace(m, preprocessing="linear", imports="import this_and_that", definition="That('<b>')") for m in MODELS)
    text = to_html(build(study({"iris": LEVELS["iris"]}, models)))
    assert "import this_and_that" in text
    assert "That(&#39;&lt;b&gt;&#39;)" in text
    assert report.rebuild == ""


def test_holm_is_statsmodels_own():
    p = np.random.default_rng(0).uniform(0, 0.3, 40).round(2)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-12)


def test_ranks_are_drawn_from_six_tables_on():
    levels = {f"table {i}": tuple(level + 0.01 * (i % 3) for level in LEVELS["regimes"]) for i in range(6)}
    report = build(study(levels))
    drawing = draw(report).ranks
    assert drawing.description.startswith("Mixture of experts 1.0; ")
    assert "Mixture of experts  1.0" in drawing.svg
    assert "#000000" not in drawing.svg
    assert "Mean ranks" in to_html(report)
    assert "figures/ranks.svg" in to_markdown(report)
    assert draw(build(study())).ranks is None


def test_pairs_of_ranks_are_wilcoxons_and_adjusted_together():
    scores = np.random.default_rng(0).normal([0, 0, 1, 3], 1, (8, 4))
    pairs = np.array(friedman(scores).pairs)
    first, second = np.triu_indices(4, 1)
    plain = [stats.wilcoxon(scores[:, i], scores[:, j]).pvalue for i, j in zip(first, second, strict=True)]
    np.testing.assert_allclose(pairs[first, second], multipletests(plain, method="holm")[1])
    np.testing.assert_array_equal(pairs, pairs.T)
