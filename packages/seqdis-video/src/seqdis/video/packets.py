"""The packets of a video stream: what a file tells of its frames without being decoded."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from seqdis.core.errors import InputError

__all__ = ["PacketTable", "coded_packets", "read_packets"]

_ONE_FRAME_EACH = frozenset(
    ["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg1video", "mpeg2video", "mjpeg", "png", "prores", "dnxhd",
     "ffv1", "huffyuv", "ffvhuff", "rawvideo", "utvideo", "flv1", "h263", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2",
     "theora", "qtrle", "cinepak"]
)  # fmt: skip
"""Codecs of which a packet holds one frame; others are decoded once to be counted."""
_WHOLE_PICTURES = (0, 1)
"""Field orders (unknown, progressive) where no packet holds a half picture."""
_VP8_SHOWN = 0x10
"""The bit of a VP8 frame's first byte that is unset for one that others refer to and nobody sees."""
_DEFAULT_RATE = 25.0


@dataclass(frozen=True, eq=False, kw_only=True)
class PacketTable:
    """The packets of a file's first video stream.

    Attributes:
        shown: Presentation time stamps of those that are shown, in increasing order, ``(N,)``.
        keys: Presentation time stamps of the key frames, ``(K,)``.
        certain: Whether each shown packet is one frame that its stamp finds.
        ordered: Whether every packet has a stamp of its own, and those of the key frames increase.
        last_duration: The duration of the last frame, in units of the time base; 0 if it is not said.
        time_base: Seconds of one unit.
        rate: Frames a second, as the file says.
        first: The first frame, decoded; None if there was none.
        digest: SHA-256 of the packets of the stream.
    """

    shown: np.ndarray
    keys: np.ndarray
    certain: bool
    ordered: bool
    last_duration: int
    time_base: Fraction
    rate: float
    first: av.VideoFrame | None
    digest: str


def read_packets(path: Path, container: InputContainer) -> PacketTable:
    """Read all packets of an open file.

    Raises:
        InputError: The file ends before the time that its header promises, or holds no frame.
    """
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # several would hold the first frame back
    codec = stream.codec_context.name
    shown, keys = list[int | None](), list[int | None]()
    durations: dict[int | None, int] = {}
    content = hashlib.sha256()
    first: av.VideoFrame | None = None
    span = _Span()
    for packet in container.demux():
        # The packets of size 0 at the end flush the decoders; those of sound may name the picture's stream.
        if not packet.size:
            continue
        span.add(packet)
        if packet.stream_index != stream.index:
            continue
        bytes_of = memoryview(packet)
        content.update(bytes_of)
        if packet.is_keyframe:
            keys.append(packet.pts)
        if not packet.is_discard and not (codec == "vp8" and not bytes_of[0] & _VP8_SHOWN):
            shown.append(packet.pts)
            durations[packet.pts] = packet.duration or 0
        if first is None:
            first = next(iter(stream.decode(packet)), None)
    if first is None:
        first = next(iter(stream.decode(None)), None)
    span.check(path, container, frames=len(shown) if first is not None else 0)
    stamps = sorted(stamp for stamp in shown if stamp is not None)
    known_keys = [key for key in keys if key is not None]
    ordered = (
        len(stamps) == len(shown) == len(set(stamps))
        and len(known_keys) == len(keys) > 0
        and all(a < b for a, b in itertools.pairwise(known_keys))
    )
    certain = (
        ordered
        and codec in _ONE_FRAME_EACH
        and getattr(stream.codec_context, "field_order", 0) in _WHOLE_PICTURES
        and stamps[0] >= known_keys[0]
    )
    return PacketTable(
        shown=np.array(stamps, dtype=np.int64),
        keys=np.array(sorted(known_keys), dtype=np.int64),
        certain=certain,
        ordered=ordered,
        last_duration=durations[stamps[-1]] if stamps else 0,
        time_base=stream.time_base or Fraction(1, av.time_base),
        rate=float(stream.average_rate or _DEFAULT_RATE),
        first=first,
        digest=content.hexdigest(),
    )


def coded_packets(container: InputContainer) -> Iterator[av.Packet[av.VideoStream] | None]:
    """The packets of the first video stream from where the file stands, and None at its end, as decoders expect."""
    for packet in container.demux(container.streams.video[0]):
        if packet.size:  # an empty one would end the decoding
            yield packet
    yield None


class _Span:
    """The time between the first and the last packet of all streams."""

    def __init__(self) -> None:
        self._start, self._end = float("inf"), 0.0
        self._damaged = False

    def add(self, packet: av.Packet[Any]) -> None:
        self._damaged |= packet.is_corrupt
        if packet.pts is not None and packet.time_base is not None:
            self._start = min(self._start, float(packet.pts * packet.time_base))
            self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))

    def check(self, path: Path, container: InputContainer, *, frames: int) -> None:
        # mkv and webm end quietly where the file was cut: only the length that the header promises tells. It counts
        # from the first packet in some containers, and from time 0 in others.
        rate = float(container.streams.video[0].average_rate or _DEFAULT_RATE)
        promised = (container.duration or 0) / av.time_base
        start = (container.start_time or 0) / av.time_base
        matroska = "matroska" in container.format.name
        got = self._end if matroska else self._end - start
        slack = 1.5 / rate + 0.04  # the last packet may not say how long it lasts
        if self._damaged or not frames or got + slack < promised:
            raise InputError(
                f"{path}: the video is cut short: {got:.2f} s of {promised:.2f} s can be read ({frames} frames)"
            )
