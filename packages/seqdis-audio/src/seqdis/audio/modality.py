"""AudioModality: sound as log-mel frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from seqdis.audio.completion import audio_options, bins_of, complete_data
from seqdis.audio.io import write_wave
from seqdis.audio.libav import LIBAV_EXTRA, LIBAV_SUFFIXES, VIDEO_SUFFIXES, has_libav
from seqdis.audio.mel import log_mel
from seqdis.audio.options import AudioOptions, AudioSettings
from seqdis.audio.recording import AudioRecording, open_sound
from seqdis.audio.sound_file import SOUNDFILE_SUFFIXES
from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.sound import Sound
from seqdis.core.data.targets import Target
from seqdis.core.files import replace_file
from seqdis.core.modality import DatasetSpec, Modality, Panel

__all__ = ["AudioModality"]


class AudioModality(Modality):
    """Frames are log-mel vectors ``(bins,)``; see :class:`~seqdis.audio.mel.LogMel` for the unit."""

    name = "audio"
    summary = "sound as log-mel frames"
    reads = (*SOUNDFILE_SUFFIXES, *(LIBAV_SUFFIXES if has_libav() else ()))
    installable = {} if has_libav() else dict.fromkeys(LIBAV_SUFFIXES, LIBAV_EXTRA)
    incidental = VIDEO_SUFFIXES
    writes = (".wav", ".flac", ".npy")
    pictures = (".png",)
    options_class: ClassVar[type[AudioSettings]] = AudioSettings

    def options(self, data: DataConfig) -> AudioOptions:
        """The validated analysis of ``data``.

        Raises:
            InputError: An option is unknown, out of range or still open, a frame is no vector, or a mel bin
                of it would hold no frequency.
        """
        options = audio_options(data)
        log_mel(bins_of(data), options)
        return options

    def complete(self, data: DataConfig, paths: Sequence[Path]) -> DataConfig:
        """Fill in the sample rate, ``f_max`` and ``n_fft`` where they are open, and 80 mel bins.

        See :func:`~seqdis.audio.completion.complete_data`.

        Raises:
            InputError: No file can be read, or an option is out of range.
        """
        return complete_data(data, paths)

    def datasets(self) -> Mapping[str, DatasetSpec]:
        """The datasets tones, arabic_speech_commands, librispeech and timit."""
        from seqdis.audio.datasets import DATASETS

        return DATASETS

    def targets(self) -> Mapping[str, Target]:
        """``silence``: the steps that hold no sound."""
        from seqdis.audio.silence import TARGETS

        return TARGETS

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        """The presets of :mod:`seqdis.audio.presets`."""
        from seqdis.audio.presets import PRESETS

        return PRESETS

    def starter(self) -> str | None:
        """The preset of a person's own sounds."""
        return "diffsda-audio"

    def demo(self) -> str | None:
        """The preset of timbres and melodies."""
        return "diffsda-tones"

    def open(self, path: Path, data: DataConfig) -> Sequence[AudioRecording]:
        """A sound file as the one recording that it is, of which nothing but the header is read.

        Raises:
            InputError: The suffix is unknown, or the file is missing, truncated, empty or no sound.
        """
        self.check_suffix(path, self.reads, "read")
        return [open_sound(path, bins_of(data), self.options(data))]

    def preparation(self, options: Mapping[str, Any]) -> FilePreparation:
        """Sound is mixed to one channel and resampled, and silence at both ends is cut off.

        Raises:
            InputError: An option is unknown or out of range.
        """
        from seqdis.audio.preparation import audio_preparation

        return audio_preparation(options)

    def read(self, path: Path, data: DataConfig) -> Clip:
        """Read a sound file whole, as log-mel frames ``(T, bins)``.

        Raises:
            InputError: The suffix is unknown, the file is missing, truncated, empty or no sound, or it holds NaN
                or Inf.
        """
        return self.open(path, data)[0].whole()

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        """Write log-mel frames ``(T, bins)``: as they are (.npy), or made audible (.wav, .flac).

        Raises:
            InputError: The suffix is unknown, the file cannot be written, or the frames have no sound.
        """
        suffix = self.check_suffix(path, self.writes, "write")
        if suffix == ".npy":
            with replace_file(path) as partial:
                np.save(partial, frames.float().cpu().numpy(), allow_pickle=False)
        else:
            sound = self.to_sound(frames, data)
            write_wave(path, sound.samples, sound.rate)

    def to_sound(self, frames: Tensor, data: DataConfig) -> Sound:
        """Log-mel frames ``(T, bins)`` made audible; see :meth:`~seqdis.audio.mel.LogMel.to_wave`.

        Raises:
            InputError: The frames are of another shape, not finite, or too few.
        """
        options = self.options(data)
        return Sound(log_mel(data.frame_shape[0], options).to_wave(frames), options.sample_rate)

    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        """Draw mel pictures of log-mel frames ``(T, bins)`` side by side.

        Raises:
            InputError: The suffix is unknown, or there is nothing to draw.
        """
        from seqdis.audio.plot import draw_mels

        self.check_suffix(path, self.pictures, "draw")
        draw_mels(path, grid, self.options(data))
