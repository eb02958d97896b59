"""AudioRecording: a sound file as log-mel frames, of which only those asked for are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seqdis.audio.frame_cache import FRAMES
from seqdis.audio.io import read_segment, read_wave
from seqdis.audio.mel import LogMel, log_mel
from seqdis.audio.options import AudioOptions
from seqdis.audio.resampling import resampled_length
from seqdis.audio.segments import segment_frames
from seqdis.audio.sound_info import FileVersion, SoundInfo, file_version, sound_info
from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording
from seqdis.core.errors import InputError

__all__ = ["AudioRecording", "open_sound"]

_LARGEST_KEPT = 32 << 20
"""Bytes of frames up to which a recording is kept whole although its parts can be read: 14 minutes of speech."""


@dataclass(frozen=True, kw_only=True)
class AudioRecording(Recording):
    """A sound file as log-mel frames.

    Where the file has the sample rate of the analysis and can be read from any place (wav, flac, aiff, …), a step costs
    the samples that it depends on. What is resampled, or compressed by mp3, vorbis or opus, is read once and its
    frames are kept, and so are short recordings, as far as :data:`~seqdis.audio.frame_cache.FRAMES` has room. The
    values are the same, bit for bit.

    Attributes:
        key: Name of the recording.
        path: Path of the file.
        version: The file as it was when it was opened.
        info: The length, rate and channels that the file states.
        bins: Number of mel bins.
        options: Settings of the analysis.
        labels: The class of each label, by the label's name.
    """

    key: str
    path: Path
    version: FileVersion
    info: SoundInfo
    bins: int
    options: AudioOptions
    labels: Mapping[str, str] | None = None

    @property
    def samples(self) -> int:
        """The number of samples at the rate of the analysis."""
        return resampled_length(self.info.samples, self.info.rate, self.options.sample_rate)

    @property
    def steps(self) -> int:
        return self._analyse.steps(self.samples)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return (self.bins,)

    @property
    def dated(self) -> bool:
        return True

    @property
    def in_parts(self) -> bool:
        """Whether some steps can be read without the others."""
        return self.info.exact and self.info.rate == self.options.sample_rate

    @property
    def _analyse(self) -> LogMel:
        return log_mel(self.bins, self.options)

    def take(self, steps: Tensor) -> Clip:
        """Read some steps; their stamps are the seconds from the start of the file to each frame's centre."""
        known = self._kept()
        frames = known[steps] if known is not None else self._read(steps)
        return Clip(frames, self.key, labels=self.labels, stamps=self._analyse.seconds(steps))

    def about(self) -> Mapping[str, float]:
        """The file's length, sample rate and channels."""
        info = self.info
        return {
            "seconds": info.samples / info.rate,
            "samples a second": info.rate,
            "channels": info.channels,
        }

    def identity(self) -> list[str | Tensor]:
        """The key, the number of steps, and the size and time of the file: one that was written anew is another."""
        return [self.key, str(self.steps), str(self.version.size), str(self.version.written)]

    def _kept(self) -> Tensor | None:
        """The frames of all steps, if they are kept or are to be."""
        key = (self.path, self.version, self.bins, self.options)
        if (known := FRAMES.get(key)) is not None:
            return known
        size = self.steps * self.bins * 4
        if self.in_parts and (size > _LARGEST_KEPT or not FRAMES.has_room(size)):
            return None
        return FRAMES.get_or_compute(key, self._read_whole)

    def _read_whole(self) -> Tensor:
        steps = torch.arange(self.steps)
        if self.in_parts:
            return self._read(steps)
        wave = read_wave(self.path, self.options.sample_rate)
        if len(wave) != self.samples:
            raise InputError(f"{self.path}: has {len(wave)} samples; {self.samples} when it was opened")
        return segment_frames(self._analyse, steps, samples=len(wave), read=lambda i, j: wave[i:j])

    def _read(self, steps: Tensor) -> Tensor:
        def read(first: int, last: int) -> Tensor:
            return read_segment(self.path, first, last, self.info.rate, trusted=True)

        return segment_frames(self._analyse, steps, samples=self.samples, read=read)


def open_sound(path: Path, bins: int, options: AudioOptions) -> AudioRecording:
    """Open a sound file without reading its samples.

    Args:
        path: Path of the file.
        bins: Number of mel bins.
        options: Settings of the analysis.

    Raises:
        InputError: The file is missing, empty, truncated or no sound; see :func:`~seqdis.audio.sound_info.sound_info`.
    """
    return AudioRecording(
        key=path.name,
        path=path,
        version=file_version(path),
        info=sound_info(path),
        bins=bins,
        options=options,
    )
