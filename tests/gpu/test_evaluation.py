"""Every kernel against the NumPy reference: on the simulated device always, and by the same tests on a CUDA device."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ensemblekit.packed import reference
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import LinearExpert, pack_expert
from ensemblekit_gpu.estep import expectation
from ensemblekit_gpu.evaluation import Evaluation
from gpu.hostsim.host import NO_COMPILER, HostLauncher
from tests.gpu.models import GATES, TREES, categorical_model, fitted, forest_model, linear_model, mixed_model, regression_model
from tests.trees.edges import table

simulated = pytest.mark.skipif(NO_COMPILER is not None, reason=str(NO_COMPILER))


@pytest.fixture(params=[pytest.param("simulated", marks=simulated), pytest.param("cuda", marks=pytest.mark.gpu)])
def make_launcher(request):
    """Make a device; only the simulated one has an order of threads."""
    if request.param == "simulated":
        return HostLauncher
    cupy_launcher = pytest.importorskip("ensemblekit_gpu.cupy_launcher", reason="CuPy is not installed", exc_type=ImportError)
    return lambda order=0: cupy_launcher.CupyLauncher()


def evaluate(launcher, model, X, threads=64):
    answer = Evaluation(launcher, vars(model), threads=threads).predict_proba(launcher.upload(X))
    return to_host(answer)


def to_host(array):
    return array.get() if hasattr(array, "get") else array


@pytest.mark.parametrize(("threads", "order"), [(32, 0), (96, 1), (64, 2), (128, 7)])
@pytest.mark.parametrize("top_k", [None, 1])
def test_mixed_experts(make_launcher, top_k, threads, order):
    model, X = mixed_model(top_k)
    found = evaluate(make_launcher(order), model, X, threads)
    np.testing.assert_allclose(found, reference.predict_proba(model, X), atol=5e-6)


def test_the_order_of_threads_changes_nothing(make_launcher):
    model, X = mixed_model(2)
    first, *others = (evaluate(make_launcher(order), model, X, threads) for threads, order in [(64, 0), (64, 1), (64, 5), (32, 3)])
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("top_k", [None, 2])
@pytest.mark.parametrize("gate", GATES)
def test_gates(make_launcher, gate, top_k):
    model, X = mixed_model(top_k, gate=gate)
    np.testing.assert_allclose(evaluate(make_launcher(2), model, X), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.parametrize("gate", ["softmax", "hierarchy"])
@pytest.mark.parametrize("combination", ["product", "additive"])
def test_thresholds_and_combinations(make_launcher, combination, gate):
    model, X = mixed_model(combination=combination, gate=gate, threshold=0.3)
    assert {1, 2} <= set((reference.gate_proba(model, X) > 0).sum(axis=1))
    np.testing.assert_allclose(evaluate(make_launcher(), model, X), reference.predict_proba(model, X), atol=5e-6)


def test_no_class_is_possible(make_launcher):
    """Two certain experts that contradict each other are evened out."""
    sure = np.array([[0.0, -np.inf], [-np.inf, 0.0]])
    experts = [LinearExpert(np.zeros((2, 3)), intercept, np.arange(2)) for intercept in sure]
    model = assemble(constant_gate([1, 1]), experts, kind="test", classes=np.arange(2), n_features=3, combination="product")
    np.testing.assert_array_equal(evaluate(make_launcher(), model, np.zeros((5, 3), np.float32)), 0.5)


def test_regressors(make_launcher):
    model, X = regression_model()
    np.testing.assert_allclose(evaluate(make_launcher(), model, X), reference.predict_proba(model, X), rtol=2e-6, atol=2e-6)
    lines, X = linear_model(combination="mean")
    lines = replace(lines, link=np.zeros(4, np.int32), linear=np.nan_to_num(lines.linear, neginf=0.0))
    np.testing.assert_allclose(evaluate(make_launcher(), lines, X), reference.predict_proba(lines, X), rtol=2e-6, atol=2e-6)


def test_votes(make_launcher):
    model, X = mixed_model(combination="vote")
    np.testing.assert_allclose(evaluate(make_launcher(), model, X), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", TREES)
def test_trees_on_the_knifes_edge(make_launcher, name, n_classes):
    """Thresholds, their float32 neighbours, NaN, infinities, zeros and denormals reach the reference's leaves."""
    model, X = forest_model(name, n_classes=n_classes)
    np.testing.assert_allclose(evaluate(make_launcher(2), model, X), reference.predict_proba(model, X), atol=5e-6)


def test_categories(make_launcher):
    model, X = categorical_model()
    np.testing.assert_allclose(evaluate(make_launcher(), model, X), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.parametrize("top_k", [None, 2, 1])
@pytest.mark.parametrize("combination", ["mean", "vote", "product", "additive"])
def test_linear_mixture(make_launcher, top_k, combination):
    model, X = linear_model(top_k, combination=combination)
    np.testing.assert_allclose(evaluate(make_launcher(), model, X, 96), reference.predict_proba(model, X), atol=5e-6)


def test_rows_too_long_for_shared_memory(make_launcher):
    model, X = linear_model(n_features=700, rows=40)
    np.testing.assert_allclose(evaluate(make_launcher(), model, X, 32), reference.predict_proba(model, X), atol=5e-6)
    X = np.random.default_rng(0).normal(size=(150, 400)).astype(np.float32)
    with threadpool_limits(1):
        trees = TREES["perfect, one value a leaf"]().fit(X, X[:, 3] + X[:, 399] > 0)
    forest = assemble(constant_gate([1]), [pack_expert(trees, trees.classes_)], kind="test", classes=trees.classes_, n_features=400)
    np.testing.assert_allclose(evaluate(make_launcher(), forest, X), reference.predict_proba(forest, X), atol=5e-6)


def test_experts_of_weight_zero(make_launcher):
    X, _ = table(3)
    experts = [fitted(name, 3, True)[1] for name in list(TREES)[:2]]
    model = assemble(constant_gate([0, 1]), experts, kind="test", classes=np.arange(3), n_features=8)
    np.testing.assert_allclose(evaluate(make_launcher(), model, X), reference.predict_proba(model, X), atol=5e-6)


def test_no_rows(make_launcher):
    model, X = mixed_model()
    assert evaluate(make_launcher(), model, X[:0]).shape == (0, 3)


@pytest.mark.parametrize("n", [1, 200, 1000])
def test_expectation(make_launcher, n):
    rng = np.random.default_rng(2)
    log_gate = np.log(rng.dirichlet(np.ones(5), n))
    log_density = rng.normal(size=(n, 5)) * 30
    log_density[:, 2] = -np.inf
    weight = rng.integers(0, 3, n).astype(float)
    launcher = make_launcher(3)
    found = map(to_host, expectation(launcher, *map(launcher.upload, (log_gate, log_density, weight)), threads=96))
    joint = log_gate + log_density
    total = np.logaddexp.reduce(joint, axis=1)
    expected = np.exp(joint - total[:, None])
    for ours, theirs in zip(found, (expected, weight @ expected, weight @ total), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-300)


def test_rows_that_no_expert_explains_are_shared_evenly(make_launcher):
    launcher = make_launcher()
    log_gate, log_density = np.log(np.full((3, 2), 0.5)), np.array([[0.0, -np.inf], [-np.inf, -np.inf], [-1.0, -1.0]])
    found = expectation(launcher, *map(launcher.upload, (log_gate, log_density, np.ones(3))), threads=32)
    np.testing.assert_allclose(to_host(found.responsibilities), [[1, 0], [0.5, 0.5], [0.5, 0.5]])
    assert to_host(found.log_likelihood) == -np.inf
