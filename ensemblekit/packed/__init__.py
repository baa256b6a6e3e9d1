"""Gate, experts and ensembles as one flat model, evaluated by one engine on the CPU or on a GPU."""

from ensemblekit.packed import ensembles, logistic, mixture_gates, mixtures, pipelines, priors, regressions  # noqa: F401  # they register themselves
from ensemblekit.packed.compute import Compute, compute
from ensemblekit.packed.model import PackedModel, Work
from ensemblekit.packed.onnx_export import to_onnx
from ensemblekit.packed.packing import pack, register_single_kinds

register_single_kinds()

__all__ = ["Compute", "PackedModel", "Work", "compute", "pack", "to_onnx"]
