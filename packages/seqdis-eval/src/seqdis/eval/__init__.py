"""Evaluation for seqdis: judges, swap scores, reconstruction error and the results page."""
