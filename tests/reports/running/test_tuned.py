"""Nested tuning: inside the training fold alone, the same for every model, stored, and timed apart from the model's own cost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from ensemblekit.tuning.dimensions import Whole
from ensemblekit_reports import ModelChoice
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.outputs.refitting import refit
from ensemblekit_reports.running.cells import run_cell
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.prepared import Prepared
from ensemblekit_reports.running.run import run
from ensemblekit_reports.running.search import space_of, tune
from ensemblekit_reports.running.store import read_json
from ensemblekit_reports.running.tuned_model import inner_folds
from ensemblekit_reports.studies.budget import Budget
from ensemblekit_reports.studies.dry_run import dry_run
from ensemblekit_reports.studies.model_choice import choose_models
from ensemblekit_reports.studies.own_model import model_from_estimator
from ensemblekit_reports.studies.planned import plan_cells
from ensemblekit_reports.studies.portable import from_portable, to_portable
from ensemblekit_reports.studies.registry import REGISTRY, REGRESSORS
from ensemblekit_reports.studies.study import with_tuning
from ensemblekit_reports.studies.study_file import study_from_toml
from ensemblekit_reports.studies.tuning import Tuning
from ensemblekit_reports.tables.table import bundled_table
from tests.reports.running import oddities
from tests.reports.running.test_running import PLAN

IRIS = bundled_table("iris")
LOGISTIC = REGISTRY["logistic"].tuned_by(Tuning(8, metric="log_loss"))


def fold(table=IRIS, number=0):
    return Fold(table, 0, number, np.arange(len(table.y)) % 5 == number, 11)


def test_the_chosen_parameters_are_those_of_the_model_that_answers():
    record, predictions = run_cell(LOGISTIC, Prepared(fold()), None)
    search = record["tuning"]
    assert (search["trials"], search["asked"]) == (8, 8)
    assert search["score"] < search["default"], "log-loss of iris falls with less penalty"
    scale = StandardScaler().fit(IRIS.X[~fold().tested])
    model = LogisticRegression(max_iter=1000, **search["params"]).fit(scale.transform(IRIS.X[~fold().tested]), IRIS.y[~fold().tested])
    np.testing.assert_allclose(predictions.probabilities, model.predict_proba(scale.transform(IRIS.X[fold().tested])))


def test_a_search_is_the_same_again_and_sees_no_test_row():
    first, _ = run_cell(LOGISTIC, Prepared(fold()), None)
    swapped = IRIS.y.copy()
    swapped[fold().tested] = np.roll(swapped[fold().tested], 1)
    second, _ = run_cell(LOGISTIC, Prepared(fold(dataclasses.replace(IRIS, y=swapped))), None)
    assert first["tuning"]["params"] == second["tuning"]["params"]
    assert first["metrics"] != second["metrics"]


class Noisy(LogisticRegression):
    """Draws from the generator that has no owner."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ + np.random.normal(size=self.coef_.shape)  # noqa: NPY002 - the habit under test
        np.seterr(all="print")
        return self


def test_draws_without_an_owner_are_those_of_the_fold_in_every_trial_and_in_the_model_that_is_kept():
    noisy = dataclasses.replace(model_from_estimator("n", Noisy(max_iter=300)), space="logistic").tuned_by(Tuning(3, metric="log_loss"))
    plan = dataclasses.replace(PLAN, models=(noisy, dataclasses.replace(noisy, name="untuned", tuning=None)))
    found = []
    for state in (1, 2):
        np.random.seed(state)  # noqa: NPY002 - as processes have it that have done something else before
        record, _ = run_cell(noisy, Prepared(fold()), None)
        np.random.seed(state)  # noqa: NPY002
        kept, untuned = (refit(plan, name).pipeline[-1] for name in ("n", "untuned"))
        assert np.random.random() == np.random.RandomState(state).random_sample(), "a reader's own draws go on"  # noqa: NPY002
        assert np.geterr()["divide"] != "print"
        found.append((record["tuning"]["params"], record["tuning"]["score"], kept.C, *kept.coef_[0], *untuned.coef_[0]))
    assert found[0] == found[1]


def test_the_inner_score_is_the_studys_metric_inside_the_training_rows():
    record, _ = run_cell(REGISTRY["logistic"].tuned_by(Tuning(1, metric="log_loss")), Prepared(fold()), None)
    X, y = Prepared(fold()).rows("linear")[0], IRIS.y[~fold().tested]
    model = LogisticRegression(max_iter=1000)
    losses = [log_loss(y[test], model.fit(X[train], y[train]).predict_proba(X[test])) for train, test in inner_folds(y, None, 11)]
    assert record["tuning"]["default"] == record["tuning"]["score"] == pytest.approx(np.mean(losses))
    assert record["tuning"]["params"] == {}


