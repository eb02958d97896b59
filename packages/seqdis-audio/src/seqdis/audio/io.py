"""Sound files in and out; what is damaged is refused, never read in part."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from seqdis.audio.container import is_cut_off
from seqdis.audio.libav import LIBAV_SUFFIXES, opened_by_libav
from seqdis.audio.resampling import resample
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

__all__ = [
    "SOUNDFILE_SUFFIXES",
    "FileVersion",
    "SoundInfo",
    "file_version",
    "read_segment",
    "read_sound",
    "read_wave",
    "sound_info",
    "write_wave",
]

SOUNDFILE_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".mp3", ".opus", ".oga", ".aiff", ".aif", ".aifc", ".w64", ".rf64", ".bwf", ".wave",
    ".au", ".snd", ".caf", ".sph", ".nist", ".voc", ".mp2", ".svx", ".8svx",
)  # fmt: skip
"""Suffixes of what libsndfile reads."""
_RATES = (1000, 768000)
_BLOCK = 1 << 20
"""Numbers that are read at a time, over all channels."""
_UNKNOWN = 2**62
"""What libsndfile reports for a stream whose header leaves the length open."""
_DENSEST = 10_000
"""Samples a byte beyond which a header is not believed: silence in the thriftiest codec takes fewer."""
_LOUDEST = 1e9
_EXACT = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Encodings whose samples can be read from any place with the values that they have in the whole."""
_CONTAINERS_OF_EXACT = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC")


@dataclass(frozen=True)
class FileVersion:
    """A file as it was at one time: its size in bytes, and when it was written, in nanoseconds."""

    size: int
    written: int


@dataclass(frozen=True)
class SoundInfo:
    """What is known of a sound file without its samples.

    Attributes:
        samples: Number of samples a channel.
        rate: Sample rate in Hz.
        exact: Whether any part of it can be read by itself, with the values that it has in the whole.
    """

    samples: int
    rate: int
    exact: bool


class _InOrder(soundfile.SoundFile):
    """A file that is read from start to end without a jump.

    soundfile jumps to where it is after every block, which loses what an mp3's next frames build on: their samples
    come out wrong.
    """

    def seekable(self) -> bool:
        return False


@contextmanager
def _opened(path: Path, *, in_order: bool = True, trusted: bool = False) -> Iterator[soundfile.SoundFile]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    verdict = "cannot be read as sound"
    try:
        cut_off = not trusted and is_cut_off(path)
        with (_InOrder if in_order else soundfile.SoundFile)(path) as file:
            if file.format == "RAW":  # libsndfile's guess from the suffix, for bytes that it does not know
                raise InputError(f"{path}: {verdict}: unknown kind of file")
            verdict = "is damaged or truncated"
            if cut_off:
                raise InputError(f"{path}: is truncated: it ends before its header says")
            yield file
    except (soundfile.SoundFileError, OSError) as error:
        reason = (
            " ".join(str(error).split())
            .removeprefix(f"Error opening {str(path)!r}: ")
            .removeprefix("Error : ")
        )
        raise InputError(f"{path}: {verdict}: {reason or 'unknown kind of file'}") from error


