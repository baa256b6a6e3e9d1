"""A gate that follows a stream."""

from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture.adapting import Recent, faded, follow, latest, remember
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from tests.mixture.tables import two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


def rules(seed, n_rows, *, switched=False):
    """Two opposite rules, which change places where ``switched``."""
    X = np.random.default_rng(seed).normal(size=(n_rows, 3))
    y = np.where(X[:, 0] > 0, X[:, 1] > 0, X[:, 1] < 0)
    return X, y != switched


@pytest.mark.parametrize("gate", ["softmax", "gaussian", LogisticRegression(), DecisionTreeClassifier(max_leaf_nodes=4, random_state=0)])
def test_every_gate_follows_rules_that_change_places(gate):
    model = MixtureOfExpertsClassifier(2, gate=gate, n_init=4, tol=1e-3, random_state=0).fit(*rules(0, 400))
    experts = model.experts_.coef_.copy()
    test = rules(9, 1000, switched=True)
    assert model.score(*test) < 0.25
    for piece in range(5):
        model.adapt_gate(*rules(piece + 1, 80, switched=True))
    assert model.score(*test) > 0.78  # a Gaussian gate draws soft borders
    assert np.array_equal(model.experts_.coef_, experts)


def test_a_stream_that_does_not_change_costs_little():
    model = MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(*rules(0, 400))
    before = model.score(*rules(9, 1000))
    for piece in range(5):
        model.adapt_gate(*rules(piece + 1, 80))
    assert model.score(*rules(9, 1000)) > before - 0.02


def test_the_gate_is_at_the_optimum_of_what_is_remembered():
    """The gradient of the penalised likelihood of the remembered rows vanishes in the gate's coefficients."""
    rng = np.random.default_rng(0)
    X, log_density = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    log_density[:, 0] += 2 * X[:, 0]
    weight = rng.uniform(0.1, 1, size=300)
    present = SoftmaxGate(alpha=1.0).fit(X, np.full((300, 2), 0.5), weight)
    gate = follow(present, Recent(X, log_density, np.ones(300)), weight)

    def value(shift):
        moved = SoftmaxGate(alpha=1.0).set_contrasts(gate.contrasts()[0] + shift[:2], gate.contrasts()[1] + shift[2])
        return weight @ np.logaddexp.reduce(moved.log_proba(X) + log_density, axis=1) - moved.penalty()

    step = 1e-4
    slopes = [(value(step * axis) - value(-step * axis)) / (2 * step) for axis in np.eye(3)]
    assert np.abs(slopes).max() < 0.01 * weight.sum()
    assert value(np.zeros(3)) > weight @ np.logaddexp.reduce(present.log_proba(X) + log_density, axis=1) - present.penalty() + 10


def test_pieces_are_remembered_like_one():
    whole = Recent(np.arange(12.0)[:, None], np.zeros((12, 2)), np.arange(1.0, 13.0))
    parts = remember(remember(None, Recent(*(part[:7] for part in whole))), Recent(*(part[7:] for part in whole)))
    for part, complete in zip(parts, whole, strict=True):
        assert np.array_equal(part, complete)


def test_weights_fade_row_by_row_and_old_rows_are_forgotten():
    weight = np.array([3.0, 1.0, 2.0, 4.0])
    assert_allclose(faded(weight, 2.0), weight * np.exp([-1.5, -1.0, -0.5, 0.0]))
    assert np.array_equal(faded(weight, np.inf), weight)
    recent = Recent(np.arange(4.0)[:, None], np.zeros((4, 2)), weight)
    for n_rows, first in ((1, 3), (1.5, 2), (4, 0), (np.inf, 0)):
        assert latest(recent, n_rows).X_gate[0, 0] == first


@pytest.mark.parametrize("way", ["adapt_gate", "update_feedback"])
def test_rows_without_weight_are_not_there_and_others_weigh(way):
    """Of a stream whose rows hold the old or the new rules, those count that have a weight, and those more that weigh more."""
    fitted = MixtureOfExpertsClassifier(2, n_init=4, tol=1e-3, random_state=0).fit(*rules(0, 400))
    some, whole, heavy = (deepcopy(fitted) for _ in range(3))
    for piece in range(8):
        (X, old), (_, new) = rules(piece + 1, 50), rules(piece + 1, 50, switched=True)
        mixed = np.where(np.arange(50) % 2, new, old)
        getattr(some, way)(X, mixed, np.arange(50) % 2)
        getattr(whole, way)(X[1::2], new[1::2])
        getattr(heavy, way)(X, mixed, np.where(np.arange(50) % 2, 10.0, 1.0))
    assert_allclose(some.success_, whole.success_)
    assert_allclose(some.gate_.coef_, whole.gate_.coef_, rtol=1e-3)
    if way == "adapt_gate":
        test = rules(99, 500, switched=True)
        assert fitted.score(*test) < 0.1
        assert min(some.score(*test), heavy.score(*test)) > 0.75
    with pytest.raises(ValueError, match="Negative values"):
        getattr(some, way)(X, mixed, -np.ones(50))


