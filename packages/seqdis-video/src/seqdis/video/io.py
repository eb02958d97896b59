"""Reading pictures of clips, whatever kind of file they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqdis.video.animations import decode_animation
from seqdis.video.containers import decode_container
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_index import FrameIndex
from seqdis.video.options import VideoOptions
from seqdis.video.picture_folder import decode_folder
from seqdis.video.pictures import ANIMATIONS
from seqdis.video.torchcodec_frames import decode_by_torchcodec, pick_decoder

__all__ = ["CONTAINERS", "READS", "decode_frames"]

CONTAINERS = (
    ".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".mpv", ".vob", ".ts",
    ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".mxf", ".dv", ".y4m", ".mjpg", ".mjpeg",
)  # fmt: skip
"""Suffixes of video files."""
_BY_TORCHCODEC = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Video files that torchcodec finds any frame of; the others are decoded by PyAV, whatever the option says."""
READS = (*CONTAINERS, *ANIMATIONS, "/")
"""What is read: files by their suffix, and folders of pictures."""


def decode_frames(
    path: Path, index: FrameIndex, numbers: np.ndarray, *, options: VideoOptions, between: bool = False
) -> Iterator[DecodedFrame]:
    """Decode some frames of a file or folder, upright and at their own size.

    Args:
        path: The file or folder.
        index: The index of the file.
        numbers: The frames' numbers in the index, in increasing order without repetition.
        options: The options of video.
        between: Whether frames that had to be decoded on the way are given too.

    Raises:
        InputError: The file is damaged, or is not the one that was indexed.
    """
    if path.is_dir():
        return decode_folder(path, numbers, white=options.white)
    if path.suffix.lower() in ANIMATIONS:
        return decode_animation(path, numbers, between=between, white=options.white)
    # torchcodec's versions differ in whether they turn a picture, and it needs time stamps.
    plain = index.seekable and index.upright and path.suffix.lower() in _BY_TORCHCODEC
    if plain and pick_decoder(options.decoder) == "torchcodec":
        return decode_by_torchcodec(path, index, numbers)
    return decode_container(path, index, numbers, between=between)
