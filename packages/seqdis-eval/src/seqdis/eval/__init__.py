"""Evaluation for seqdis: judges, metrics, published protocols and reports."""
