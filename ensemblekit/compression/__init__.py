"""Smaller models: pruned, distilled, quantised, each with a report of what it gave up and what it saved."""

from ensemblekit.compression.distilling import Distilled, distill
from ensemblekit.compression.estimators import (
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)
from ensemblekit.compression.footprint import CompressionReport, Footprint
from ensemblekit.compression.pruning import Pruned, prune
from ensemblekit.compression.quantizing import Quantized, QuantizedModel, quantize

__all__ = [
    "CompressionReport",
    "Distilled",
    "DistilledClassifier",
    "DistilledRegressor",
    "Footprint",
    "Pruned",
    "PrunedClassifier",
    "PrunedRegressor",
    "Quantized",
    "QuantizedClassifier",
    "QuantizedModel",
    "QuantizedRegressor",
    "distill",
    "prune",
    "quantize",
]
