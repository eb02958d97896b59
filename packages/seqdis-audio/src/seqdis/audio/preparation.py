"""The preparation of sound files for training: one channel, another rate, no silence at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from seqdis.audio.io import read_wave, write_wave
from seqdis.audio.sound_info import sound_info
from seqdis.audio.trimming import sounding_part
from seqdis.core.config import Config, parse_config
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError

__all__ = ["AudioPreparation", "AudioPreparationOptions", "audio_preparation"]


class AudioPreparationOptions(Config):
    """The sample rate, what counts as silence, and what is written."""

    silence_db: float | None = Field(
        40.0,
        gt=0,
        description="silence before and after the sound, this far below its loudest 20 ms, is cut off; none keeps it",
    )
    margin: float = Field(0.1, ge=0, description="seconds that are kept around the sound")
    sample_rate: int | None = Field(None, ge=1000, le=192000, description="Hz; none keeps the file's own")
    format: Literal["wav", "flac"] = Field("wav", description="what is written, with 16 bits a sample")


@dataclass(frozen=True)
class AudioPreparation(FilePreparation):
    """A recording of one channel, resampled, without silence before and after its sound."""

    options: AudioPreparationOptions

    def suffix(self, source: Path) -> str:
        return f".{self.options.format}"

    def prepare(self, source: Path, target: Path) -> Mapping[str, Any]:
        options = self.options
        rate = options.sample_rate or sound_info(source).rate
        wave = read_wave(source, rate)
        if not bool(wave.any()):
            raise InputError("every sample is 0: there is nothing but silence")
        if options.silence_db is None:
            write_wave(target, wave, rate)
            return {"seconds": len(wave) / rate}
        part = sounding_part(Sound(wave, rate), silence_db=options.silence_db, margin=options.margin)
        write_wave(target, wave[part.first : part.last], rate)
        return {
            "seconds": (part.last - part.first) / rate,
            "cut_before": part.first / rate,
            "cut_after": (len(wave) - part.last) / rate,
        }


def audio_preparation(options: Mapping[str, Any]) -> AudioPreparation:
    """Check the settings of a preparation.

    Raises:
        InputError: An option is unknown or out of range.
    """
    return AudioPreparation(parse_config(AudioPreparationOptions, options, where="audio preparation"))
