"""S3VAE: a sequential VAE with self-supervised signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.s3vae.config import S3VAEConfig
    from seqdis.core.methods.s3vae.method import S3VAE

__all__ = ["S3VAE", "S3VAEConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["S3VAEConfig"], "method": ["S3VAE"]})
