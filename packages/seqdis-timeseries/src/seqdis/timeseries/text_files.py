"""The text of a file, decompressed and decoded."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqdis.core.errors import InputError
from seqdis.core.limits import allowed_content, check_claim

__all__ = ["COMPRESSIONS", "read_text"]

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""What some programs write at the start of a file, and the encoding that it stands for."""


_BLOCK = 1 << 20


def _open_zstd(path: Path) -> Any:
    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


COMPRESSIONS: Mapping[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zstd,
}
"""The function that opens a file to be unpacked as it is read, by its last suffix."""


def _content(path: Path) -> bytes:
    """The bytes of a file, unpacked, as many as a file of its size may hold."""
    opened = COMPRESSIONS.get(path.suffix.lower())
    if opened is None:
        return path.read_bytes()
    size, content = path.stat().st_size, bytearray()
    with opened(path) as file:
        while (part := file.read(_BLOCK)) and len(content) <= allowed_content(size):
            content += part
    check_claim(path, len(content), size, what="bytes or more")
    return bytes(content)


def read_text(path: Path, *, encoding: str = "utf-8") -> str:
    """Read a text file, compressed or not; a byte order mark takes precedence over ``encoding``.

    Raises:
        InputError: The encoding is unknown, or the file is of another one.
        OSError, EOFError, ValueError, lzma.LZMAError, zlib.error: The file is missing or damaged.
    """
    content = _content(path)
    for mark, marked in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            encoding = marked
    try:
        text = content.decode(encoding)
    except LookupError:
        raise InputError(
            f"{path}: unknown encoding={encoding}; allowed: utf-8, utf-16, latin-1, cp1252, …"
        ) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: is not in {encoding} (byte 0x{content[error.start]:02x} in line {line}); allowed: another "
            "encoding, such as encoding=cp1252 (Western Europe), cp1251, gbk"
        ) from error
    if "\x00" in text:
        raise InputError(f"{path}: holds NUL characters; allowed: text, or encoding=utf-16-le, utf-16-be")
    return text.replace("\r\n", "\n").replace("\r", "\n")
