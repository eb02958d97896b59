"""Preparing videos for training: cutting to a region, resizing, sampling at another rate."""