def _check_rate(path: Path, rate: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InputError(f"{path}: its header says {rate} Hz; allowed: {_RATES[0]} to {_RATES[1]} Hz")


def _mono(block: np.ndarray) -> Tensor:
    with np.errstate(all="ignore"):  # what is not finite is an error later
        return torch.from_numpy(block.mean(axis=1, dtype=np.float32))


def _check_samples(wave: Tensor, path: Path) -> Tensor:
    peak = float(wave.abs().max())  # NaN and Inf win
    if peak <= _LOUDEST:
        return wave
    if bad := int((~torch.isfinite(wave)).sum()):
        raise InputError(
            f"{path}: {bad} of {len(wave)} samples are NaN or Inf; only finite values are allowed"
        )
    raise InputError(f"{path}: samples up to {peak:.3g}; allowed: {_LOUDEST:g}, where full scale is 1")


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    width = max(1, _BLOCK // file.channels)
    while len(block := file.read(width, dtype="float32", always_2d=True)):
        yield block


def _by_libav(path: Path) -> bool:
    return path.suffix.lower() in LIBAV_SUFFIXES


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
    if _by_libav(path):
        wave = read_sound(path)
        return SoundInfo(len(wave.samples), wave.rate, exact=False)
    with _opened(path) as file:
        _check_rate(path, file.samplerate)
        samples, rate, kind, subtype = file.frames, file.samplerate, file.format, file.subtype
        exact = kind in _CONTAINERS_OF_EXACT and subtype.startswith(_EXACT)
        if samples >= _UNKNOWN:
            samples, exact = sum(map(len, _blocks(file))), False
        elif samples > version.size * _DENSEST:
            raise InputError(
                f"{path}: its header claims {samples} samples, in a file of {version.size} bytes"
            )
        if not samples:
            raise InputError(f"{path}: holds no samples")
        if subtype in ("FLOAT", "DOUBLE"):
            for block in _blocks(file):
                _check_samples(_mono(block), path)
    if exact and kind == "FLAC":
        # Nothing else shows that its end is missing.
        read_segment(path, samples - 1, samples, rate)
    return SoundInfo(samples, rate, exact)


def read_sound(path: Path) -> Sound:
    """Read a whole file at its own rate, and mix its channels to one by their mean.

    Raises:
        InputError: The file is missing, empty, truncated or no sound, or holds NaN or Inf.
    """
    declared = None
    if _by_libav(path):
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        with opened_by_libav(path) as sound:
            rate = sound.rate
            _check_rate(path, rate)
            parts = [_mono(block) for block in sound.blocks]
    else:
        with _opened(path) as file:
            rate = file.samplerate
            _check_rate(path, rate)
            declared = None if file.frames >= _UNKNOWN else file.frames
            parts = [_mono(block) for block in _blocks(file)]
    received = sum(map(len, parts))
    if received == 0:
        raise InputError(f"{path}: holds no samples")
    if declared is not None and received < declared:
        raise InputError(f"{path}: is truncated: {received} of {declared} samples could be read")
    return Sound(_check_samples(torch.cat(parts), path), rate)


def read_wave(path: Path, rate: int) -> Tensor:
    """Read a whole file, mix its channels to one by their mean, and resample it.

    Args:
        path: A file of any format that is read.
        rate: Sample rate of the result, in Hz.

    Returns:
        Samples ``(N,)``, float32; full scale is 1.

    Raises:
        InputError: The file cannot be used, as in :func:`read_sound`.
    """
    sound = read_sound(path)
    return resample(sound.samples, sound.rate, rate)


def read_segment(path: Path, first: int, last: int, rate: int, *, trusted: bool = False) -> Tensor:
    """Read samples ``first`` to ``last`` (exclusive) only, mixed to one channel.

    Args:
        path: A file of which :attr:`SoundInfo.exact` is true.
        first: The first sample.
        last: The sample after the last.
        rate: The rate that the file must have, in Hz.
        trusted: Whether the file is known to be whole.

    Raises:
        InputError: The file cannot be used, as in :func:`read_wave`, or has another rate than ``rate``.
    """
    with _opened(path, in_order=False, trusted=trusted) as file:
        if file.samplerate != rate:
            raise InputError(f"{path}: has {file.samplerate} Hz; the option sample_rate says {rate}")
        file.seek(first)
        block = file.read(last - first, dtype="float32", always_2d=True)
    if len(block) < last - first:
        raise InputError(f"{path}: is truncated: {first + len(block)} of {last} samples could be read")
    return _check_samples(_mono(block), path)


def write_wave(path: Path, wave: Tensor, rate: int) -> None:
    """Write ``(N,)`` as 16-bit PCM in the format of the suffix; what exceeds full scale is scaled down.

    Raises:
        InputError: The file cannot be written.
    """
    peak = max(1.0, float(wave.abs().max()))
    with replace_file(path) as partial:
        try:
            soundfile.write(partial, (wave / peak).numpy(), rate, subtype="PCM_16")
        except soundfile.SoundFileError as error:
            raise OSError(str(error)) from error
