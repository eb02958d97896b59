"""Audio for seqdis: datasets, presets, log-mel frames, wav and flac."""

from __future__ import annotations

from seqdis.audio.mel import LogMel
from seqdis.audio.modality import AudioModality
from seqdis.audio.options import AudioOptions

__all__ = ["AudioModality", "AudioOptions", "LogMel"]
