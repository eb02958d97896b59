"""Sound files in and out; what is damaged is refused, never read in part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio.functional as audio
from torch import Tensor

from seqdis.audio.container import is_cut_off
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

__all__ = ["SoundInfo", "read_segment", "read_wave", "sound_info", "write_wave"]

_BLOCK = 1 << 20
# What libsndfile reports for a stream whose header leaves the length open.
_UNKNOWN = 2**62


@dataclass(frozen=True)
class SoundInfo:
    """The header of a sound file: the number of samples a channel, and their rate in Hz."""

    samples: int
    rate: int


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    verdict = "cannot be read as sound"
    try:
        cut_off = is_cut_off(path)
        with soundfile.SoundFile(path) as file:
            verdict = "is damaged or truncated"
            if cut_off:
                raise InputError(f"{path}: is truncated: it ends before its header says")
            if file.frames >= _UNKNOWN:
                raise InputError(
                    f"{path}: its header does not say how long it is; write the file anew, not to a pipe"
                )
            yield file
    except (soundfile.SoundFileError, OSError) as error:
        reason = (
            " ".join(str(error).split())
            .removeprefix(f"Error opening {str(path)!r}: ")
            .removeprefix("Error : ")
        )
        raise InputError(f"{path}: {verdict}: {reason}") from error


def _mono(block: np.ndarray, path: Path) -> Tensor:
    wave = torch.from_numpy(block.mean(axis=1, dtype=np.float32))
    if not bool(torch.isfinite(wave).all()):
        bad = int((~torch.isfinite(wave)).sum())
        raise InputError(
            f"{path}: {bad} of {len(wave)} samples are NaN or Inf; only finite values are allowed"
        )
    return wave


def sound_info(path: Path) -> SoundInfo:
    """Read a file's header.

    Raises:
        InputError: The file is missing, empty, truncated or no sound, or was piped and has no length.
    """
    with _opened(path) as file:
        if not file.frames:
            raise InputError(f"{path}: holds no samples")
        return SoundInfo(file.frames, file.samplerate)


def read_wave(path: Path, rate: int) -> Tensor:
    """Read a whole file, mix its channels to one by their mean, and resample it.

    Args:
        path: A file of any format that libsndfile knows.
        rate: Sample rate of the result, in Hz.

    Returns:
        Samples ``(N,)``, float32; full scale is 1.

    Raises:
        InputError: The file is missing, empty, truncated or no sound, was piped and has no length, or
            holds NaN or Inf.
    """
    with _opened(path) as file:
        blocks = []
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            blocks.append(block)
        declared, native = file.frames, file.samplerate
    received = sum(map(len, blocks))
    if received == 0:
        raise InputError(f"{path}: holds no samples")
    if received < declared:
        raise InputError(f"{path}: is truncated: {received} of {declared} samples could be read")
    wave = _mono(np.concatenate(blocks), path)
    return wave if native == rate else audio.resample(wave, native, rate)


def read_segment(path: Path, first: int, last: int, rate: int) -> Tensor:
    """Read samples ``first`` to ``last`` (exclusive) only, mixed to one channel.

    Raises:
        InputError: The file cannot be used, as in :func:`read_wave`, or has another rate than ``rate``.
    """
    with _opened(path) as file:
        if file.samplerate != rate:
            raise InputError(f"{path}: has {file.samplerate} Hz; the option sample_rate says {rate}")
        file.seek(first)
        block = file.read(last - first, dtype="float32", always_2d=True)
    if len(block) < last - first:
        raise InputError(f"{path}: is truncated: {first + len(block)} of {last} samples could be read")
    return _mono(block, path)


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
