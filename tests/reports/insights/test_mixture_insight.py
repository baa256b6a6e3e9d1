"""What a fitted mixture tells about itself: consistent with the mixture, for every gate, in the reader's names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
from ensemblekit_reports.insights.gate_drivers import softmax_coefficients
from ensemblekit_reports.insights.mixture import mixture_insight
from ensemblekit_reports.insights.storing import from_bytes, to_bytes
from ensemblekit_reports.insights.subject import Subject, say_number
from ensemblekit_reports.running.preprocessing import column_groups, preprocessing
from ensemblekit_reports.tables.table import Table, table_from_frame


def regimes_table(n_rows: int = 300) -> Table:
    """Which of two opposite answers is right hangs on the colour alone; a cell in ten of the height is missing."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"noise": random.normal(size=n_rows), "signal": random.normal(50, 20, n_rows), "height": random.normal(size=n_rows)}
    )
    frame["colour"] = random.choice(["red", "green", "blue"], n_rows)
    frame.loc[random.random(n_rows) < 0.1, "height"] = np.nan
    answers = np.where(frame["colour"] == "red", frame["signal"] > 50, frame["signal"] < 50)
    return table_from_frame(frame, pd.Series(np.where(answers, "yes", "no"), name="answer"), name="regimes")


def subject_of(table: Table, mixture: object) -> Subject:
    tested = np.arange(len(table.y)) % 4 == 0
    prepare = preprocessing("linear", *column_groups(table))
    ready = prepare.fit_transform(table.X[~tested])
    return Subject(mixture.fit(ready, table.y[~tested]), table, tested, prepare)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of(regimes_table(), MixtureOfExpertsClassifier(2, random_state=0))


def test_the_column_that_decides_is_named(subject: Subject) -> None:
    insight = mixture_insight(subject, "moe")
    for expert in insight.experts:
        assert expert.drivers[0].column == "colour"
        assert expert.drivers[0].effect > 0.2
    red = next(expert for expert in insight.experts if expert.drivers[0].level == "red")
    assert red.rule is not None
    assert (red.rule.column, red.rule.relation, red.rule.value) == ("colour", "is", "red")
    assert red.rule.own > 0.9 > 0.1 > red.rule.others


def test_shares_and_rows_add_up(subject: Subject) -> None:
    insight = mixture_insight(subject, "moe")
    assert sum(expert.given for expert in insight.experts) == pytest.approx(1, abs=1e-3)
    assert sum(expert.taken for expert in insight.experts) == pytest.approx(1, abs=1e-3)
    assert sum(expert.leads for expert in insight.experts) == insight.n_rows == int(subject.tested.sum())
    assert 1 <= insight.effective_per_row <= insight.effective <= 2
    assert list(insight.bounds) == sorted(insight.bounds)
    right = sum(expert.leads * expert.mixture for expert in insight.experts if expert.mixture is not None)
    ready = subject.ready(subject.table.X[subject.tested])
    assert right == pytest.approx((subject.fitted.predict(ready) == subject.table.y[subject.tested]).sum(), abs=0.01)


def test_experts_are_better_where_they_are_asked(subject: Subject) -> None:
    for expert in mixture_insight(subject, "moe").experts:
        assert expert.own is not None
        assert expert.elsewhere is not None
        assert expert.own > 0.8 > 0.5 > expert.elsewhere


def test_contributions_make_up_the_odds(subject: Subject) -> None:
    explained = mixture_insight(subject, "moe").rows
    assert {row.kind for row in explained} == {"typical", "doubtful"}
    for row in explained:
        proba = subject.gate(subject.table.X[[row.row]])[0]
        assert row.odds == pytest.approx(np.log(proba[row.expert] / proba[row.rival]), abs=0.01)
        assert row.expert == proba.argmax()
        # the log-odds of a softmax gate are a sum over columns, of which the table has no more than are named
        assert abs(row.rest) < 0.02
    doubt = [abs(row.odds) for row in explained if row.kind == "doubtful"]
    assert max(doubt) < min(abs(row.odds) for row in explained if row.kind == "typical")


