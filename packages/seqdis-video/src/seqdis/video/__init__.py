"""Video for seqdis: datasets, presets, U-Net backbones, mp4/gif/webm/image folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.video.modality import VideoModality
    from seqdis.video.options import VideoOptions

__all__ = ["VideoModality", "VideoOptions"]

_HOMES = {
    "modality": ["VideoModality"],
    "options": ["VideoOptions"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