def test_groups_stay_together_in_a_search():
    groups = np.random.default_rng(0).integers(0, 20, size=120)
    for train, test in inner_folds(np.arange(120) % 2, groups, 0):
        assert not set(groups[train]) & set(groups[test])
    with pytest.raises(ValueError, match="one group of training rows"):
        list(inner_folds(np.arange(12) % 2, np.zeros(12, dtype=int), 0))


def test_few_rows_of_each_class_are_enough_for_a_search():
    assert [len(test) for _, test in inner_folds(np.array([0, 0, 1, 1, 2, 2]), None, 0)] == [3, 3]
    with pytest.raises(ValueError, match="one training row of each class"):
        list(inner_folds(np.arange(4), None, 0))


def test_groups_and_weights_reach_every_trial():
    groups, weights = np.arange(150) // 2, np.random.default_rng(0).integers(1, 5, size=150).astype(float)
    once = REGISTRY["logistic"].tuned_by(Tuning(1, metric="log_loss"))
    learnt = ~fold().tested
    X, y = Prepared(fold()).rows("linear")[0], IRIS.y[learnt]

    def inner_loss(groups, weights):
        """The mean weighted log-loss of the model as it is, from scikit-learn alone."""
        losses = []
        for train, test in inner_folds(y, groups, 11):
            model = LogisticRegression(max_iter=1000).fit(X[train], y[train], None if weights is None else weights[train])
            losses.append(log_loss(y[test], model.predict_proba(X[test]), sample_weight=None if weights is None else weights[test]))
        return np.mean(losses)

    for beside in ({}, {"groups": groups}, {"weights": weights}, {"groups": groups, "weights": weights}):
        record, _ = run_cell(once, Prepared(fold(dataclasses.replace(IRIS, **beside))), None)
        inner = {name: beside[name][learnt] if name in beside else None for name in ("groups", "weights")}
        assert record["tuning"]["default"] == pytest.approx(inner_loss(**inner))
    assert len({round(inner_loss(g, w), 9) for g in (None, groups[learnt]) for w in (None, weights[learnt])}) == 4


def test_amounts_are_tuned_too():
    table = bundled_table("diabetes")
    record, _ = run_cell(REGRESSORS["ridge"].tuned_by(Tuning(5, metric="rmse")), Prepared(fold(table)), None)
    assert record["tuning"]["trials"] == 5
    assert record["tuning"]["score"] <= record["tuning"]["default"]


def test_inner_folds_of_equal_amounts_do_not_end_a_search():
    table = dataclasses.replace(bundled_table("diabetes"), y=np.r_[1.0, 2.0, np.zeros(440)])
    record, _ = run_cell(REGRESSORS["ridge"].tuned_by(Tuning(2, metric="r2")), Prepared(fold(table, 3)), None)
    assert record["status"] == "ok"
    assert np.isfinite(record["tuning"]["default"])
    assert np.isnan(record["metrics"]["r2"])


def test_time_ends_a_search_and_is_told():
    slow = []
    _, found = tune(
        LogisticRegression(), space_of("logistic", "classification"), Tuning(50, 1e-9, "accuracy"), lambda m: slow.append(m) or 1.0, 0
    )
    assert (found["trials"], found["asked"], len(slow)) == (1, 50, 1)


def test_settings_that_fail_are_no_reason_to_fail_unless_all_do():
    ranges = space_of("logistic", "classification")

    def only_with_little_penalty(model):
        if model.C < 3:
            raise RuntimeError("too much penalty")
        return 0.5

    chosen, found = tune(LogisticRegression(), ranges, Tuning(20, metric="accuracy"), only_with_little_penalty, 0)
    assert chosen["C"] >= 3
    assert np.isnan(found["default"])
    of_others = dataclasses.replace(ranges, dimensions={"no_such_parameter": Whole(1, 2)})
    assert tune(LogisticRegression(), of_others, Tuning(3, metric="accuracy"), lambda model: 0.5, 0)[0] == {}
    with pytest.raises(ValueError, match="none of 3 trials could be judged; the first: ZeroDivisionError"):
        tune(LogisticRegression(), ranges, Tuning(3, metric="accuracy"), lambda model: 1 / 0, 0)