def test_coefficients_are_the_gates_in_standard_deviations(subject: Subject) -> None:
    found = softmax_coefficients(subject)
    names = [column.name for column in subject.table.columns]
    assert {names[j] for _, j in found} == {"noise", "signal", "height"}
    train = subject.ready(subject.table.X[~subject.tested])
    # noise comes first of the columns that the model reads
    assert found[1, names.index("noise")] == pytest.approx(subject.fitted.gate_.coef_[1, 0] * train[:, 0].std())


def test_maps_are_in_the_readers_units(subject: Subject) -> None:
    # the gate reads the numbers too, once the colour is left out
    table = subject.table
    keep = [j for j, column in enumerate(table.columns) if column.name != "colour"]
    side = (table.X[:, 1] > 60).astype(np.int64)
    numbers = replace(table, columns=tuple(table.columns[j] for j in keep), X=table.X[:, keep], y=side ^ (table.X[:, 0] > 0))
    insight = mixture_insight(subject_of(numbers, MixtureOfExpertsClassifier(2, random_state=0)), "moe")
    assert len(insight.maps) == 3
    for grid in insight.maps:
        assert np.allclose(np.sum(grid.proba, axis=2), 1, atol=0.03)
        assert np.shape(grid.proba) == (len(grid.second), len(grid.first), 2)
        if "signal" in grid.columns:
            axis = grid.first if grid.columns[0] == "signal" else grid.second
            assert axis[0] < 20
            assert axis[-1] > 80


@pytest.mark.parametrize("gate", ["gaussian", "constant", HierarchicalGate((2, 1)), DecisionTreeClassifier(max_depth=3, random_state=0)])
def test_every_gate_tells(gate: object) -> None:
    experts = DecisionTreeClassifier(max_depth=2, random_state=0) if gate == "constant" else "logistic"
    mixture = MixtureOfExpertsClassifier(
        2, gate=gate, experts=experts, routing="top_k", cross_fit=None, max_iter=30, tol=1e-2, random_state=0
    )
    insight = mixture_insight(subject_of(regimes_table(160), mixture), "moe")
    assert from_bytes(to_bytes(insight)) == insight
    assert all(driver.coefficient is None for expert in insight.experts for driver in expert.drivers)
    if gate == "constant":
        assert not any(expert.drivers for expert in insight.experts)
        assert not insight.maps


@pytest.mark.parametrize("experts", ["linear", [DecisionTreeRegressor(max_depth=2, random_state=k) for k in (0, 1)]])
def test_regressors_tell(experts: object) -> None:
    table = regimes_table()
    numbers = replace(table, y=np.where(table.X[:, 3] == 2, table.X[:, 1], -table.X[:, 1]), classes=())
    mixture = MixtureOfExpertsRegressor(2, experts=experts, tol=1e-3, random_state=0)
    insight = mixture_insight(subject_of(numbers, mixture), "moe")
    assert insight.score_name == "rmse"
    assert from_bytes(to_bytes(insight)) == insight
    assert insight.experts[0].drivers[0].column == "colour"


def test_one_expert_has_nothing_to_choose() -> None:
    insight = mixture_insight(subject_of(regimes_table(120), MixtureOfExpertsClassifier(1, random_state=0)), "moe")
    assert (insight.effective, insight.maps, insight.rows, insight.experts[0].drivers) == (1.0, (), (), ())


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [(0.0, 1.0, "0"), (-0.0001, 1.0, "0"), (1e300, 1.0, "1e+300"), (12.5, 1e9, "12"), (1e-7, 2e-7, "0.0000001"), (100.0, 50.0, "100")],
)
def test_numbers_have_the_digits_that_their_column_tells_apart(value: float, spread: float, text: str) -> None:
    assert say_number(value, spread) == text
