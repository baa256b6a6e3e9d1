"""Smaller models: pruned, distilled, quantised, each with a report of what it gave up and what it saved."""

from ensemblekit.compression.footprint import CompressionReport, Footprint
from ensemblekit.compression.pruning import Pruned, prune
from ensemblekit.compression.quantizing import Quantized, QuantizedModel, quantize

__all__ = ["CompressionReport", "Footprint", "Pruned", "Quantized", "QuantizedModel", "prune", "quantize"]
