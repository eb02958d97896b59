"""Video files by PyAV: their index without decoding, and frames found by seeking."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.core.reading import one_reason
from seqdis.video.colours import RgbConverter
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_index import FrameIndex
from seqdis.video.media_input import VIDEOS, check_stream
from seqdis.video.orientation import is_upright, turns_sides, upright
from seqdis.video.packets import PacketTable, coded_packets, read_packets

__all__ = ["decode_container", "index_container", "open_container"]

_WORTH_A_SEEK = 8
"""Frames that are decoded in passing rather than sought around."""


@contextlib.contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Open a video file.

    Raises:
        InputError: The file is damaged or has no video stream; errors while it is open become this one, too.
    """
    try:
        with av.open(str(path), metadata_errors="ignore", options=dict(VIDEOS)) as container:
            if not container.streams.video:
                raise InputError(f"{path}: has no video stream")
            check_stream(path, container.streams.video[0])
            yield container
    except InputError:
        raise
    except Exception as error:  # what a library throws at a damaged file is not a closed list
        raise InputError(
            f"{path}: cannot be read as video, damaged or cut short: {one_reason(error)}"
        ) from error


def index_container(path: Path) -> FrameIndex:
    """Index a video file by reading its packets; it is decoded only where these do not tell its frames.

    Raises:
        InputError: The file is damaged, cut short, or holds no picture.
    """
    with open_container(path) as container:
        table = read_packets(path, container)
        aspect = _aspect(container.streams.video[0])
    stamps, seekable = table.shown, table.certain
    if not table.certain:
        decoded = _decoded_stamps(path)
        # Where every frame comes out under the stamp of a packet, that stamp finds it.
        seekable = table.ordered and set(decoded) <= set(table.shown.tolist()) and _increasing(decoded)
        stamps = np.array(decoded if seekable else range(len(decoded)), dtype=np.int64)
    if not len(stamps) or table.first is None:
        raise InputError(f"{path}: holds no picture that can be decoded")
    if table.first.is_corrupt:
        raise damaged(path, 0.0)
    seconds, duration = _times(table, stamps, seekable=seekable)
    width, height = max(1, round(table.first.width * aspect)), table.first.height
    return FrameIndex(
        stamps=stamps,
        seconds=seconds,
        repeats=np.ones(len(stamps), dtype=np.int64),
        keys=table.keys,
        duration=duration,
        time_base=float(table.time_base),
        width=height if turns_sides(table.first) else width,
        height=width if turns_sides(table.first) else height,
        aspect=aspect,
        upright=is_upright(table.first),
        seekable=seekable,
        digest=table.digest,
    )


def damaged(path: Path, seconds: float, reason: str = "the frame there does not decode") -> InputError:
    """The error for a file that is damaged at a time from its first frame on."""
    return InputError(f"{path}: damaged at {max(0.0, seconds):.2f} s: {reason}")


