"""Faults planted in the kernels on purpose: the comparison with the reference, or the simulation, must see each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ensemblekit.packed import reference
from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit_gpu.evaluation import Evaluation
from ensemblekit_gpu.launching import Grid
from gpu.hostsim.host import NO_COMPILER, HostLauncher
from gpu.hostsim.isolated import run_isolated
from tests.gpu.models import fitted, mixed_model
from tests.trees.edges import knife_edge, table

pytestmark = pytest.mark.skipif(NO_COMPILER is not None, reason=str(NO_COMPILER))

FAULTS = {
    "no barrier after copying rows": ("gate.cu", ("    __syncwarp();  // no other warp writes these rows\n", "")),
    "rows of a neighbour": ("forest_perfect.cu", ("return Row{tile + t, T}", "return Row{tile + (t ^ 1), T}")),
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
        ("        float sum[WIDTH] = {};", "        if (!live) return;\n        float sum[WIDTH] = {};"),
    ),
    "shared memory too small": ("forest_perfect.cu", ("tile = tree_leaves + (", "tile = tree_leaves + 64 + (")),
    "experts mixed up in the sort": ("route.cu", ("(int)(pair / TOP_K)", "(int)((pair + 1) / TOP_K)")),
    "another expert's region": ("gate_logits.cu", ("mean + (long long)k * d", "mean + (long long)(k ^ 1) * d")),
    "a node too wide": ("gate_logits.cu", ("node[end] == node[begin]", "node[end] <= node[begin] + 1")),
    "a path that ends too early": ("gate_logits.cu", ("level < levels", "level < levels - 1")),
    "a class without a floor": ("gate_logits.cu", ("fmaxf(proba[r * K + k], floor)", "proba[r * K + k]")),
    "differences after rounding": (
        "gate.cu",
        ("(float)(logits[row * N_EXPERTS + k] - top)", "(float)logits[row * N_EXPERTS + k] - (float)top"),
    ),
    "the best may fall below the threshold": ("gate.cu", ("&& k != best", "")),
    "last pair forgotten": ("route.cu", ("pair < n_pairs ? chosen", "pair < n_pairs - 1 ? chosen")),
}


# Faults that two forests under a constant gate cannot show.
NEED_A_GATE = {
    "no barrier after copying rows": {},
    "another expert's region": {"gate": "gaussian"},
    "a node too wide": {"gate": "hierarchy"},
    "a path that ends too early": {"gate": "hierarchy"},
    "a class without a floor": {"gate": "classifier", "combination": "additive"},
    "differences after rounding": {"gate": "gaussian"},
    "the best may fall below the threshold": {"threshold": 0.9},
}


@pytest.fixture(scope="module")
def two_forests():
    """A model with both forms of trees, and rows on the knife's edge of each."""
    X, _ = table(3, missing=True)
    kinds = ("perfect, one value a leaf", "sparse, a leaf for all classes")
    experts = [fitted(kind, 3, True)[1] for kind in kinds]
    model = assemble(constant_gate([1, 2]), experts, kind="test", classes=np.arange(3), n_features=8)
    assert list(model.form) == [1, 2]
    rows = np.vstack([knife_edge(expert.trees, X)[:150] for expert in experts])
    return model, rows, reference.predict_proba(model, rows)


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_planted_faults_are_caught(fault, two_forests):
    model, rows, expected = two_forests
    if fault in NEED_A_GATE:
        model, rows = mixed_model(2 if fault.startswith("no barrier") else None, **NEED_A_GATE[fault])
        expected = reference.predict_proba(model, rows)
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
    model, X = mixed_model()
    with pytest.raises(RuntimeError, match="signature differ"):
        Evaluation(launcher, vars(model), threads=64).predict_proba(X)


def test_more_experts_than_bits():
    model, _ = mixed_model()
    many = replace(model, base=np.zeros((65, 3)))
    with pytest.raises(ValueError, match="at most 64 experts"):
        Evaluation(HostLauncher(), vars(many))
