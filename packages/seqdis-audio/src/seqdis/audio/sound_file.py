"""Open sound files: their samples in order, block by block, from whichever library knows them."""

from __future__ import annotations

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
from seqdis.core.errors import InputError
from seqdis.core.limits import check_claim
from seqdis.core.reading import one_reason

__all__ = ["SOUNDFILE_SUFFIXES", "OpenSound", "check_samples", "mono", "opened_by_libsndfile", "opened_sound"]

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
_LOUDEST = 1e9


@dataclass(frozen=True)
class OpenSound:
    """The sound of an open file.

    Attributes:
        rate: Sample rate in Hz.
        channels: Number of channels in the file.
        declared: Number of samples that the header declares; None where it does not say.
        blocks: The samples in order, mixed to one channel by the mean, ``(n,)`` float32 each; they can be taken once.
    """

    rate: int
    channels: int
    declared: int | None
    blocks: Iterator[Tensor]


class _InOrder(soundfile.SoundFile):  # type: ignore[misc]  # it has no types
    """A file that is read from start to end without a jump.

    soundfile jumps to where it is after every block, which loses what an mp3's next frames build on: their samples
    come out wrong.
    """

    def seekable(self) -> bool:
        return False


@contextmanager
def opened_by_libsndfile(
    path: Path, *, in_order: bool = True, trusted: bool = False
) -> Iterator[soundfile.SoundFile]:
    """Open a file that libsndfile knows.

    Args:
        path: Path of the file.
        in_order: Whether it is read from start to end; else from any place.
        trusted: Whether it is known to be whole.

    Raises:
        InputError: The file is missing or truncated, or no sound; or what is read from it is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    verdict = "cannot be read as sound"
    try:
        cut_off = not trusted and is_cut_off(path)
        with (_InOrder if in_order else soundfile.SoundFile)(path) as file:
            if file.format == "RAW":  # libsndfile's guess from the suffix, for bytes that it does not know
                raise InputError(f"{path}: {verdict}: unknown kind of file")
            _check_rate(path, file.samplerate)
            verdict = "is damaged or truncated"
            if cut_off:
                raise InputError(f"{path}: is truncated: it ends before its header says")
            yield file
    except InputError:
        raise
    except Exception as error:  # what a library throws at a damaged file is not a closed list
        reason = one_reason(error).removeprefix(f"Error opening {str(path)!r}: ").removeprefix("Error : ")
        raise InputError(f"{path}: {verdict}: {reason or 'unknown kind of file'}") from error


@contextmanager
def opened_sound(path: Path) -> Iterator[OpenSound]:
    """Open a sound file of any kind that is read.

    Raises:
        InputError: The file is missing, empty, truncated or no sound; or, when its samples are taken, it holds NaN or
            Inf, is damaged, or ends before its header says.
    """
    if path.suffix.lower() in LIBAV_SUFFIXES:
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        with opened_by_libav(path) as sound:
            _check_rate(path, sound.rate)
            yield OpenSound(sound.rate, sound.channels, None, _checked(sound.blocks, path, None))
        return
    with opened_by_libsndfile(path) as file:
        declared = None if file.frames >= _UNKNOWN else file.frames
        yield OpenSound(file.samplerate, file.channels, declared, _checked(_blocks(file), path, declared))


def mono(block: np.ndarray) -> Tensor:
    """The mean of the channels of a block ``(n, channels)``, ``(n,)``."""
    with np.errstate(all="ignore"):  # what is not finite is an error later
        return torch.from_numpy(block.mean(axis=1, dtype=np.float32))


def check_samples(wave: Tensor, path: Path, first: int = 0) -> Tensor:
    """The same samples, if they are those of a sound.

    Args:
        wave: The samples, ``(n,)``.
        path: Path of the file that they come from.
        first: The number of the first one in its file.

    Raises:
        InputError: One is NaN, Inf, or beyond all scales.
    """
    peak = float(wave.abs().max())  # NaN and Inf win
    if peak <= _LOUDEST:
        return wave
    bad = ~torch.isfinite(wave)
    if bool(bad.any()):
        place = first + int(bad.nonzero()[0])
        raise InputError(f"{path}: sample {place} is NaN or Inf; only finite values are allowed")
    raise InputError(f"{path}: samples up to {peak:.3g}; allowed: {_LOUDEST:g}, where full scale is 1")


def _check_rate(path: Path, rate: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InputError(f"{path}: its header says {rate} Hz; allowed: {_RATES[0]} to {_RATES[1]} Hz")


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    width = max(1, _BLOCK // file.channels)
    while len(block := file.read(width, dtype="float32", always_2d=True)):
        yield block


def _checked(blocks: Iterator[np.ndarray], path: Path, declared: int | None) -> Iterator[Tensor]:
    received, size = 0, path.stat().st_size
    for block in blocks:
        check_claim(path, received + len(block), size, what="samples or more", limit="samples")
        if len(block):
            yield check_samples(mono(block), path, received)
            received += len(block)
    if received == 0:
        raise InputError(f"{path}: holds no samples")
    if declared is not None and received < declared:
        raise InputError(f"{path}: is truncated: {received} of {declared} samples could be read")
