"""DiffSDA: a semantic encoder and an EDM diffusion decoder for any modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.diffsda.config import DiffSDAConfig
    from seqdis.core.methods.diffsda.method import DiffSDA

__all__ = ["DiffSDA", "DiffSDAConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["DiffSDAConfig"], "method": ["DiffSDA"]})
