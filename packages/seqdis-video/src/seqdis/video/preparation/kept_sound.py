"""The sound of one video file, packet by packet, for another one that is being written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer, OutputContainer

from seqdis.core.errors import InputError
from seqdis.core.reading import one_reason
from seqdis.video.media_input import VIDEOS
from seqdis.video.sound_track import moved_packets

__all__ = ["SoundSource", "SoundTrack"]

_AAC_RATES = (8000, 96000)


@dataclass(frozen=True)
class SoundSource:
    """A video file whose sound is kept, and the time on its clock that is the first picture's, in s."""

    path: Path
    first: float


class SoundTrack:
    """The first sound track of a file, as a stream of another one, if it has any; to be used in a ``with`` statement.

    Packets are copied; only where the new file's kind cannot hold the codec is the sound encoded anew, as AAC. What
    comes before the first picture is left out.

    Args:
        source: The file that has the sound.
        output: The file that is written, nothing of which may be written yet.
    """

    def __init__(self, source: SoundSource, output: OutputContainer) -> None:
        self._source, self._output = source, output
        self._waiting: av.Packet[av.AudioStream] | None = None
        self._packets: Iterator[av.Packet[av.AudioStream]] = iter(())
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._readable():
            container = self._stack.enter_context(
                av.open(str(self._source.path), metadata_errors="ignore", options=dict(VIDEOS))
            )
            if container.streams.audio:
                track = container.streams.audio[0]
                copied = track.codec_context.codec.canonical_name in self._output.supported_codecs
                self._packets = (self._copied if copied else self._encoded)(container, track)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def up_to(self, seconds: float) -> Iterator[av.Packet[av.AudioStream]]:
        """The packets not given yet that begin at ``seconds`` after the first picture, or before.

        Raises:
            InputError: The file is damaged.
        """
        with self._readable():
            while (packet := self._waiting or next(self._packets, None)) is not None:
                begins = float((packet.pts or 0) * packet.time_base)
                self._waiting = packet if begins > seconds else None
                if self._waiting is not None:
                    return
                yield packet

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # what a library throws at a damaged file is not a closed list
            raise InputError(
                f"{self._source.path}: its sound cannot be read: {one_reason(error)}; sound=false leaves it out"
            ) from error

    def _copied(
        self, container: InputContainer, track: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
        stream = self._output.add_stream_from_template(track)
        return moved_packets(container, track, stream, first=self._source.first)

    def _encoded(
        self, container: InputContainer, track: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
        rate = min(max(track.rate, _AAC_RATES[0]), _AAC_RATES[1])
        layout = "stereo" if track.channels > 1 else "mono"
        stream = self._output.add_stream("aac", rate=rate, layout=layout)
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        return self._anew(container, track, stream, resampler)

    def _anew(
        self,
        container: InputContainer,
        track: av.AudioStream,
        stream: av.AudioStream,
        resampler: av.AudioResampler,
    ) -> Iterator[av.Packet[av.AudioStream]]:
        place: int | None = None
        for frame in container.decode(track):
            seconds = (frame.time or 0.0) - self._source.first
            if seconds + frame.samples / frame.sample_rate / 2 < 0:
                continue
            place = round(max(0.0, seconds) * stream.rate) if place is None else place
            for part in resampler.resample(frame):
                part.pts, part.time_base = place, Fraction(1, stream.rate)
                place += part.samples
                yield from stream.encode(part)
        yield from stream.encode(None)