def _decoded_stamps(path: Path) -> list[int | None]:
    with open_container(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return [frame.pts for packet in coded_packets(container) for frame in stream.decode(packet)]


def _increasing(stamps: list[int | None]) -> bool:
    known = [stamp for stamp in stamps if stamp is not None]
    return len(known) == len(stamps) and all(a < b for a, b in itertools.pairwise(known))


def _times(table: PacketTable, stamps: np.ndarray, *, seekable: bool) -> tuple[np.ndarray, float]:
    if not seekable:
        return np.arange(len(stamps)) / table.rate, len(stamps) / table.rate
    seconds = (stamps - stamps[0]) * float(table.time_base)
    last = table.last_duration * float(table.time_base)
    if last <= 0:
        last = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 1 / table.rate
    return seconds, float(seconds[-1]) + last


def _aspect(stream: av.VideoStream) -> float:
    return float(stream.sample_aspect_ratio or Fraction(1)) or 1.0


def decode_container(
    path: Path, index: FrameIndex, numbers: np.ndarray, *, between: bool = False
) -> Iterator[DecodedFrame]:
    """Decode some frames, each from the key frame before it.

    Args:
        path: The video file.
        index: The index of the file.
        numbers: The frames' numbers in the index, in increasing order without repetition.
        between: Whether frames that had to be decoded on the way are given too.

    Raises:
        InputError: The file is damaged where one of them lies, or is not the one that was indexed.
    """
    with open_container(path) as container:
        reader = _Reader(path, container, index)
        for anchor, group in _groups(index, numbers):
            wanted = set(group.tolist())
            passed = reader.frames(anchor, needed=None if between else wanted)
            yield from _collect(reader, passed, wanted, between=between)
            if wanted and anchor >= 0:
                # A key frame from which a frame does not come out is no place to begin after all.
                with open_container(path) as again:
                    slow = _Reader(path, again, index)
                    yield from _collect(slow, slow.frames(-1), wanted, between=False)
            if wanted:
                raise damaged(path, float(index.seconds[min(wanted)]))


def _groups(index: FrameIndex, numbers: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The key frames to begin at (-1 for the start of the file), each with the frames to decode from there."""
    if not index.seekable:
        yield -1, numbers
        return
    anchors = np.searchsorted(index.keys, index.stamps[numbers], side="right") - 1
    starts = np.searchsorted(index.stamps, index.keys[anchors.clip(0)])
    apart = starts[1:] - numbers[:-1] > _WORTH_A_SEEK
    for part in np.split(np.arange(len(numbers)), np.flatnonzero(apart) + 1):
        yield int(anchors[part[0]]), numbers[part]


def _collect(
    reader: _Reader,
    frames: Iterator[tuple[int, av.VideoFrame]],
    wanted: set[int],
    *,
    between: bool,
) -> Iterator[DecodedFrame]:
    """Give the frames that are wanted in order, and take each off the set, until none is left or one is missing."""
    for stamp, frame in frames:
        number = reader.number(stamp)
        if number is None or not (between or number in wanted):
            continue
        if number > min(wanted):  # frames come in order: the one before will not come any more
            return
        yield reader.picture(number, frame)
        wanted.discard(number)
        if not wanted:
            return


class _Reader:
    """An open file that gives frames under their stamps from a key frame on."""

    def __init__(self, path: Path, container: InputContainer, index: FrameIndex) -> None:
        self._path, self._container, self._index = path, container, index
        self._stream = container.streams.video[0]
        # Threads hold frames back, and conceal what is damaged in ways that differ from run to run.
        self._stream.codec_context.thread_count = 1
        self._aspect = _aspect(self._stream)
        self._to_rgb = RgbConverter()
        self._skipping = False

    def number(self, stamp: int) -> int | None:
        """The number in the index of the frame with this stamp."""
        place = int(np.searchsorted(self._index.stamps, stamp))
        known = place < len(self._index.stamps) and self._index.stamps[place] == stamp
        return place if known else None

    def picture(self, number: int, frame: av.VideoFrame) -> DecodedFrame:
        """A frame as an upright picture."""
        pixels = upright(self._to_rgb(frame), frame)
        aspect = 1 / self._aspect if turns_sides(frame) else self._aspect
        return DecodedFrame(number, Image.fromarray(pixels), aspect)

    def frames(self, anchor: int, *, needed: set[int] | None = None) -> Iterator[tuple[int, av.VideoFrame]]:
        """The frames from key frame number ``anchor`` on, or from the start of a file just opened for -1.

        Frames before the key frame in time, which lean on what was not decoded, are left out. They end at a frame
        that is damaged, for which the start of the file may be a better place to begin; from there, it is an error.

        Args:
            anchor: The key frame.
            needed: The numbers of the frames that must come out; others, which no frame leans on, may not. All must
                when omitted.
        """
        index, time, count = self._index, 0.0, 0
        begin = int(index.stamps[min(needed)]) if needed else int(index.stamps[0])
        first: int | None = None
        try:
            for packet in self._packets(anchor):
                if packet is not None and packet.pts is not None:
                    time = self._seconds(packet.pts)
                    first = packet.pts if first is None and anchor >= 0 else first
                    if needed is not None and index.seekable:
                        self._skip(packet.pts < begin or self.number(packet.pts) not in needed)
                for frame in self._stream.decode(packet):
                    stamp = frame.pts if index.seekable else count
                    count += 1
                    if frame.is_corrupt and anchor >= 0:
                        return
                    if frame.is_corrupt:
                        raise damaged(self._path, self._seconds(frame.pts))
                    if stamp is not None and stamp >= begin and (first is None or stamp >= first):
                        yield stamp, frame
        except av.error.FFmpegError as error:
            raise damaged(self._path, time, error.strerror or str(error)) from error

    def _skip(self, skip: bool) -> None:
        """Let the decoder pass over frames that no other leans on, or not."""
        if skip != self._skipping:
            self._stream.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"
            self._skipping = skip

    def _seconds(self, stamp: int | None) -> float:
        """The time of a time stamp, from the first frame on."""
        return 0.0 if stamp is None else float(stamp - self._index.stamps[0]) * self._index.time_base

    def _packets(self, anchor: int) -> Iterator[av.Packet[av.VideoStream] | None]:
        if anchor < 0:
            yield from coded_packets(self._container)
            return
        key, back = int(self._index.keys[anchor]), 0
        while anchor - back >= 0:
            # Demuxers seek by their own clock and may land behind the place: then try from further before it.
            with contextlib.suppress(av.error.FFmpegError):
                self._container.seek(int(self._index.keys[anchor - back]), stream=self._stream, backward=True)
                packets = coded_packets(self._container)
                landed = next(
                    (p for p in packets if p is None or (p.is_keyframe and p.pts is not None)), None
                )
                if landed is not None and landed.pts is not None and landed.pts <= key:
                    yield landed
                    yield from packets
                    return
            back = 2 * back + 1
