"""Averaging, weighted and voting ensembles of forests and boosted trees, and the rivals they are compared with."""

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.dynamic_selection import DynamicSelectionClassifier
from ensemblekit.ensembles.matched import matched_ensemble
from ensemblekit.ensembles.members import make_members
from ensemblekit.ensembles.search import search_experts
from ensemblekit.ensembles.stacking import StackingEnsembleClassifier, StackingEnsembleRegressor
from ensemblekit.ensembles.voting import VotingEnsembleClassifier, VotingEnsembleRegressor
from ensemblekit.ensembles.weighted import WeightedEnsembleClassifier, WeightedEnsembleRegressor

__all__ = [
    "AveragingEnsembleClassifier",
    "AveragingEnsembleRegressor",
    "DynamicSelectionClassifier",
    "StackingEnsembleClassifier",
    "StackingEnsembleRegressor",
    "VotingEnsembleClassifier",
    "VotingEnsembleRegressor",
    "WeightedEnsembleClassifier",
    "WeightedEnsembleRegressor",
    "make_members",
    "matched_ensemble",
    "search_experts",
]
