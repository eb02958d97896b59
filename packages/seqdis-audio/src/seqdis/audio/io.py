"""Sound files in and out; what is damaged is refused, never read in part."""

from __future__ import annotations

from pathlib import Path

import soundfile
import torch
from torch import Tensor

from seqdis.audio.resampling import resampled
from seqdis.audio.sound_file import check_samples, mono, opened_by_libsndfile, opened_sound
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.limits import check_claim

__all__ = ["read_segment", "read_sound", "read_wave", "write_wave"]


def read_sound(path: Path) -> Sound:
    """Read a whole file at its own rate, and mix its channels to one by their mean.

    Args:
        path: A file of any kind that is read.

    Returns:
        The sound; full scale is 1.

    Raises:
        InputError: The file is missing, empty, truncated or no sound, or holds NaN or Inf.
    """
    with opened_sound(path) as sound:
        return Sound(torch.cat([*sound.blocks]), sound.rate)


def read_wave(path: Path, rate: int) -> Tensor:
    """Read a whole file, mix its channels to one by their mean, and resample it as it is read.

    Args:
        path: A file of any kind that is read.
        rate: Sample rate of the result, in Hz.

    Returns:
        Samples ``(N,)``, float32; full scale is 1.

    Raises:
        InputError: The file cannot be used, as in :func:`read_sound`.
    """
    with opened_sound(path) as sound:
        parts, count, size = list[Tensor](), 0, path.stat().st_size
        for part in resampled(sound.blocks, sound.rate, rate):
            parts.append(part)
            count += len(part)
            check_claim(path, count, size, what=f"samples of {rate} Hz or more", limit="samples")
        return torch.cat(parts)


def read_segment(path: Path, first: int, last: int, rate: int, *, trusted: bool = False) -> Tensor:
    """Read samples ``first`` to ``last`` (exclusive) only, mixed to one channel.

    Args:
        path: A file whose parts can be read by themselves, see :class:`~seqdis.audio.sound_info.SoundInfo`.
        first: The first sample.
        last: The sample after the last.
        rate: The rate that the file must have, in Hz.
        trusted: Whether the file is known to be whole.

    Raises:
        InputError: The file cannot be used, as in :func:`read_sound`, or has another rate than ``rate``.
    """
    with opened_by_libsndfile(path, in_order=False, trusted=trusted) as file:
        if file.samplerate != rate:
            raise InputError(f"{path}: has {file.samplerate} Hz; the option sample_rate says {rate}")
        file.seek(first)
        block = file.read(last - first, dtype="float32", always_2d=True)
    if len(block) < last - first:
        raise InputError(f"{path}: is truncated: {first + len(block)} of {last} samples could be read")
    return check_samples(mono(block), path, first)


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
