"""The presets for audio, a file a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seqdis.audio.presets import diffsda, dsvae, s3vae
from seqdis.core.config import RunConfig

__all__ = ["PRESETS"]

PRESETS: Mapping[str, Callable[[], RunConfig]] = MappingProxyType(
    {
        "diffsda-timit": diffsda.diffsda_timit,
        "diffsda-librispeech": diffsda.diffsda_librispeech,
        "diffsda-arabic": diffsda.diffsda_arabic,
        "diffsda-tones": diffsda.diffsda_tones,
        "diffsda-audio": diffsda.diffsda_audio,
        "dsvae-timit": dsvae.dsvae_timit,
        "dsvae-tones": dsvae.dsvae_tones,
        "dsvae-audio": dsvae.dsvae_audio,
        "s3vae-timit": s3vae.s3vae_timit,
        "s3vae-tones": s3vae.s3vae_tones,
    }
)
"""What builds each preset, by the preset's name."""
