"""Video for seqdis: datasets, presets, U-Net backbones, mp4/gif/webm/image folders."""

from __future__ import annotations

from seqdis.video.modality import VideoModality
from seqdis.video.options import VideoOptions

__all__ = ["VideoModality", "VideoOptions"]