def test_what_a_study_sets_is_not_searched():
    (moe,) = choose_models((ModelChoice("m", model="moe", params={"n_experts": 2}),), "classification")
    assert list(space_of(moe.space, moe.task, moe.fixed).dimensions) == ["alpha"]
    forests = ModelChoice("f", model="moe-trees", params={"experts": {"class": "sklearn.naive_bayes:GaussianNB"}})
    (of_bayes,) = choose_models((forests,), "classification")
    assert not [key for key in space_of(of_bayes.space, of_bayes.task, of_bayes.fixed).dimensions if key.startswith("experts")]
    own = model_from_estimator("own", oddities.Prior())
    assert own.tuned_by(Tuning(5, metric="accuracy")) is own, "what has no search space runs as it is"


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_registered_model_can_be_tuned_and_travels_with_its_search(name):
    tuned = REGISTRY[name].tuned_by(Tuning(5, metric="accuracy"))
    assert tuned.tuning == Tuning(5, metric="accuracy")
    assert from_portable(to_portable(tuned)).tuning == tuned.tuning
    ranges = space_of(tuned.space, tuned.task)
    import optuna

    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    ranges.suggest(trial)
    chosen = from_portable(to_portable(tuned.with_params(trial.params)))
    assert chosen.tuning is None
    made = chosen.factory(9)
    assert made.random_state == 9
    assert made.get_params() != REGISTRY[name].factory(9).get_params()


def test_the_search_is_part_of_the_cell():
    def key(tuning, metric="accuracy"):
        models = with_tuning((REGISTRY["logistic"],), tuning, metric, Budget())
        return plan_cells(dataclasses.replace(PLAN, models=models), PLAN_FOLDER)[0].accuracy.name

    PLAN_FOLDER = __import__("pathlib").Path()
    keys = [key(None), key(Tuning(5)), key(Tuning(6)), key(Tuning(5, 60.0)), key(Tuning(5), "log_loss")]
    assert len(set(keys)) == 5
    assert key(Tuning(5)) == keys[1]


def test_in_a_study_file_and_its_mistakes(tmp_path):
    file, table = tmp_path / "s.toml", 'models = ["logistic"]\n[[tables]]\nname = "iris"\n'
    file.write_text("tune = {trials = 4, time_limit_s = 60}\n" + table)
    (model,) = study_from_toml(file).plan(tmp_path).models
    assert model.tuning == Tuning(4, 60, "accuracy")
    for text, complaint in (
        ("tune = {trails = 4}\n", r"unknown key 'trails': did you mean 'trials'\? Valid: trials, time_limit_s"),
        ("tune = 4\n", "tune must be a table such as"),
        ("tune = {trials = 0}\n", "at least one trial"),
        ("time_limit_s = 100\ntune = {trials = 4}\n", "tuning may take 600 s for a model on a fold, which may take 100 s in all"),
    ):
        file.write_text(text + table)
        with pytest.raises(UserError, match=complaint):
            study_from_toml(file).plan(tmp_path)


def test_a_study_in_which_nothing_can_be_tuned_is_refused():
    own = model_from_estimator("prior", oddities.Prior())
    with pytest.raises(UserError, match="tune has nothing to search: no search space for prior"):
        with_tuning((own,), Tuning(5), "accuracy", Budget())
    assert [bool(model.tuning) for model in with_tuning((own, REGISTRY["moe"]), Tuning(5), "accuracy", Budget())] == [False, True]


@pytest.mark.slow
def test_a_whole_study_says_what_was_searched_and_times_what_was_chosen(tmp_path):
    plan = dataclasses.replace(PLAN, models=(LOGISTIC, model_from_estimator("prior", oddities.Prior())))
    found = run(plan, tmp_path, jobs=1, command="c")
    assert (found.cells["status"] == "ok").all()
    assert found.cells["fit_wall_s"].notna().sum() == 2
    records = [read_json(file) for file in (tmp_path / "cells" / "accuracy").iterdir()]
    assert {record["model"] for record in records if "tuning" in record} == {"logistic"}
    note, other = [note for note in found.notes if "tuned" in note]
    assert other == "prior: not tuned, since it has no search space."
    assert note.startswith("iris, logistic: tuned in each fold, 8 of 8 trials")
    assert "in the first fold it chose C = " in note
    assert dry_run(plan, tmp_path, jobs=1).n_finished == 6


def test_the_stored_model_is_tuned_on_all_rows():
    stored = refit(dataclasses.replace(PLAN, models=(LOGISTIC,)), "logistic")
    assert stored.pipeline.steps[-1][1].C != 1
    assert f"C={stored.pipeline.steps[-1][1].C}" in stored.facts["definition"]
