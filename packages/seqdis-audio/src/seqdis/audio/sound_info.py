"""The length, rate and channels of a sound file, without its samples."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from seqdis.audio.io import read_segment
from seqdis.audio.libav import LIBAV_SUFFIXES
from seqdis.audio.sound_file import opened_by_libsndfile, opened_sound
from seqdis.core.errors import InputError
from seqdis.core.limits import allowed_content, check_claim

__all__ = ["FileVersion", "SoundInfo", "file_version", "sound_info"]

_EXACT = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Encodings whose samples can be read from any place with the values that they have in the whole, …"""
_CONTAINERS_OF_EXACT = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC")
"""… in containers of which that is known."""


@dataclass(frozen=True)
class FileVersion:
    """A file as it was at one time: its size in bytes, and when it was written, in nanoseconds."""

    size: int
    written: int


@dataclass(frozen=True)
class SoundInfo:
    """The length of a sound file, and how it can be read.

    Attributes:
        samples: Number of samples a channel.
        rate: Sample rate in Hz.
        channels: Number of channels.
        exact: Whether any part of it can be read by itself, with the values that it has in the whole.
    """

    samples: int
    rate: int
    channels: int
    exact: bool


def file_version(path: Path) -> FileVersion:
    """The file as it is now.

    Raises:
        InputError: There is no such file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: no such file") from error
    return FileVersion(status.st_size, status.st_mtime_ns)


def sound_info(path: Path) -> SoundInfo:
    """Read a file's header, and as much else as tells that it is whole.

    Floating-point samples are all looked at, for they may be NaN. Sound whose header does not say how long it is (a
    flac from a pipe, whatever PyAV reads) is decoded and counted. What was found is kept as long as the file is not
    written anew.

    Raises:
        InputError: The file is missing, empty, truncated or no sound, holds NaN or Inf, or its header claims what
            cannot be.
    """
    return _info(path, file_version(path))


@functools.lru_cache(maxsize=1 << 17)
def _info(path: Path, version: FileVersion) -> SoundInfo:
    if path.suffix.lower() in LIBAV_SUFFIXES:
        return _counted(path)
    with opened_by_libsndfile(path) as file:
        samples, rate, channels = file.frames, file.samplerate, file.channels
        kind, subtype = file.format, file.subtype
    if samples > allowed_content(version.size, "samples"):
        with opened_sound(path) as sound:
            if sound.declared is not None:
                check_claim(path, samples, version.size, what="samples", limit="samples")
        return _counted(path)
    if not samples:
        raise InputError(f"{path}: holds no samples")
    if subtype in ("FLOAT", "DOUBLE"):
        _counted(path)
    if kind == "FLAC":
        # Nothing else shows that its end is missing.
        read_segment(path, samples - 1, samples, rate)
    exact = kind in _CONTAINERS_OF_EXACT and subtype.startswith(_EXACT)
    return SoundInfo(samples, rate, channels, exact)


def _counted(path: Path) -> SoundInfo:
    """The length of a sound that is decoded for it."""
    with opened_sound(path) as sound:
        return SoundInfo(sum(map(len, sound.blocks)), sound.rate, sound.channels, exact=False)
