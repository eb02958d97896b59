"""Protocols: whole measurements of a trained model, from data to metrics."""
