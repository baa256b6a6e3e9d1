"""Mixtures of experts with a learned gate."""
