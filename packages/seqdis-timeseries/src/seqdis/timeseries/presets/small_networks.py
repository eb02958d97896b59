"""Recurrent networks that suit a CPU, which the presets of DSVAE and S3VAE share."""

from __future__ import annotations

from seqdis.core.vae_preset import NetworkSizes

__all__ = ["SERIES_NETWORKS"]

SERIES_NETWORKS: NetworkSizes = {"features": 64, "hidden_dim": 64, "layer_norm": True}
"""For steps of a few channels."""
