"""Audio for seqdis: datasets, presets, log-mel frames, sound files of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.audio.mel import LogMel
    from seqdis.audio.modality import AudioModality
    from seqdis.audio.options import AudioOptions

__all__ = ["AudioModality", "AudioOptions", "LogMel"]

_HOMES = {
    "mel": ["LogMel"],
    "modality": ["AudioModality"],
    "options": ["AudioOptions"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
