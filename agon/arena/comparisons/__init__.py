"""Comparisons of runs and experiments by the scores on record."""
