"""VideoRecording: a clip of any length, of which single frames are decoded when they are asked for."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording
from seqdis.core.errors import InputError
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_cache import FRAMES
from seqdis.video.frame_index import FrameIndex
from seqdis.video.index_store import FileVersion, file_version, load_index
from seqdis.video.io import decode_frames
from seqdis.video.options import VideoOptions
from seqdis.video.sampling import fit_image, to_grey

__all__ = ["VideoRecording", "open_recording"]

_IN_ONE_GO = 2048
"""Frames of a clip that are decoded together at the second visit, where there is room to keep them."""


@dataclass(frozen=True, kw_only=True)
class VideoRecording(Recording):
    """A video file, an animation, or a folder of pictures, read frame by frame.

    It holds no pixels and no open file: what it is asked for is decoded from the key frame before, and kept as long
    as there is room (:class:`~seqdis.video.frame_cache.FrameCache`).

    Attributes:
        key: The name of the recording.
        path: The file or folder.
        version: The version of the file that was opened.
        count: The number of steps, T.
        digest: A hash of the file's content.
        shape: The shape of a frame, ``(3, H, W)`` or ``(1, H, W)``.
        options: The options by which it is sampled in time and fitted into the frame.
        labels: The class of each label, by the label's name.
    """

    key: str
    path: Path
    version: FileVersion
    count: int
    digest: str
    shape: tuple[int, ...]
    options: VideoOptions
    labels: Mapping[str, str] | None = None

    @property
    def steps(self) -> int:
        return self.count

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.shape

    def __reduce__(self) -> tuple[object, tuple[dict[str, object]]]:
        return _unpickled, ({field.name: getattr(self, field.name) for field in fields(self)},)

    def announce(self) -> None:
        """Say in this process that the recording's frames may be asked for."""
        source = _source(self.path, self.version, self.shape, self.options)
        FRAMES.announce(source, self.count, math.prod(self.shape))

    def identity(self) -> list[str | Tensor]:
        o = self.options
        return [self.key, self.digest, repr((self.shape, o.fps, o.stride, o.fit, o.white))]

    def about(self) -> Mapping[str, float]:
        index = load_index(self.path, self.version)
        facts = {"width, px": float(index.width), "height, px": float(index.height)}
        if index.fps is not None:
            facts |= {"seconds": index.duration, "frames a second": index.fps}
        return facts

    def take(self, steps: Tensor) -> Clip:
        numbers = _shown(self.path, self.version, self.options.fps, self.options.stride)[
            steps.numpy()
        ].tolist()
        source = _source(self.path, self.version, self.shape, self.options)
        frames = {number: FRAMES.get((source, number)) for number in numbers}
        missing = sorted(number for number, frame in frames.items() if frame is None)
        if missing:
            frames.update(self._read(source, missing))
        return Clip(torch.stack([frames[n] for n in numbers]), self.key, labels=self.labels)  # type: ignore[misc]

    def _read(self, source: str, numbers: list[int]) -> dict[int, Tensor]:
        """Decode the frames of these numbers, and keep them."""
        index, frames = load_index(self.path, self.version), dict[int, Tensor]()
        if FRAMES.holds_all and FRAMES.visited(source) and len(index.stamps) <= _IN_ONE_GO:
            rest = [n for n in range(len(index.stamps)) if FRAMES.get((source, n)) is None]
            with contextlib.suppress(
                InputError
            ):  # damage elsewhere in the file is for the window that meets it
                self._read_into(frames, index, source, rest)
        if left := [number for number in numbers if number not in frames]:
            self._read_into(frames, index, source, left)
        return frames

    def _read_into(
        self, frames: dict[int, Tensor], index: FrameIndex, source: str, numbers: list[int]
    ) -> None:
        # What is decoded on the way is worth keeping where there is room for all.
        for decoded in self._decode(index, numbers, between=FRAMES.holds_all):
            frames[decoded.number] = self._fitted(decoded)
            FRAMES.put((source, decoded.number), frames[decoded.number])

    def _decode(self, index: FrameIndex, numbers: list[int], *, between: bool) -> Iterator[DecodedFrame]:
        return decode_frames(self.path, index, np.array(numbers), options=self.options, between=between)

    def _fitted(self, decoded: DecodedFrame) -> Tensor:
        channels, height, width = self.shape
        pixels = fit_image(
            decoded.image, height=height, width=width, fit=self.options.fit, aspect=decoded.aspect
        )
        frame = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
        return (to_grey(frame[None])[0] if channels == 1 else frame).contiguous()


def _source(path: Path, version: FileVersion, shape: tuple[int, ...], options: VideoOptions) -> str:
    """A name for the frames of one recording and size; a text, whose hash is computed once."""
    return f"{path}|{version}|{shape}|{options.fit}|{options.white}|{options.decoder}"


@functools.lru_cache(maxsize=1024)
def _shown(path: Path, version: FileVersion, fps: float | None, stride: int) -> np.ndarray:
    return load_index(path, version).shown(path, fps=None if path.is_dir() else fps, stride=stride)


def open_recording(path: Path, *, shape: tuple[int, ...], options: VideoOptions) -> VideoRecording:
    """Open a video file, an animation or a folder of pictures; its index is built if there is none yet.

    Args:
        path: The file or folder.
        shape: The shape of a frame, ``(3, H, W)`` or ``(1, H, W)``.
        options: The options by which it is sampled in time and fitted into the frame.

    Raises:
        InputError: The file is missing, empty, damaged, cut short, or holds no picture.
    """
    version = file_version(path)
    recording = VideoRecording(
        key=path.name,
        path=path,
        version=version,
        count=len(_shown(path, version, options.fps, options.stride)),
        digest=load_index(path, version).digest,
        shape=shape,
        options=options,
    )
    recording.announce()
    return recording


def _unpickled(values: dict[str, Any]) -> VideoRecording:
    """A recording that came from another process, whose cache this one does not share."""
    recording = VideoRecording(**values)
    recording.announce()
    return recording
