"""Real machine code for real GPUs, compiled without one: it must compile, without local memory, and leave registers to spare."""

from __future__ import annotations

import pytest

from ensemblekit_gpu.signatures import kernels_of
from gpu.hostsim import nvrtc

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(
        nvrtc.library() is None,
        reason="NVRTC is not installed: pip install nvidia-cuda-nvrtc (no driver is needed), or use a machine with CUDA",
    ),
]
CASES = [
    ("gate.cu", {"N_EXPERTS": 8, "TOP_K": 8}),
    ("gate.cu", {"N_EXPERTS": 8, "TOP_K": 1}),
    ("linear_mixture.cu", {"N_CLASSES": 3, "N_EXPERTS": 8, "TOP_K": 8}),
    ("linear_mixture.cu", {"N_CLASSES": 3, "N_EXPERTS": 8, "TOP_K": 1}),
    ("linear_mixture.cu", {"N_CLASSES": 10}),
    ("route.cu", {"N_EXPERTS": 8, "TOP_K": 1}),
    ("forest_perfect.cu", {"N_CLASSES": 3, "DEPTH": 6, "VECTOR": 0}),
    ("forest_perfect.cu", {"N_CLASSES": 3, "DEPTH": 6, "VECTOR": 1}),
    ("forest_perfect.cu", {"N_CLASSES": 10, "DEPTH": 8, "VECTOR": 0}),
    ("forest_perfect.cu", {"N_CLASSES": 2, "DEPTH": 0, "VECTOR": 0}),
    ("forest_sparse.cu", {"N_CLASSES": 3, "VECTOR": 0}),
    ("forest_sparse.cu", {"N_CLASSES": 10, "VECTOR": 1}),
    ("combine.cu", {"N_CLASSES": 3, "TOP_K": 8}),
    ("combine.cu", {"N_CLASSES": 10, "TOP_K": 1}),
    ("gate_logits.cu", {}),
    ("marginal.cu", {}),
    ("em_estep.cu", {"N_EXPERTS": 8}),
]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("source", "defines"), CASES)
def test_machine_code(source, defines, architecture):
    usage = nvrtc.compile_kernels(source, defines, architecture)
    assert set(usage) == set(kernels_of(source, list(defines)))
    for name, used in usage.items():
        assert used.stack == 0, (name, used)
        assert used.spills == 0, (name, used)
        assert used.registers <= 64, (name, used)


def test_the_compiler_is_not_lenient():
    """A standard header name slips through nvcc, but not through NVRTC: the reason to compile with it."""
    with pytest.raises(RuntimeError, match="N_EXPERTS"):
        nvrtc.compile_kernels("gate.cu", {}, "sm_90")


def test_local_memory_would_be_seen():
    call = "    gate_softmax<N_EXPERTS, TOP_K>(g);"
    edit = (call, f"{call}\n    g[d % N_EXPERTS] += 1.f;")  # an index that only run time knows
    usage = nvrtc.compile_kernels("gate.cu", {"N_EXPERTS": 8, "TOP_K": 1}, "sm_90", edit)
    assert usage["gate"].stack > 0
