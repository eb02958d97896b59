"""DSVAE: a sequential VAE whose factors only the structure of its model separates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.dsvae.config import DSVAEConfig
    from seqdis.core.methods.dsvae.method import DSVAE

__all__ = ["DSVAE", "DSVAEConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["DSVAEConfig"], "method": ["DSVAE"]})
