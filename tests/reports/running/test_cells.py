"""The accuracy pass on one fold: nothing a model does stops the others, and sharing changes no result."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import ExtraTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, WeightedEnsembleClassifier
from ensemblekit.ensembles.members import lightgbm_classifier
from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.metrics import score
from ensemblekit_reports.running.predictions import predictions_file, read_predictions
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.models import REGISTRY, Model, model_from_estimator
from ensemblekit_reports.tables.table import bundled_table
from tests.reports.running import oddities

IRIS = bundled_table("iris")


def fold(table=IRIS, seed=0):
    return Fold(table, 0, 0, np.arange(len(table.y)) % 5 == 0, seed)


def cell(estimator):
    return run_cell(model_from_estimator("m", estimator), Prepared(fold()), None)[0]


@pytest.mark.parametrize(
    ("estimator", "status", "reason"),
    [
        (oddities.Raises(), "failed", "RuntimeError: the first line"),
        (oddities.Exits(), "failed", "SystemExit: leaving"),
        (oddities.RunsOut(), "out-of-memory", "MemoryError: no room"),
        (oddities.ReturnsNaN(), "failed", "ValueError: predict_proba returned 90 values that are NaN or infinite"),
        (oddities.WrongShape(), "failed", "ValueError: predict_proba returned shape (29, 3), expected (30, 3)"),
    ],
)
def test_a_model_that_fails_is_a_record_with_its_reason(estimator, status, reason):
    record = cell(estimator)
    assert (record["status"], record["reason"]) == (status, reason)
    assert all(math.isnan(record["metrics"][metric.name]) for metric in metrics_of("classification"))


def test_what_a_model_says_is_kept_and_not_shown(capfd):
    record = cell(oddities.Chatty())
    assert record["status"] == "ok"
    assert record["said"] == {
        "said by print": 1,
        "said by compiled code": 1,
        "complained by compiled code": 1,
        "UserWarning: said by a warning": 1,
    }
    assert capfd.readouterr() == ("", "")


def test_a_model_without_probabilities_has_no_log_loss_but_the_rest():
    record = cell(oddities.ClassesOnly())
    assert math.isnan(record["metrics"]["log_loss"])
    assert record["metrics"]["accuracy"] == pytest.approx(1 / 3)


def test_a_class_that_training_lacks():
    tested = IRIS.y == 0
    tested[::5] = True
    lacking = Fold(IRIS, 0, 0, tested, 0)
    record, _ = run_cell(model_from_estimator("m", GaussianNB()), Prepared(lacking), None)
    # Every row of the unseen class is wrong, nearly every other one right: its columns are those of its own classes.
    assert record["status"] == "ok"
    assert 18 / 70 < record["metrics"]["accuracy"] <= 20 / 70
    assert record["metrics"]["log_loss"] > 30 * 50 / 70


@pytest.fixture
def cells(tmp_path):
    return Store(tmp_path).directory / "cells" / "accuracy"


def test_predictions_are_kept_bit_for_bit(cells):
    model, chosen = REGISTRY["logistic"], fold()
    _, expected = run_cell(model, Prepared(chosen), None)
    run_fold(chosen, [(model, cells / "cell.json")])
    found = read_predictions(predictions_file(cells / "cell.json"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (IRIS.y[found.rows] == found.y).all()
    assert score(found.y, found.predicted, found.probabilities) == read_json(cells / "cell.json")["metrics"]


def test_predictions_without_probabilities(cells):
    run_fold(fold(), [(model_from_estimator("m", oddities.ClassesOnly()), cells / "cell.json")])
    found = read_predictions(predictions_file(cells / "cell.json"))
    assert found.probabilities is None
    assert set(found.predicted) == {0}


def test_a_failed_model_leaves_no_predictions(cells):
    run_fold(fold(), [(model_from_estimator("m", oddities.Raises()), cells / "cell.json")])
    assert not predictions_file(cells / "cell.json").exists()


def test_sharing_members_changes_no_result(tmp_path, cells):
    table = bundled_table("wine")
    models = [REGISTRY["lightgbm"], *map(light, (AveragingEnsembleClassifier, WeightedEnsembleClassifier))]
    found = []
    for scratch in (tmp_path, None):
        files = [cells / f"{scratch is None} {model.name}.json" for model in models]
        run_fold(fold(table, seed=7), list(zip(models, files, strict=True)), scratch)
        found.append([read_json(file) for file in files])
    assert [record["status"] for record in found[0]] == ["ok"] * len(models)
    assert [record["metrics"] for record in found[0]] == [record["metrics"] for record in found[1]]


def light(ensemble):
    def factory(seed):
        members = [("tree", ExtraTreeClassifier(random_state=seed)), ("lightgbm", lightgbm_classifier(random_state=seed))]
        return ensemble(members, random_state=seed)

    return Model(ensemble.__name__, "", "ensemble", "trees", factory)


def test_shared_members_are_fitted_once(tmp_path, cells, monkeypatch):
    from sklearn.ensemble import RandomForestClassifier

    fits = []
    fit = RandomForestClassifier.fit
    monkeypatch.setattr(RandomForestClassifier, "fit", lambda self, X, y, **k: fits.append(len(X)) or fit(self, X, y, **k))
    models = [REGISTRY[name] for name in ("random-forest", "averaging", "voting")]
    run_fold(fold(), [(model, cells / model.name) for model in models], tmp_path)
    assert len(fits) == 1


def test_every_model_gets_the_folds_seed_and_own_estimators_too():
    one, other = (
        run_cell(model_from_estimator("m", oddities.Seeded(random_state=5)), Prepared(two_classes(seed)), None)[0] for seed in (1, 2)
    )
    assert one["metrics"]["log_loss"] != other["metrics"]["log_loss"]


def two_classes(seed):
    table = bundled_table("breast_cancer")
    return fold(table, seed)


def test_warnings_filters_are_as_before():
    before = list(warnings.filters)
    cell(oddities.Chatty())
    assert warnings.filters == before
