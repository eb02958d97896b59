"""Detects wav and ogg files that are cut off, which libsndfile reads without an error."""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["is_cut_off"]

# Writers to a pipe leave the size open with one of these, or with 0.
_OPEN_SIZE = 0x7FFFF000
_LARGEST_OGG_PAGE = 27 + 255 + 255 * 255


def is_cut_off(path: Path) -> bool:
    """Whether the file holds fewer bytes than it declares; False for kinds that other means check.

    A RIFF file's ``data`` chunk names its size; an Ogg file is whole pages from end to end.
    """
    with path.open("rb") as file:
        magic = file.read(12)
        if magic[:4] == b"RIFF" and magic[8:] == b"WAVE":
            total = path.stat().st_size
            while len(header := file.read(8)) == 8:
                kind, size = struct.unpack("<4sI", header)
                if kind == b"data":
                    return 0 < size < _OPEN_SIZE and file.tell() + size > total
                file.seek(size + size % 2, 1)
            return True
        if magic[:4] == b"OggS":
            file.seek(max(0, path.stat().st_size - _LARGEST_OGG_PAGE))
            tail = file.read()
            page = tail[max(tail.rfind(b"OggS"), 0) :]
            lacings = page[27 : 27 + page[26]] if len(page) > 26 else b""
            return len(page) < 27 or len(page) < 27 + page[26] + sum(lacings)
    return False
