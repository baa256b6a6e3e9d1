"""Mixtures of experts with a learned gate."""

from ensemblekit.mixture.classifier import MixtureOfExpertsClassifier

__all__ = ["MixtureOfExpertsClassifier"]
