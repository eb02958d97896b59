"""Sound that libsndfile does not know, through FFmpeg's libraries: m4a, wma, amr, and the sound of videos."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqdis.core.errors import InputError
from seqdis.core.reading import one_reason

__all__ = ["LIBAV_EXTRA", "LIBAV_SUFFIXES", "VIDEO_SUFFIXES", "LibavSound", "has_libav", "opened_by_libav"]

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".3gp")
"""Suffixes of videos, of which the sound is read."""
LIBAV_SUFFIXES = (".m4a", ".m4b", ".aac", ".wma", ".amr", ".ac3", ".mka", *VIDEO_SUFFIXES)
"""Suffixes of what is read this way."""
LIBAV_EXTRA = "pip install 'seqdis-audio[av]'"
"""What to run for it."""
_OPTIONS = {
    "format_whitelist": "mov,matroska,asf,aac,amr,amrnb,amrwb,ac3,eac3,loas",
    "protocol_whitelist": "file",
}
"""Kinds of files by their content: a playlist or a script under the name of a sound would name other files."""
_CONTAINERS = ("mov", "matroska", "asf")
"""Containers whose header says how long the sound is."""
_SHORTER_S = 0.25
"""Seconds that a header may say too much: encoders count their own delay, and the shortest packet is whole."""


def has_libav() -> bool:
    """Whether PyAV, the Python interface of these libraries, is installed."""
    return importlib.util.find_spec("av") is not None


@dataclass(frozen=True)
class LibavSound:
    """The sound of an open file.

    Attributes:
        rate: Sample rate in Hz.
        channels: Number of channels.
        blocks: The samples in order, each block ``(n, channels)`` float32; they can be taken once.
    """

    rate: int
    channels: int
    blocks: Iterator[np.ndarray]


@contextmanager
def opened_by_libav(path: Path) -> Iterator[LibavSound]:
    """Open the first sound of a file.

    Raises:
        InputError: PyAV is not installed, the file is no sound, is damaged, or ends before its header says.
    """
    if not has_libav():
        raise InputError(
            f"{path}: {path.suffix.lower()} needs PyAV; allowed: wav, flac, mp3, …, or {LIBAV_EXTRA}"
        )
    import av

    verdict = "cannot be read as sound"
    try:
        with av.open(str(path), metadata_errors="ignore", options=_OPTIONS) as container:
            if not container.streams.audio:
                raise InputError(f"{path}: holds no sound")
            stream = container.streams.audio[0]
            verdict = "is damaged or truncated"
            yield LibavSound(
                int(stream.rate or 0), int(stream.channels or 1), _blocks(path, container, stream)
            )
    except InputError:
        raise
    except Exception as error:  # what a library throws at a damaged file is not a closed list
        raise InputError(f"{path}: {verdict}: {one_reason(error)}") from error


def _blocks(path: Path, container: Any, stream: Any) -> Iterator[np.ndarray]:
    """The decoded samples of a stream, every channel as its encoder left it."""
    import av

    resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    count = 0
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            count += part.samples
            yield part.to_ndarray().T
    for part in resampler.resample(None):
        count += part.samples
        yield part.to_ndarray().T
    declared = _declared_seconds(container, stream)
    if declared is not None and count / stream.rate < declared - _SHORTER_S:
        raise InputError(f"{path}: is truncated: {count / stream.rate:.2f} of {declared:.2f} s could be read")


def _declared_seconds(container: Any, stream: Any) -> float | None:
    """The length that the header states in seconds; None where it states none, or guesses from the file's size."""
    if not container.format.name.startswith(_CONTAINERS):
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Matroska keeps the duration of a stream among its tags, as 00:01:02.345000000.
    if written := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
        return 3600 * int(written[1]) + 60 * int(written[2]) + float(written[3])
    alone = len(container.streams) == 1 and container.duration is not None
    return container.duration / 1e6 if alone else None
