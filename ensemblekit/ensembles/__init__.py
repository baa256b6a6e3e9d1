"""Averaging, weighted and voting ensembles of forests and boosted trees."""

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier, AveragingEnsembleRegressor
from ensemblekit.ensembles.members import make_members
from ensemblekit.ensembles.voting import VotingEnsembleClassifier, VotingEnsembleRegressor
from ensemblekit.ensembles.weighted import WeightedEnsembleClassifier, WeightedEnsembleRegressor

__all__ = [
    "AveragingEnsembleClassifier",
    "AveragingEnsembleRegressor",
    "VotingEnsembleClassifier",
    "VotingEnsembleRegressor",
    "WeightedEnsembleClassifier",
    "WeightedEnsembleRegressor",
    "make_members",
]
