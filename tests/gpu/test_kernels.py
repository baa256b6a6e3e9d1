"""The kernels, run by the simulation, against the NumPy reference; and faults planted on purpose, which must show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ensemblekit.packed import pack, reference
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import LinearExpert, pack_expert
from ensemblekit.trees import read_trees
from ensemblekit_gpu.estep import expectation
from ensemblekit_gpu.evaluation import Evaluation
from ensemblekit_gpu.launching import Grid
from gpu.hostsim.host import NO_COMPILER, HostLauncher
from gpu.hostsim.isolated import run_isolated
from tests.packed.test_pack import gated
from tests.trees import zoo

pytestmark = pytest.mark.skipif(NO_COMPILER is not None, reason=str(NO_COMPILER))
ROWS = 150  # not a multiple of any block size


def simulate(model, X, *, threads=64, order=0, edits=None):
    return Evaluation(HostLauncher(order, edits), vars(model), threads=threads).predict_proba(X)


@pytest.mark.parametrize(("threads", "order"), [(32, 0), (96, 1), (64, 2), (128, 7)])
@pytest.mark.parametrize("top_k", [None, 1])
def test_mixed_experts(top_k, threads, order):
    model, X = gated(top_k)
    X = X[:ROWS]
    found = simulate(model, X, threads=threads, order=order)
    np.testing.assert_allclose(found, reference.predict_proba(model, X), atol=5e-6)


def test_the_order_of_threads_changes_nothing():
    model, X = gated(2)
    first, *others = (simulate(model, X[:ROWS], threads=t, order=o) for t, o in [(64, 0), (64, 1), (64, 5), (32, 3)])
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_votes():
    model, X = gated(None, combination="vote")
    found = simulate(model, X[:ROWS])
    np.testing.assert_allclose(found, reference.predict_proba(model, X[:ROWS]), atol=5e-6)


@pytest.mark.parametrize("name", ["xgboost", "random forest", "lightgbm", "hist gradient boosting"])
def test_trees_on_the_knifes_edge(name):
    """Thresholds, their float32 neighbours, NaN, infinities, zeros and denormals reach the reference's leaves."""
    X, y = zoo.table(3, missing=True)
    model = pack(zoo.fit(zoo.PLAIN[name](), X, y))
    edge = zoo.knife_edge(read_trees(zoo.fit(zoo.PLAIN[name](), X, y)), X)[:300]
    np.testing.assert_allclose(simulate(model, edge), reference.predict_proba(model, edge), atol=5e-6)


@pytest.mark.parametrize("name", zoo.CATEGORICAL)
def test_categories(name):
    X, y = zoo.table(3, missing=True, categorical=True)
    model = pack(zoo.fit(zoo.CATEGORICAL[name](), X, y, categorical=True))
    X = X[:ROWS].copy()
    X[:40, 1] = np.tile([-1, 69, 200, 1e9], 10)
    np.testing.assert_allclose(simulate(model, X), reference.predict_proba(model, X), atol=5e-6)


def linear_model(top_k=None, n_features=8, combination="mean"):
    rng = np.random.default_rng(1)
    experts = [
        LinearExpert(rng.normal(size=(3, n_features)), rng.normal(size=3), np.arange(3)),
        LinearExpert(rng.normal(size=(2, n_features)), rng.normal(size=2), np.array([0, 2])),
        LinearExpert(rng.normal(size=(3, n_features)), rng.normal(size=3), np.arange(3)),
        LinearExpert(rng.normal(size=(3, n_features)), rng.normal(size=3), np.arange(3)),
    ]
    gate = rng.normal(size=(n_features + 1, 4))
    gate[:, 3] = gate[:, 2]  # two gates always tie
    return assemble(gate, experts, kind="test", classes=np.arange(3), n_features=n_features, top_k=top_k, combination=combination)


@pytest.mark.parametrize("top_k", [None, 2, 1])
@pytest.mark.parametrize("combination", ["mean", "vote"])
def test_linear_mixture(top_k, combination):
    model = linear_model(top_k, combination=combination)
    X = np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32)
    np.testing.assert_allclose(simulate(model, X, threads=96), reference.predict_proba(model, X), atol=5e-6)


def test_rows_too_long_for_shared_memory():
    model = linear_model(n_features=700)
    X = np.random.default_rng(0).normal(size=(40, 700)).astype(np.float32) / 20
    np.testing.assert_allclose(simulate(model, X, threads=32), reference.predict_proba(model, X), atol=5e-6)
    X = np.random.default_rng(0).normal(size=(ROWS, 400)).astype(np.float32)
    forest = pack(zoo.fit(zoo.PLAIN["xgboost"](), X, (X[:, 3] + X[:, 399] > 0).astype(int)))
    np.testing.assert_allclose(simulate(forest, X, threads=64), reference.predict_proba(forest, X), atol=5e-6)


def test_constant_gates_and_experts_of_weight_zero():
    X, y = zoo.table(3)
    experts = [pack_expert(zoo.fit(zoo.PLAIN[name](), X, y), np.arange(3)) for name in ("xgboost", "lightgbm")]
    model = assemble(constant_gate([0, 1]), experts, kind="test", classes=np.arange(3), n_features=8)
    np.testing.assert_allclose(simulate(model, X[:ROWS]), reference.predict_proba(model, X[:ROWS]), atol=5e-6)


def test_no_rows():
    model, X = gated()
    assert simulate(model, X[:0]).shape == (0, 3)