@pytest.mark.parametrize("unit", [0.01, 1000.0])
def test_the_unit_of_weights_is_no_change(unit):
    """Weights that differ much, such as those of a survey, do not make the gate believe what a few rows say."""
    model = MixtureOfExpertsClassifier(2, n_init=4, tol=1e-3, random_state=0).fit(*rules(0, 400))
    before = model.score(*rules(99, 1000))
    for piece in range(8):
        model.adapt_gate(*rules(piece + 1, 50), unit * np.random.default_rng(piece).lognormal(size=50))
    assert model.score(*rules(99, 1000)) > before - 0.02


def test_sparse_rows_and_regression():
    X, y = two_lines(0, n_samples=400)
    dense, sparse = (MixtureOfExpertsRegressor(2, n_init=4, random_state=0).fit(X, y) for _ in range(2))
    dense.adapt_gate(X[:200], -y[:200])
    sparse.adapt_gate(sp.csr_array(X[:200]), -y[:200])
    assert_allclose(dense.predict(X), sparse.predict(X), atol=1e-3)
    assert dense.score(X, -y) > 0.8


def test_pieces_may_be_sparse_and_dense_in_turn():
    rows, density = np.arange(6.0)[:, None], np.zeros((6, 2))
    forms = rows, sp.csr_array(rows)
    for first in forms:
        for second in forms:
            both = remember(Recent(first, density, np.ones(6)), Recent(second, density, np.ones(6))).X_gate
            assert sp.issparse(both) == sp.issparse(first)
            assert_allclose(both.toarray() if sp.issparse(both) else both, np.vstack([rows, rows]))


@pytest.mark.parametrize("optimizer", ["auto", "em"])
def test_a_warm_start_takes_the_penalty_that_is_set(optimizer):
    """A stream opens the gate's penalty, and parameters change: what the next fit climbs is what a first one would."""
    table = rules(0, 300)
    model = MixtureOfExpertsClassifier(2, n_init=4, optimizer=optimizer, max_iter=500, warm_start=True, random_state=0).fit(*table)
    model.adapt_gate(*rules(1, 200, switched=True))
    assert model.gate_.alpha < 1
    model.set_params(alpha=300.0).fit(*table)
    assert model.gate_.alpha == model.experts_.alpha == 300
    assert np.abs(model.gate_.coef_).max() < 0.1


@pytest.mark.filterwarnings("ignore:Experts .* answer for less")
def test_a_warm_start_on_other_columns_begins_anew():
    X, y = rules(0, 200)
    settings = {"n_init": 4, "random_state": 0}
    warm = MixtureOfExpertsClassifier(2, **settings, warm_start=True).fit(X, y)
    for changed, table in (({"gate_features": [0]}, X), ({}, X[:, :1])):
        fresh = MixtureOfExpertsClassifier(2, **settings, **changed).fit(table, y)
        assert np.array_equal(warm.set_params(**changed).fit(table, y).gate_.coef_, fresh.gate_.coef_)


def test_a_new_fit_forgets_the_stream():
    model = MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(*rules(0, 200))
    model.adapt_gate(*rules(1, 50, switched=True))
    again = MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(*rules(0, 200))
    assert np.array_equal(model.fit(*rules(0, 200)).gate_.coef_, again.gate_.coef_)
    piece = rules(2, 200)
    assert np.array_equal(model.adapt_gate(*piece).gate_.coef_, again.adapt_gate(*piece).gate_.coef_)


def test_a_few_rows_do_not_move_the_gate():
    model = MixtureOfExpertsClassifier(2, n_init=4, random_state=0).fit(*rules(0, 400))
    before = model.predict_proba(rules(9, 100)[0])
    model.adapt_gate(*rules(1, 50, switched=True))
    assert np.array_equal(model.predict_proba(rules(9, 100)[0]), before)


def test_memory_is_a_number_of_rows():
    model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(*rules(0, 100))
    with pytest.raises(ValueError, match="memory must be a number of rows above zero"):
        model.adapt_gate(*rules(1, 10), memory=0)
    with pytest.raises(ValueError, match="got 'long'"):
        model.update_feedback(*rules(1, 10), memory="long")
    with pytest.raises(ValueError, match="got True"):
        model.adapt_gate(*rules(1, 10), memory=True)


@pytest.mark.parametrize("way", ["adapt_gate", "update_feedback", "partial_fit"])
def test_answers_of_a_piece_are_read_as_those_of_a_table(way):
    """A column of them is flattened with scikit-learn's warning, and none at all is refused, by `fit` and by every way to go on."""
    X, y = rules(0, 100)
    model = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, y)
    for learn in (deepcopy(model).fit, getattr(deepcopy(model), way)):
        with pytest.warns(DataConversionWarning, match="column-vector"):
            learn(X, y[:, None])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        getattr(model, way)(X, None)
    with pytest.raises(ValueError, match="one label for each of the 100 rows"):
        getattr(model, way)(X, y[1:])
