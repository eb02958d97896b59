"""Judges: classifiers of real clips that say what a generated clip shows."""
