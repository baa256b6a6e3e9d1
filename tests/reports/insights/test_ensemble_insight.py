"""What a fitted ensemble tells about itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit.ensembles import (
    AveragingEnsembleClassifier,
    AveragingEnsembleRegressor,
    StackingEnsembleClassifier,
    VotingEnsembleClassifier,
    VotingEnsembleRegressor,
    WeightedEnsembleClassifier,
)
from ensemblekit_reports.insights.ensemble import ensemble_insight
from ensemblekit_reports.insights.plain import EnsembleInsight
from ensemblekit_reports.insights.storing import from_bytes, to_bytes
from ensemblekit_reports.insights.subject import Subject
from ensemblekit_reports.tables.table import Table, bundled_table

MEMBERS = [
    ("bayes", GaussianNB()),
    ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
]


def told(ensemble: object, table: Table) -> EnsembleInsight:
    tested = np.arange(len(table.y)) % 3 == 0
    ensemble.fit(table.X[~tested], table.y[~tested])
    insight = ensemble_insight(Subject(ensemble, table, tested, "passthrough"), "m")
    assert from_bytes(to_bytes(insight)) == insight
    return insight


@pytest.mark.parametrize(
    "kind", [AveragingEnsembleClassifier, WeightedEnsembleClassifier, StackingEnsembleClassifier, VotingEnsembleClassifier]
)
def test_all_members_together_are_the_ensemble(kind: type) -> None:
    insight = told(kind(MEMBERS, random_state=0), bundled_table("wine"))
    assert [member.name for member in insight.members] == ["bayes", "stump", "tree"]
    assert sum(member.weight for member in insight.members) == pytest.approx(1, abs=1e-3)
    correlation = np.array(insight.correlation, dtype=float)
    assert np.allclose(np.diag(correlation), 1)
    assert np.allclose(correlation, correlation.T)
    if kind is StackingEnsembleClassifier:
        assert insight.weighing == "influence"
        assert not insight.smaller
        return
    assert insight.smaller[-1].mean == insight.score
    if kind is not WeightedEnsembleClassifier:
        singles = [member.score for member in insight.members]
        assert (insight.smaller[0].worst, insight.smaller[0].best) == (min(singles), max(singles))
        assert insight.effective == pytest.approx(3, abs=1e-3)


def test_a_member_that_is_always_right_to_the_same_degree_correlates_with_none() -> None:
    table = bundled_table("wine")
    same = DummyClassifier(strategy="uniform", random_state=0)
    insight = told(AveragingEnsembleClassifier([MEMBERS[0], ("same", same)]), table)
    assert insight.correlation[0][1] is None
    assert insight.correlation[1][1] is None


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(AveragingEnsembleRegressor, {}), (VotingEnsembleRegressor, {}), (VotingEnsembleRegressor, {"weights": [1, 3, 2]})],
)
def test_regressors_are_judged_by_their_error_and_combined_as_they_combine(kind: type, settings: dict) -> None:
    X, y = load_diabetes(return_X_y=True)
    table = Table("d", "", "", "y", bundled_table("wine").columns[:10], X, y, ())
    members = [("ridge", Ridge()), ("stump", DecisionTreeRegressor(max_depth=1)), ("tree", DecisionTreeRegressor(max_depth=3))]
    insight = told(kind(members, **settings), table)
    assert insight.score_name == "rmse"
    assert insight.smaller[0].best <= insight.smaller[0].worst
    assert insight.smaller[-1].mean == insight.score
