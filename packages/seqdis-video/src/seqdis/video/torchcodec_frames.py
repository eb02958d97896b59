"""Video files by torchcodec, where it is installed and finds the libraries of FFmpeg."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_index import FrameIndex

__all__ = ["decode_by_torchcodec", "pick_decoder", "torchcodec_problem"]

_AT_ONCE = 16
"""Frames that lie in memory at their full size."""


@functools.lru_cache(maxsize=1)
def torchcodec_problem() -> str | None:
    """Why torchcodec cannot be used here, in one line; None where it can."""
    try:
        # Some releases look for FFmpeg's libraries when a file is opened, and not when they are imported.
        _decoders().VideoDecoder(_smallest_video())[0]
    except (ImportError, RuntimeError, OSError, ValueError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    return None


def _decoders() -> Any:
    import torchcodec.decoders

    return torchcodec.decoders


def _smallest_video() -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return content.getvalue()


def pick_decoder(decoder: Literal["auto", "pyav", "torchcodec"]) -> Literal["pyav", "torchcodec"]:
    """The library that an option stands for on this machine: of ``"auto"``, torchcodec where it works.

    Raises:
        InputError: torchcodec is asked for and does not work.
    """
    if decoder == "pyav":
        return "pyav"
    problem = torchcodec_problem()
    if problem is None:
        return "torchcodec"
    if decoder == "torchcodec":
        raise InputError(
            f"decoder=torchcodec: cannot be loaded ({problem}); install seqdis-video[decode] beside FFmpeg's shared "
            "libraries, or give decoder=pyav"
        )
    return "pyav"


def decode_by_torchcodec(path: Path, index: FrameIndex, numbers: np.ndarray) -> Iterator[DecodedFrame]:
    """Decode some frames of a file that can be searched and is stored upright.

    Args:
        path: The video file.
        index: The index of the file.
        numbers: The frames' numbers in the index, in increasing order without repetition.

    Raises:
        InputError: The file is damaged where one of them lies.
    """
    at = float(index.seconds[numbers[0]])
    try:
        decoder: Any = _decoders().VideoDecoder(
            str(path), dimension_order="NHWC", num_ffmpeg_threads=1, custom_frame_mappings=_mappings(index)
        )
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            at = float(index.seconds[some[0]])
            pictures = decoder.get_frames_at(some.tolist()).data.numpy()
            for number, pixels in zip(some.tolist(), pictures, strict=True):
                yield DecodedFrame(number, Image.fromarray(pixels), index.aspect)
    except InputError:
        raise
    except Exception as error:  # what a library throws at a damaged file is not a closed list
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: damaged at or after {at:.2f} s: {reason}") from error


def _mappings(index: FrameIndex) -> bytes:
    """The index in the words of ffprobe, so that the file is not read through once more."""
    ends = np.append(index.stamps[1:], index.stamps[-1] + 1)
    keys = np.isin(index.stamps, index.keys)
    frames = [
        {"pts": pts, "duration": end - pts, "key_frame": int(key)}
        for pts, end, key in zip(index.stamps.tolist(), ends.tolist(), keys.tolist(), strict=True)
    ]
    return json.dumps({"frames": frames}).encode()
