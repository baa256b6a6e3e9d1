"""scikit-learn Displays: pictures of fitted models and of comparisons."""

from ensemblekit.displays.em_trace import EMTraceDisplay
from ensemblekit.displays.ensemble_cost import EnsembleCostDisplay
from ensemblekit.displays.ensemble_size import EnsembleSizeDisplay
from ensemblekit.displays.expert_load import ExpertLoadDisplay
from ensemblekit.displays.expert_number import ExpertNumberDisplay
from ensemblekit.displays.gate_map import GateDisplay
from ensemblekit.displays.paired_difference import PairedDifference, PairedDifferenceDisplay
from ensemblekit.displays.pareto import ParetoDisplay, ParetoPoint

__all__ = [
    "EMTraceDisplay",
    "EnsembleCostDisplay",
    "EnsembleSizeDisplay",
    "ExpertLoadDisplay",
    "ExpertNumberDisplay",
    "GateDisplay",
    "PairedDifference",
    "PairedDifferenceDisplay",
    "ParetoDisplay",
    "ParetoPoint",
]
