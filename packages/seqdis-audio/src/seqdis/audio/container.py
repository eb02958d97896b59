"""Detects sound files that are cut off, which libsndfile reads as far as they go without an error."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from seqdis.audio.mpeg import lacks_mpeg_frames

__all__ = ["is_cut_off"]

# Writers to a pipe leave the size open with one of these, or with 0.
_OPEN_SIZE = 0x7FFFF000
_LARGEST_OGG_PAGE = 27 + 255 + 255 * 255


def is_cut_off(path: Path) -> bool:
    """Whether the file holds fewer bytes than it declares; False for kinds that do not, or that other means check.

    The chunk with the samples names its size in wav, RF64, w64, aiff, svx and caf; au, sph and voc do so in their
    headers; an Ogg file is whole pages from end to end, and an mp3 names its size or is whole frames.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(20)
        file.seek(0)
        for start, lacks in _KINDS.items():
            if magic.startswith(start):
                return lacks(file, total)
    return False


def _lacks_chunk(file: BinaryIO, total: int, *, order: str, names: tuple[bytes, ...]) -> bool:
    """Chunks of a name, a size of 32 bits and an even number of bytes: RIFF and FORM."""
    file.seek(12)
    long_size = 0
    while len(header := file.read(8)) == 8:
        kind, size = struct.unpack(f"{order}4sI", header)
        if kind == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
            file.seek(size - 16, 1)
        elif kind in names:
            size = long_size if size == 0xFFFFFFFF and long_size else size
            return size > 0 and (size < _OPEN_SIZE or size == long_size) and file.tell() + size > total
        else:
            file.seek(size + size % 2, 1)
    return True


def _lacks_riff(file: BinaryIO, total: int) -> bool:
    return _lacks_chunk(file, total, order="<", names=(b"data",))


def _lacks_rifx(file: BinaryIO, total: int) -> bool:
    return _lacks_chunk(file, total, order=">", names=(b"data",))


def _lacks_form(file: BinaryIO, total: int) -> bool:
    return _lacks_chunk(file, total, order=">", names=(b"SSND", b"BODY"))


def _lacks_w64(file: BinaryIO, total: int) -> bool:
    file.seek(40)
    while len(header := file.read(24)) == 24:
        size = int.from_bytes(header[16:], "little")
        if header.startswith(b"data"):
            return file.tell() - 24 + size > total
        if not 24 <= size <= total:
            return True
        file.seek(-(-size // 8) * 8 - 24, 1)
    return True


def _lacks_caf(file: BinaryIO, total: int) -> bool:
    file.seek(8)
    while len(header := file.read(12)) == 12:
        kind, size = struct.unpack(">4sq", header)
        if kind == b"data":
            return file.tell() + size > total
        if not 0 <= size <= total:
            return True
        file.seek(size, 1)
    return True


def _lacks_au(file: BinaryIO, total: int) -> bool:
    header = file.read(12)
    if len(header) < 12:
        return True
    offset, size = struct.unpack(">II" if header.startswith(b".snd") else "<II", header[4:])
    return size < _OPEN_SIZE and offset + size > total


def _lacks_sphere(file: BinaryIO, total: int) -> bool:
    header = file.read(1 << 16)
    fields = {name: int(value) for name, value in re.findall(rb"(\w+) -\w+ (\d+)", header)}
    start = re.match(rb"NIST_1A\s+(\d+)", header)
    per_sample = fields.get(b"sample_n_bytes", 2) * fields.get(b"channel_count", 1)
    return start is None or int(start[1]) + fields.get(b"sample_count", 0) * per_sample > total


def _lacks_voc(file: BinaryIO, total: int) -> bool:
    header = file.read(22)
    if len(header) < 22:
        return True
    file.seek(int.from_bytes(header[20:], "little"))
    while len(block := file.read(4)) == 4 and block[0] != 0:
        file.seek(int.from_bytes(block[1:], "little"), 1)
    return file.tell() > total


def _lacks_ogg(file: BinaryIO, total: int) -> bool:
    file.seek(max(0, total - _LARGEST_OGG_PAGE))
    tail = file.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    lacings = page[27 : 27 + page[26]] if len(page) > 26 else b""
    return len(page) < 27 or len(page) < 27 + page[26] + sum(lacings)


_KINDS: Mapping[bytes, Callable[[BinaryIO, int], bool]] = {
    b"RIFF": _lacks_riff,
    b"RF64": _lacks_riff,
    b"BW64": _lacks_riff,
    b"RIFX": _lacks_rifx,
    b"FORM": _lacks_form,
    b"riff": _lacks_w64,
    b"caff": _lacks_caf,
    b".snd": _lacks_au,
    b"dns.": _lacks_au,
    b"NIST_1A": _lacks_sphere,
    b"Creative Voice File": _lacks_voc,
    b"OggS": _lacks_ogg,
    b"ID3": lacks_mpeg_frames,
    b"\xff": lacks_mpeg_frames,
}
"""What tells that bytes are missing, by the bytes that a kind of file starts with."""
