"""Gates: every kind learns the same division of the table, and its M-step climbs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit.mixture import ClassifierGate, ConstantGate, GaussianGate, HierarchicalGate, SoftmaxGate
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table, two_lines

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")

GATES = [
    SoftmaxGate(alpha=0.1),
    ConstantGate(),
    GaussianGate(),
    GaussianGate("diag"),
    GaussianGate("tied"),
    GaussianGate("spherical"),
    HierarchicalGate((2, 2), alpha=0.1),
    ClassifierGate(LogisticRegression()),
]


def soft_division(n_samples=150, n_experts=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3)) * [1, 10, 0.1] + [0, 5, 1]
    return X, rng.dirichlet(np.ones(n_experts), size=n_samples), rng.uniform(0.5, 2, size=n_samples)


@pytest.mark.parametrize("gate", GATES, ids=repr)
def test_log_proba_is_a_distribution(gate):
    X, responsibilities, weight = soft_division()
    log_proba = gate.fit(X, responsibilities, weight).log_proba(X)
    assert log_proba.shape == (150, 4)
    assert_allclose(np.exp(log_proba).sum(axis=1), 1)


def objective(gate, X, responsibilities, weight):
    return float(np.sum(weight[:, None] * responsibilities * gate.log_proba(X))) - gate.penalty()


@pytest.mark.parametrize("gate", [SoftmaxGate(alpha=0.1), HierarchicalGate((2, 2), alpha=0.1)], ids=repr)
def test_m_step_is_a_maximum(gate):
    X, responsibilities, weight = soft_division()
    gate.fit(X, responsibilities, weight)
    best = objective(gate, X, responsibilities, weight)
    nodes = [gate] if isinstance(gate, SoftmaxGate) else [node for level in gate.nodes_ for node in level]
    for node in nodes:
        for array in (node.coef_, node.intercept_):
            for at in np.ndindex(array.shape):
                for step in (-1e-3, 1e-3):
                    array[at] += step
                    assert objective(gate, X, responsibilities, weight) <= best + 1e-9
                    array[at] -= step


def test_softmax_gate_with_hard_targets_is_logistic_regression():
    X, responsibilities, weight = soft_division()
    which = responsibilities.argmax(axis=1)
    gate = SoftmaxGate(alpha=2.0).fit(X, np.eye(4)[which], weight)
    plain = LogisticRegression(C=0.5, solver="newton-cholesky", tol=1e-10).fit(X, which, sample_weight=weight)
    assert_allclose(np.exp(gate.log_proba(X)), plain.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "tied", "spherical"])
def test_gaussian_gate_is_an_m_step_of_gaussian_mixture(covariance_type):
    X, responsibilities, _ = soft_division(n_experts=2)
    gate = GaussianGate(covariance_type, reg_covar=0).fit(X, responsibilities, np.ones(len(X)))
    plain = GaussianMixture(2, covariance_type=covariance_type, reg_covar=0)
    plain._initialize(X, responsibilities)
    assert_allclose(np.exp(gate.log_proba(X)), plain.predict_proba(X), atol=1e-8)


def test_flat_hierarchy_is_softmax():
    X, responsibilities, weight = soft_division()
    flat = HierarchicalGate((4,), alpha=0.3).fit(X, responsibilities, weight)
    softmax = SoftmaxGate(alpha=0.3).fit(X, responsibilities, weight)
    assert_allclose(flat.log_proba(X), softmax.log_proba(X), atol=1e-6)
    assert_allclose(flat.penalty(), softmax.penalty())


def test_constant_gate_makes_a_plain_mixture():
    X, y = two_lines(1)
    model = MixtureOfExpertsRegressor(2, gate="constant", alpha=1e-6, n_init=5, random_state=0).fit(X, y)
    proba = model.gate_proba(X)
    assert_allclose(proba, np.broadcast_to(proba[0], proba.shape))
    assert_allclose(np.sort(model.experts_.coef_[:, 0]), [-1, 1], atol=0.1)
    by_steps = MixtureOfExpertsRegressor(2, gate="constant", alpha=1e-6, optimizer="em", n_init=5, tol=1e-9, random_state=0).fit(X, y)
    assert_allclose(by_steps.lower_bound_, model.lower_bound_, rtol=1e-4)


@pytest.mark.parametrize("gate", ["gaussian", GaussianGate("diag"), HierarchicalGate((2, 2))], ids=repr)
def test_bound_never_falls(gate):
    X, y = gated_table(0)
    model = MixtureOfExpertsClassifier(4, gate=gate, n_init=2, tol=1e-5, random_state=0).fit(X, y)
    assert len(model.lower_bounds_) > 2
    assert np.all(np.diff(model.lower_bounds_) >= 0)


def test_any_classifier_divides_the_lines():
    X, y = two_lines(2)
    for gate in (LogisticRegression(), DecisionTreeClassifier(max_depth=2)):
        model = MixtureOfExpertsRegressor(2, gate=gate, alpha=1e-3, n_init=5, random_state=0).fit(X, y)
        assert model.score(X, y) > 0.85
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        MixtureOfExpertsRegressor(2, gate=KNeighborsClassifier(), n_init=1, max_iter=3, tol=0.1, random_state=0).fit(X, y)


def test_gate_features_by_position_and_name():
    pd = pytest.importorskip("pandas")
    X, y = two_lines(3)
    by_position = MixtureOfExpertsRegressor(2, gate_features=[1], n_init=3, random_state=0).fit(X, y)
    assert by_position.gate_.coef_.shape == (2, 1)
    frame = pd.DataFrame(X, columns=["slope", "side"])
    by_name = MixtureOfExpertsRegressor(2, gate_features=["side"], n_init=3, random_state=0).fit(frame, y)
    assert_allclose(by_name.predict(frame), by_position.predict(X))
    moved = X.copy()
    moved[:, 0] += 5
    assert_allclose(by_position.gate_proba(moved), by_position.gate_proba(X))
    with pytest.raises(ValueError, match=r"gate_features=\['nowhere'\] does not fit the columns; there are \['slope', 'side'\]"):
        MixtureOfExpertsRegressor(2, gate_features=["nowhere"]).fit(frame, y)


def test_wrong_gates_are_refused():
    X, y = two_lines(4)
    with pytest.raises(ValueError, match=r"has 4 leaves, and the mixture n_experts=3"):
        MixtureOfExpertsRegressor(3, gate=HierarchicalGate((2, 2)), n_init=1).fit(X, y)
    with pytest.raises(ValueError, match=r"must be one of \('full', 'tied', 'diag', 'spherical'\); got 'round'"):
        MixtureOfExpertsRegressor(2, gate=GaussianGate("round"), n_init=1).fit(X, y)
    with pytest.raises(ValueError, match="a gate object or a classifier"):
        MixtureOfExpertsRegressor(2, gate=Ridge(), n_init=1).fit(X, y)


@pytest.mark.filterwarnings("ignore:The penalised log-likelihood fell")  # of two experts under a penalised classifier
def test_a_classifier_over_one_expert_has_nothing_to_learn():
    X, y = gated_table(0)
    model = MixtureOfExpertsClassifier(1, gate=LogisticRegression(), random_state=0).fit(X, y)
    plain = MixtureOfExpertsClassifier(1, optimizer="em", tol=1e-9, random_state=0).fit(X, y)
    assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=1e-3)
    assert_allclose(pack(model).predict_proba(X), model.predict_proba(X), atol=1e-5)
    chosen = MixtureOfExpertsClassifier("auto", selection="cv", max_experts=2, n_init=1, gate=LogisticRegression(), random_state=0)
    assert chosen.fit(X, y).n_experts_ == 2
