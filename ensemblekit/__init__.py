"""Mixtures of experts with a learned gate, plain ensembles, and an honest comparison of the two."""

from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor

__version__ = "0.1.0"

__all__ = ["MixtureOfExpertsClassifier", "MixtureOfExpertsRegressor", "__version__"]
