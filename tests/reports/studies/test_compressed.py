"""Variants are rows of their own, fitted inside the folds, and known to whom they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ensemblekit.compression import DistilledClassifier, PrunedClassifier, QuantizedRegressor
from ensemblekit_reports import compare
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.example import example_results
from ensemblekit_reports.figures.colours import model_positions
from ensemblekit_reports.figures.pareto import draw_pareto
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.render import write
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.reporting.standings import on_table
from ensemblekit_reports.studies.compressed import with_compressed
from ensemblekit_reports.studies.portable import from_portable, to_portable
from ensemblekit_reports.studies.registry import find_models
from ensemblekit_reports.studies.study_file import study_from_toml


def names(models, task="classification"):
    return [model.name for model in with_compressed(find_models(models, task), compress=True, tuned=False)]


def test_what_can_be_done_is_done_and_nothing_else():
    assert names(["logistic", "lightgbm", "averaging"])[2:] == ["averaging", "averaging-pruned", "averaging-distilled", "averaging-int8"]
    assert names(["stacking"]) == ["stacking", "stacking-distilled"]
    assert names(["voting"]) == ["voting", "voting-pruned", "voting-int8"]  # hard votes are no probabilities
    assert names(["voting"], "regression") == ["voting", "voting-distilled"]  # a median has no packed form
    assert with_compressed(find_models(["moe"]), compress=False, tuned=False) == find_models(["moe"])


def test_variants_are_made_of_their_parent_with_the_seed_of_the_fold_also_in_another_process():
    for task, index, kind in [
        ("classification", 1, PrunedClassifier),
        ("classification", 2, DistilledClassifier),
        ("regression", 3, QuantizedRegressor),
    ]:
        variant = with_compressed(find_models(["moe-boosted"], task), compress=True, tuned=False)[index]
        assert variant.facts().parent == "moe-boosted"
        for model in (variant, from_portable(to_portable(variant))):
            estimator = model.factory(7)
            assert type(estimator) is kind
            seeds = {value for name, value in estimator.get_params().items() if name.split("__")[-1] == "random_state"}
            assert seeds == {7}


def test_studies_that_cannot_have_variants():
    with pytest.raises(UserError, match="the study has none"):
        with_compressed(find_models(["logistic"]), compress=True, tuned=False)
    with pytest.raises(UserError, match="exclude each other"):
        with_compressed(find_models(["moe"]), compress=True, tuned=True)


def test_a_study_file_and_python_say_it_alike(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text('compress = true\nmodels = ["moe"]\nfolds = "1x3"\n[[tables]]\nname = "iris"\n')
    assert [model.name for model in study_from_toml(file).plan(tmp_path).models] == ["moe", "moe-pruned", "moe-distilled", "moe-int8"]


@pytest.mark.slow
def test_a_comparison_has_rows_for_variants_and_joins_them_to_their_parent():
    X, y = load_iris(return_X_y=True)
    found = compare(["logistic", "moe-boosted"], X, y, folds="1x3", quick=True, n_jobs=1, compress=True)
    rows = found.results
    assert set(rows["model"]) == {"logistic", "moe-boosted", "moe-boosted-pruned", "moe-boosted-distilled", "moe-boosted-int8"}
    assert (rows["status"] == "ok").all()
    compute = rows.groupby("model")["compute_active"].mean()
    assert compute["moe-boosted-pruned"] < compute["moe-boosted"]
    assert compute["moe-boosted-int8"] == compute["moe-boosted"]
    accuracy = rows.groupby("model")["accuracy"].mean()
    assert abs(accuracy["moe-boosted-int8"] - accuracy["moe-boosted"]) < 0.02
    assert {model.parent for model in found.found.models} == {"", "moe-boosted"}
    assert np.isfinite(accuracy).all()


def test_the_pareto_figure_joins_a_variant_to_its_parent():
    results = example_results()
    child, parent = results.models[0], results.models[1]
    joined = replace(results, models=(replace(child, parent=parent.name), *results.models[1:]))
    lines = []
    for one in (results, joined):
        positions = model_positions(one.models)
        drawing = draw_pareto(on_table(one, "moons"), QUANTITIES["accuracy"], positions, "pareto", "moons")
        lines.append(drawing.svg.count("stroke-dasharray"))
    assert lines[1] == lines[0] + 1


def test_the_page_says_what_the_dotted_lines_are_where_there_are_any(tmp_path):
    results = example_results()
    child, parent = results.models[0], results.models[1]
    joined = replace(results, models=(replace(child, parent=parent.name), *results.models[1:]))
    said = ["Dotted: from a compressed model" in write(build(one), tmp_path).read_text("utf-8") for one in (results, joined)]
    assert said == [False, True]
