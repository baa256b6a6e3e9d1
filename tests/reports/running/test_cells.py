"""The accuracy pass on one fold: nothing a model does stops the others, and sharing changes no result."""

from __future__ import annotations

import math
import os
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import ExtraTreeClassifier

from ensemblekit.ensembles import AveragingEnsembleClassifier, WeightedEnsembleClassifier
from ensemblekit.ensembles.members import lightgbm_classifier
from ensemblekit_reports.quantities import metrics_of
from ensemblekit_reports.running.attempt import attempt
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.fold_pass import run_fold
from ensemblekit_reports.running.metrics import score
from ensemblekit_reports.running.notes import notes_of
from ensemblekit_reports.running.predictions import predictions_file, read_predictions
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.store import Store, read_json
from ensemblekit_reports.studies.model import Model
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.registry import REGISTRY
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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda shares: shares * 1.1, "predict_proba returned rows that add up to 1.1, not 1"),
        (lambda shares: shares - [2, -1, -1], "predict_proba returned negative values, the smallest -1.66667"),
        (lambda shares: shares.astype(str), "predict_proba returned values of type <U32 such as '0.3333333333333333', expected numbers"),
        (
            lambda shares: shares + 1j,
            "predict_proba returned values of type complex128 such as '(0.3333333333333333+1j)', expected numbers",
        ),
        (lambda shares: np.where(shares > 0, None, shares), "predict_proba returned 90 values that are NaN or infinite"),
        (lambda shares: np.ma.masked_greater(shares, 0), "predict_proba returned a masked array: some answers are missing"),
        (lambda shares: [shares, shares], "predict_proba returned shape (2, 30, 3), expected (30, 3)"),
        (lambda shares: None, "predict_proba returned shape (), expected (30, 3)"),
    ],
)
def test_probabilities_that_are_none_are_a_reason(change, reason):
    assert cell(oddities.Answers(change))["reason"] == f"ValueError: {reason}"


@pytest.mark.parametrize("change", [lambda shares: shares.astype(object), lambda shares: shares.astype(np.float32), np.ndarray.tolist])
def test_probabilities_in_another_guise_are_probabilities(change):
    assert cell(oddities.Answers(change))["metrics"]["log_loss"] == pytest.approx(np.log(3), rel=1e-6)


@pytest.mark.parametrize("classes", [[0, 0, 1], [-1, 0, 1], [0, 1, 3], [0.0, 0.5, 1.0], [[0, 1, 2]], ["0", "1", "2"]])
def test_columns_of_no_known_class_are_a_reason(classes):
    assert cell(oddities.Claims(classes))["reason"].startswith("ValueError: classes_ ")
    assert cell(oddities.KnowsNoClasses())["reason"].startswith("ValueError: it has predict_proba and no classes_")


def test_columns_in_another_order_are_those_of_their_classes():
    chosen = unequal_shares()
    _, found = run_cell(model_from_estimator("m", oddities.Claims([2, 0, 1])), Prepared(chosen), None)
    shares = np.bincount(IRIS.y[chosen.train]) / len(chosen.train)
    assert len(set(shares)) == 3
    assert found.probabilities[0, [2, 0, 1]] == pytest.approx(shares)


def unequal_shares():
    return Fold(IRIS, 0, 0, np.arange(150) % (2 + IRIS.y) == 0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda n: np.full(n, "setosa"), "predict returned values of type <U6 such as 'setosa', expected numbers"),
        (
            lambda n: np.array([0, 1, *["a"] * (n - 2)], dtype=object),
            "predict returned values of type object such as 'a', expected numbers",
        ),
        (
            lambda n: np.array([0, *["1"] * (n - 1)], dtype=object),
            "predict returned values of type object such as '1', expected numbers",
        ),
        (lambda n: np.full(n, 3), "predict returned 3, which is no class; it was fitted on whole numbers from 0 to 2"),
        (lambda n: np.full(n, 0.5), "predict returned 0.5, which is no class; it was fitted on whole numbers from 0 to 2"),
        (lambda n: np.full(n, np.nan), "predict returned nan, which is no class; it was fitted on whole numbers from 0 to 2"),
        (lambda n: np.zeros((n, 2)), "predict returned shape (30, 2), expected (30,)"),
    ],
)
def test_classes_that_are_none_are_a_reason(change, reason):
    assert cell(oddities.Predicts(change))["reason"] == f"ValueError: {reason}"


def test_a_column_of_classes_is_taken():
    assert cell(oddities.Predicts(lambda n: np.zeros((n, 1))))["metrics"]["accuracy"] == pytest.approx(1 / 3)


def test_classes_are_what_predict_says_and_a_contradiction_is_said():
    # Fitted on rows of equal shares, its highest probability is the first class.
    record = cell(oddities.Predicts(lambda n: np.repeat([0, 2], [n - 4, 4])))
    assert record["contradictions"] == 0
    model = model_from_estimator("m", oddities.Predicts(np.zeros))
    record, found = run_cell(model, Prepared(unequal_shares()), None)
    assert record["metrics"]["accuracy"] == np.mean(found.y == 0)
    assert record["contradictions"] == len(found.y)
    (note,) = notes_of([(record, None)], quick=True)
    failed = {"model": "m", "dataset": "iris", "said": {}, "n_test": 50, "status": "failed"}
    assert notes_of([(record, None), (failed, None)], quick=True) == (note,), "a fold that failed has no answers"
    assert note.startswith(f"m: on {len(found.y)} of {len(found.y)} test rows its predict is not the class")


def test_a_copy_of_the_process_ends_even_where_it_has_closed_its_streams(monkeypatch):
    def closed(*_):
        raise OSError(9, "Bad file descriptor")

    ended = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", iter([1, 2]).__next__)
        patch.setattr(os, "_exit", ended.append)
        patch.setattr(os, "write", closed)
        attempt(lambda: None)
    assert ended == [1]


def test_a_model_without_a_seed_answers_the_same_on_the_same_fold():
    one, same, other = (run_cell(model_from_estimator("m", oddities.Unseeded()), Prepared(fold(seed=s)), None)[0] for s in (1, 1, 2))
    assert one["metrics"] == same["metrics"]
    assert one["metrics"]["log_loss"] != other["metrics"]["log_loss"]


def test_torch_is_seeded_where_a_model_has_imported_it(monkeypatch):
    seeds = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds.append))
    run_cell(model_from_estimator("m", oddities.Prior()), Prepared(fold(seed=7)), None)
    assert seeds == [7]


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [(oddities.Recurses(), "RecursionError: maximum recursion depth exceeded"), (oddities.RaisesWithoutWords(), "SpeechlessError")],
)
def test_an_error_of_any_kind_is_a_reason(estimator, reason):
    assert cell(estimator)["reason"].startswith(reason)


def test_a_model_that_closes_its_streams_is_judged(capfd):
    assert cell(oddities.ClosesItsStreams())["status"] == "ok"
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


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


def test_a_model_that_changes_its_rows_changes_no_others(cells):
    models = [("raw", GaussianNB()), ("in-place", make_pipeline(MinMaxScaler(copy=False), GaussianNB())), ("same", GaussianNB())]
    run_fold(fold(), [(model_from_estimator(name, estimator), cells / name) for name, estimator in models])
    raw, changed, same = (read_predictions(predictions_file(cells / name)).probabilities for name, _ in models)
    assert not np.array_equal(raw, changed)
    np.testing.assert_array_equal(raw, same)


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
