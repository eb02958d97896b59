"""The frames of a file: when each is shown, and from where it can be decoded."""

from __future__ import annotations

import io
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from seqdis.core.limits import check_size

__all__ = ["FrameIndex"]

_SHOWN = 1000
"""Steps for which a picture may be shown beyond what any clip may have."""
_ARRAYS = ("stamps", "seconds", "repeats", "keys")
_NUMBERS = ("duration", "time_base", "width", "height", "aspect", "upright", "seekable")


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameIndex:
    """The times, key frames and size of a file's frames, in the order in which they are shown, without their pixels.

    Attributes:
        stamps: The number that finds each frame in the file, ``(N,)``: its presentation time stamp in a video container (its
            number in the order of decoding where the file cannot be searched), the picture's number elsewhere.
        seconds: The time at which each is first shown, from the first frame on, in s, ``(N,)``.
        repeats: The number of times that each is shown at the file's own rate, ``(N,)``: above 1 where an animation holds one
            picture for several of its steps.
        keys: The time stamps of the key frames, in increasing order, from which decoding can begin.
        duration: The time from the first frame to the end of the last, in s.
        time_base: Seconds of one unit of ``stamps``.
        width: Width of the frames as they are shown, with square pixels.
        height: Height of the frames as they are shown, with square pixels.
        aspect: Width of a stored pixel over its height; 1 where pixels are square.
        upright: Whether the pictures are stored as they are shown, neither turned nor mirrored.
        seekable: Whether a frame can be found by its time stamp; if not, the file is decoded from its start.
        digest: A hash of the file's content.
    """

    stamps: np.ndarray
    seconds: np.ndarray
    repeats: np.ndarray
    keys: np.ndarray
    duration: float
    time_base: float
    width: int
    height: int
    digest: str
    seekable: bool
    aspect: float = 1.0
    upright: bool = True

    def shown(self, path: Path, *, fps: float | None, stride: int) -> np.ndarray:
        """The numbers of the frames that make the steps of a recording, ``(T,)``.

        Args:
            path: The file, for the message.
            fps: Frames a second: step k is the frame that is shown at ``k / fps`` s. None takes every frame, as
                often as it is shown at the file's own rate.
            stride: Every n-th of these is kept.

        Raises:
            InputError: The pictures are shown for more steps than the limit ``steps`` allows, see
                :class:`~seqdis.core.limits.Limits`.
        """
        if fps is None:
            self._check_steps(path, float(self.repeats.sum(dtype=np.float64)))
            numbers = np.repeat(np.arange(len(self.stamps)), self.repeats)
        else:
            # What rounds to a time stamp counts as that: a third of a second is no binary fraction.
            self._check_steps(path, self.duration * fps)
            count = max(1, int(np.ceil(self.duration * fps - 1e-4)))
            times = np.arange(count) / fps + 1e-4 / fps
            numbers = np.searchsorted(self.seconds, times, side="right") - 1
        return numbers[::stride]

    def _check_steps(self, path: Path, steps: float) -> None:
        """Refuse a clip that shows its pictures for longer than anyone would look at them."""
        pictures = len(self.stamps)
        if not steps <= _SHOWN * pictures:
            # What is not a number is more than any limit.
            claimed = math.ceil(steps) if math.isfinite(steps) else sys.maxsize
            check_size(path, claimed, "steps", what=f"steps, for which {pictures} pictures are shown")

    @property
    def begin(self) -> float:
        """The time of the first frame on the file's own clock, in s; 0 where it is not known."""
        return float(self.stamps[0]) * self.time_base if self.seekable else 0.0

    @property
    def fps(self) -> float | None:
        """The mean number of frames a second; None where the file says nothing about time."""
        return float(self.repeats.sum()) / self.duration if self.duration > 0 else None

    def to_bytes(self) -> bytes:
        """The index as an npz file."""
        buffer = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        numbers = np.array([float(getattr(self, name)) for name in _NUMBERS])
        np.savez(buffer, numbers=numbers, digest=np.array(self.digest), **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what :meth:`to_bytes` gave.

        Raises:
            ValueError: The content is something else.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                numbers = dict(zip(_NUMBERS, stored["numbers"].tolist(), strict=True))
                arrays = {name: stored[name] for name in _ARRAYS}
                digest = str(stored["digest"])
        except Exception as error:  # whatever numpy throws: it is built anew
            raise ValueError(f"no index: {error}") from error
        if len({len(arrays[name]) for name in _ARRAYS[:3]}) > 1 or not len(arrays["stamps"]):
            raise ValueError("an index whose parts differ in length")
        return cls(
            **arrays,
            duration=numbers["duration"],
            time_base=numbers["time_base"],
            width=int(numbers["width"]),
            height=int(numbers["height"]),
            aspect=numbers["aspect"],
            upright=bool(numbers["upright"]),
            seekable=bool(numbers["seekable"]),
            digest=digest,
        )
