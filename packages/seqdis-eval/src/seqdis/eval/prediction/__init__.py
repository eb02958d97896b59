"""Prediction: heads and plain models that read labels, outcomes and numbers from factors."""
