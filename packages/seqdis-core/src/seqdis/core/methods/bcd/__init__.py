"""Bitrate-controlled diffusion: T5 encoder, group vector quantisation, DiT decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.bcd.config import BCDConfig
    from seqdis.core.methods.bcd.method import BCD

__all__ = ["BCD", "BCDConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["BCDConfig"], "method": ["BCD"]})
