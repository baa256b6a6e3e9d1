"""Averaging, weighted and voting ensembles of forests and boosted trees."""

from ensemblekit.ensembles.averaging import AveragingEnsembleClassifier
from ensemblekit.ensembles.voting import VotingEnsembleClassifier
from ensemblekit.ensembles.weighted import WeightedEnsembleClassifier

__all__ = ["AveragingEnsembleClassifier", "VotingEnsembleClassifier", "WeightedEnsembleClassifier"]
