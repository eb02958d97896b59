"""VDSM: a video VAE with a mixture decoder, trained in two stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.vdsm.config import VDSMConfig
    from seqdis.core.methods.vdsm.method import VDSM

__all__ = ["VDSM", "VDSMConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["VDSMConfig"], "method": ["VDSM"]})
