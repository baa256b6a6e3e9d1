"""scikit-learn Displays: pictures of fitted models."""

from ensemblekit.displays.em_trace import EMTraceDisplay
from ensemblekit.displays.ensemble_cost import EnsembleCostDisplay
from ensemblekit.displays.ensemble_size import EnsembleSizeDisplay
from ensemblekit.displays.expert_load import ExpertLoadDisplay
from ensemblekit.displays.gate_map import GateDisplay

__all__ = ["EMTraceDisplay", "EnsembleCostDisplay", "EnsembleSizeDisplay", "ExpertLoadDisplay", "GateDisplay"]
