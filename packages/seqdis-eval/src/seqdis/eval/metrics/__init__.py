"""Metrics: pure functions on arrays, one file each."""
