"""The sound of one video file in another, packet by packet, without decoding."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer, OutputContainer

from seqdis.video.containers import open_container
from seqdis.video.playback import SoundSpan

__all__ = ["copy_sound", "moved_packets"]

_logger = logging.getLogger(__name__)


def copy_sound(span: SoundSpan, output: OutputContainer) -> list[av.Packet[av.AudioStream]]:
    """The packets of a stretch of a file's first sound track, for a new stream of an open file.

    A packet belongs to the stretch where its middle does. There are none where the file is silent, or where the new
    file's kind cannot hold its codec, which is logged.

    Args:
        span: The stretch of sound.
        output: The file that is written; it gets the stream.

    Raises:
        InputError: The file is damaged.
    """
    with open_container(span.path) as container:
        if not container.streams.audio:
            return []
        track = container.streams.audio[0]
        codec = track.codec_context.codec.canonical_name
        if codec not in output.supported_codecs:
            kind = output.format.name
            _logger.warning("%s: its sound (%s) is left out: %s cannot hold it", span.path, codec, kind)
            return []
        stream = output.add_stream_from_template(track)
        return list(moved_packets(container, track, stream, first=span.first, last=span.last))


def moved_packets(
    container: InputContainer,
    track: av.AudioStream,
    stream: av.AudioStream,
    *,
    first: float,
    last: float = math.inf,
) -> Iterator[av.Packet[av.AudioStream]]:
    """The packets of a stretch of a sound track, for a stream of another file in which the stretch begins at 0.

    Args:
        container: File that has the track.
        track: Sound track of that file.
        stream: The stream of the other file.
        first: Begin of the stretch, in s; a packet belongs to it where its middle does.
        last: End of the stretch, in s.
    """
    base = track.time_base or Fraction(1, av.time_base)
    shift = round(first / base)
    for packet in container.demux(track):
        if packet.pts is None or not packet.size:
            continue
        middle = float((packet.pts + (packet.duration or 0) / 2) * base)
        if middle >= last:
            break
        if middle < first:
            continue
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = stream
        yield packet
