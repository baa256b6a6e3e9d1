"""Averaging, weighted and voting ensembles of forests and boosted trees."""
