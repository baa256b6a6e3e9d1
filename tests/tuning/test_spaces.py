"""One declaration, two readers: every range fits its model's estimator, and both searches stay within it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import optuna
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import HalvingRandomSearchCV, ParameterSampler

from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression
from ensemblekit.ensembles import (
    AveragingEnsembleRegressor,
    StackingEnsembleRegressor,
    VotingEnsembleRegressor,
    WeightedEnsembleRegressor,
    make_members,
)
from ensemblekit.mixture import BoostedExperts, MixtureOfExpertsRegressor
from ensemblekit.tuning import pareto_search, space
from ensemblekit.tuning.dimensions import Real, Whole
from ensemblekit.tuning.models import SPACES
from ensemblekit_reports.studies.registry import REGISTRY, registry

optuna.logging.set_verbosity(optuna.logging.WARNING)


def _member(kind):
    return make_members(kind, task="regression")[0][1]


REGRESSORS = {
    "logistic": Ridge(),
    "ridge": Ridge(),
    "random-forest": _member("forest"),
    "xgboost": _member("xgboost"),
    "lightgbm": _member("lightgbm"),
    "averaging": AveragingEnsembleRegressor(),
    "weighted": WeightedEnsembleRegressor(),
    "voting": VotingEnsembleRegressor(),
    "stacking": StackingEnsembleRegressor(),
    "moe": MixtureOfExpertsRegressor(),
    "moe-boosted": MixtureOfExpertsRegressor(experts=BoostedExperts(shared=True), routing="top_k"),
    "moe-trees": MixtureOfExpertsRegressor(3, experts=_member("forest")),
}
CLASSIFIERS = {name: model.factory(0) for name, model in REGISTRY.items()}
MODELS = [("classification", *pair) for pair in CLASSIFIERS.items()] + [("regression", *pair) for pair in REGRESSORS.items()]


def test_every_registered_model_has_a_space_and_no_space_is_for_nobody():
    assert set(SPACES) == set(registry("classification")) | set(registry("regression"))


@pytest.mark.parametrize(("task", "name", "estimator"), MODELS)
def test_parameters_are_the_estimators_own(task, name, estimator):
    for draw in range(3):
        drawn = next(iter(ParameterSampler(space(name, task).distributions(), 1, random_state=draw)))
        suggested = space(name, task).suggest(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=draw)).ask())
        assert list(suggested) == list(space(name, task).dimensions)
        assert set(drawn) == set(suggested)
        for params in (drawn, suggested):
            estimator.set_params(**params)
            assert {key: estimator.get_params()[key] for key in params} == params


@pytest.mark.parametrize("dimension", [Real(0.5, 2.0), Real(1e-3, 1e3, log=True), Whole(2, 5), Whole(1, 64, log=True)])
def test_both_readers_fill_the_range_and_stay_in_it(dimension):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    rng = np.random.RandomState(0)
    drawn = np.array([dimension.rvs(rng) for _ in range(400)])
    suggested = np.array([dimension.suggest(study.ask(), "x") for _ in range(400)])
    scale = np.log if dimension.log else np.asarray
    for values in (drawn, suggested):
        assert values.min() >= dimension.low
        assert values.max() <= dimension.high
        reach = np.ptp(scale(values)) / (scale(dimension.high) - scale(dimension.low))
        assert reach > 0.95
    middle = scale(np.sqrt(dimension.low * dimension.high) if dimension.log else (dimension.low + dimension.high) / 2)
    assert abs(np.mean(scale(drawn) <= middle) - np.mean(scale(suggested) <= middle)) < 0.1


def test_members_of_an_ensemble_are_chosen_again_from_what_a_trial_wrote_down():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    first = space("averaging").suggest(trial)
    again = space("averaging").suggest(optuna.trial.FixedTrial(trial.params))
    assert "estimators.lightgbm.num_leaves" in trial.params
    assert all(isinstance(value, str | int | float | None) for value in trial.params.values())
    assert [repr(member) for _, member in first["estimators"]] == [repr(member) for _, member in again["estimators"]]


def test_halving_search_of_scikit_learn_reads_a_space():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = X[:, 0] + rng.normal(size=200) > 0
    search = HalvingRandomSearchCV(LogisticRegression(), space("logistic").distributions(), n_candidates=4, cv=2, random_state=0)
    assert 2**-10 <= search.fit(X, y).best_params_["C"] <= 2**10


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of so few rows and of any drawn parameters, many models have something to say
@pytest.mark.parametrize(("task", "name", "estimator"), MODELS, ids=[f"{task}-{name}" for task, name, _ in MODELS])
def test_every_space_goes_through_both_searches(task, name, estimator):
    X, y, _ = (
        make_regimes_classification(160, 4, random_state=0) if task == "classification" else make_regimes_regression(160, 4, random_state=0)
    )
    # no part of their spaces, and most of their time
    small = {"moe": {"n_init": 2}, "moe-boosted": {"experts__n_estimators": 10}, "moe-trees": {"experts__n_estimators": 5}}
    estimator = clone(estimator).set_params(**small.get(name, {}))
    of_model, numbers = space(name, task), {"n_candidates": 2, "factor": 2, "min_resources": 80, "cv": 2, "random_state": 0}
    search = HalvingRandomSearchCV(clone(estimator), of_model.distributions(), error_score="raise", **numbers).fit(X, y)
    assert set(search.best_params_) == set(of_model.dimensions)
    assert search.predict(X).shape == y.shape
    found = pareto_search(clone(estimator), of_model, X, y, n_trials=3)
    assert all("gives no probabilities" in reason for reason in found.failed)  # a hard vote
    assert len(found.tried) + len(found.failed) == 3
    assert all(np.isfinite([one.loss, one.cost]).all() and one.cost >= 0 for one in found.tried)  # a stump of no split costs nothing
    assert found.front


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("moe-boostd",), "did you mean 'moe-boosted'"),
        (("forest",), "did you mean 'random-forest'"),
        (("moe", "ranking"), "choose 'classification' or 'regression'"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(arguments, message):
    with pytest.raises(ValueError, match=message):
        space(*arguments)


def test_spaces_need_no_optuna():
    code = "import sys; from ensemblekit.tuning import space; space('moe').distributions(); print('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
