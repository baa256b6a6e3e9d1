"""Mixtures of experts with a learned gate, plain ensembles, and an honest comparison of the two."""

__version__ = "0.1.0"
