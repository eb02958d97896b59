"""The frames of an mp3, from their headers: whether the file holds as many bytes as they say."""

from __future__ import annotations

from typing import BinaryIO

__all__ = ["lacks_mpeg_frames"]

_KBPS = {
    # Of version 1 by layer, then of versions 2 and 2.5 by layer: ISO 11172-3 and 13818-3, Table B.1.
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"3DI", b"LYRICS")
"""What may stand behind the last frame."""


def lacks_mpeg_frames(file: BinaryIO, total: int) -> bool:
    """Whether an mp3 ends before the size in its first frame (Xing, Info), or within its last frame.

    A file without that size that was cut between two frames cannot be told from a whole one.

    Args:
        file: The open file.
        total: Size of the file in bytes.
    """
    file.seek(0)
    start = 0
    while (tag := file.read(10))[:3] == b"ID3" and len(tag) == 10:
        # Seven bits of each byte count.
        start += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
        start += 10 if tag[5] & 0x10 else 0
        file.seek(start)
    if start > total:
        return True
    file.seek(start)
    first = file.read(4)
    length = _frame_length(first)
    if length is None:
        return False  # not a frame where one is expected: for libsndfile to judge
    if (declared := _declared_size(first + file.read(length - 4))) is not None:
        return start + declared > total
    while length is not None:
        start += length
        file.seek(start)
        length = _frame_length(header := file.read(4))
    # Zeros, tags and anything else may follow the last whole frame.
    return start > total or (0 < len(header) < 4 and header[0] == 0xFF)


def _frame_length(header: bytes) -> int | None:
    """The bytes of the frame with this header of 4 bytes; None if it is none, or of free format."""
    if len(header) < 4 or header.startswith(_TAGS) or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate_index, bitrate = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or layer == 4 or rate_index == 3 or bitrate in (0, 15):
        return None
    rate, padding = _RATES[version][rate_index], header[2] >> 1 & 1
    bits = 1000 * _KBPS[1 if version == 3 else 2, layer][bitrate]
    if layer == 1:
        return (12 * bits // rate + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // rate + padding


def _declared_size(frame: bytes) -> int | None:
    """The file's size in bytes from its first frame on, if that frame carries Xing's header."""
    at = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if at < 0 or len(frame) < at + 16:
        return None
    flags = int.from_bytes(frame[at + 4 : at + 8])
    if not flags & 2:
        return None
    place = at + 8 + (4 if flags & 1 else 0)
    return int.from_bytes(frame[place : place + 4])