@pytest.mark.parametrize("n", [1, 200, 1000])
def test_expectation(n):
    rng = np.random.default_rng(2)
    log_gate = np.log(rng.dirichlet(np.ones(5), n))
    log_density = rng.normal(size=(n, 5)) * 30
    weight = rng.integers(0, 3, n).astype(float)
    launcher = HostLauncher(order=3)
    found = expectation(launcher, *map(launcher.upload, (log_gate, log_density, weight)), threads=96)
    joint = log_gate + log_density
    total = np.logaddexp.reduce(joint, axis=1)
    expected = np.exp(joint - total[:, None])
    np.testing.assert_allclose(found.responsibilities, expected, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(found.column_sums, weight @ expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.log_likelihood, weight @ total, rtol=1e-12)


FAULTS = {
    "no barrier after copying trees": (
        "forest_perfect.cu",
        ("            __syncthreads();  // the batch is complete\n", ""),
    ),
    "no barrier before copying trees": (
        "forest_perfect.cu",
        ("            __syncthreads();  // everybody is done with the batch before\n", ""),
    ),
    "leaf index one too high": ("forest_perfect.cu", ("+ at[u] - SLOTS", "+ at[u] - SLOTS + 1")),
    "missing values go the other way": ("forest_perfect.cu", ("!(q.word >> 31)", "(q.word >> 31)")),
    "missing values go the other way, sparse": ("forest_sparse.cu", ("return q.word >> 28 & 1", "return !(q.word >> 28 & 1)")),
    "less instead of at most": ("forest_sparse.cu", ("v <= q.threshold", "v < q.threshold")),
    "at least instead of above": ("forest_perfect.cu", ("v > q.threshold", "v >= q.threshold")),
    "barrier inside a branch": (
        "forest_perfect.cu",
        ("    float sum[N_CLASSES];", "    if (!live) return;\n    float sum[N_CLASSES];"),
    ),
    "shared memory too small": ("forest_perfect.cu", ("tile = tree_leaves + (", "tile = tree_leaves + 64 + (")),
    "experts mixed up in the sort": ("route.cu", ("(int)(pair / TOP_K)", "(int)((pair + 1) / TOP_K)")),
    "last pair forgotten": ("route.cu", ("pair < n_pairs ? chosen", "pair < n_pairs - 1 ? chosen")),
}


@pytest.fixture(scope="module")
def two_forests():
    """A model with both forms of trees, and rows on the knife's edge of each."""
    X, y = zoo.table(3, missing=True)
    estimators = [zoo.fit(zoo.PLAIN[kind](), X, y) for kind in ("xgboost", "random forest")]
    experts = [pack_expert(estimator, np.arange(3)) for estimator in estimators]
    model = assemble(constant_gate([1, 2]), experts, kind="test", classes=np.arange(3), n_features=8)
    assert sorted(model.form) == [1, 2]
    rows = np.vstack([zoo.knife_edge(expert.trees, X)[:ROWS] for expert in experts])
    return model, rows, reference.predict_proba(model, rows)


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_planted_faults_are_caught(fault, two_forests):
    model, rows, expected = two_forests
    edits = {} if fault is None else dict([FAULTS[fault]])
    outcome = run_isolated(vars(model), rows, (0, 1, 2), edits)
    errors = [np.nan_to_num(np.abs(answer - expected), nan=np.inf).max() for answer in outcome.answers]
    caught = bool(outcome.fault) or max(errors) > 5e-6
    assert caught == (fault is not None), (outcome.fault, errors)


def test_divergent_barriers_are_named(two_forests):
    edit = ("    const int rank", "    if (threadIdx.x) __syncthreads();\n    const int rank")
    outcome = run_isolated(vars(two_forests[0]), two_forests[1], [0], {"route.cu": edit})
    assert outcome.fault == "route_scatter: a barrier that only part of a block reached"


def test_overruns_of_shared_memory_are_named(two_forests):
    edit = ("int* base = mine + N_EXPERTS;", "int* base = mine + N_EXPERTS + 4;")
    outcome = run_isolated(vars(two_forests[0]), two_forests[1], [0], {"route.cu": edit})
    assert outcome.fault == "route_scatter: a write behind the end of shared memory"


def test_launches_that_do_not_fit_the_table():
    launcher = HostLauncher()
    grid = Grid(1, 32, 64)
    good = {"chosen": np.zeros(2, np.int32), "n_pairs": 2, "counts": np.zeros(2, np.int32)}
    defines = {"N_EXPERTS": 2, "TOP_K": 1}
    for bad in (
        good | {"chosen": np.zeros(2)},
        good | {"chosen": np.zeros((2, 2), np.int32)[:, 0]},
        {**good, "other": 1},
    ):
        with pytest.raises(TypeError, match="route_count"):
            launcher.launch("route_count", defines, grid, bad)
    with pytest.raises(TypeError, match="constants"):
        launcher.launch("route_count", {"N_EXPERTS": 2}, grid, good)


def test_a_table_that_differs_from_the_kernel_does_not_compile():
    launcher = HostLauncher(edits={"route.cu": ("int n_pairs, int* __restrict__ counts", "float n_pairs, int* __restrict__ counts")})
    model, X = gated()
    with pytest.raises(RuntimeError, match="signature differ"):
        Evaluation(launcher, vars(model), threads=64).predict_proba(X[:ROWS])


def test_more_experts_than_bits():
    model, _ = gated()
    many = replace(model, base=np.zeros((65, 3)))
    with pytest.raises(ValueError, match="at most 64 experts"):
        Evaluation(HostLauncher(), vars(many))
