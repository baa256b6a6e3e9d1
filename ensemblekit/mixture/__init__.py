"""Mixtures of experts with a learned gate."""

from ensemblekit.mixture.classifier import MixtureOfExpertsClassifier
from ensemblekit.mixture.experts.boosted import BoostedExperts
from ensemblekit.mixture.gates.classifier import ClassifierGate
from ensemblekit.mixture.gates.constant import ConstantGate
from ensemblekit.mixture.gates.gaussian import GaussianGate
from ensemblekit.mixture.gates.hierarchical import HierarchicalGate
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.mixture.regressor import MixtureOfExpertsRegressor
from ensemblekit.mixture.transfer import frozen_experts

__all__ = [
    "BoostedExperts",
    "ClassifierGate",
    "ConstantGate",
    "GaussianGate",
    "HierarchicalGate",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "SoftmaxGate",
    "frozen_experts",
]
