"""The packing of a file undone for a change and done again, so that what changed reaches the reader behind it.

A stream with a wrong checksum is refused at once, and so are a damaged gzip and a header of the wrong length: without
this, nothing behind them would ever be tried.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

from soak.mutations import mutate

__all__ = ["mutate_inside"]

Inside = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def mutate_inside(content: bytes, draw: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Change a file of any kind: as it is, or, as often, behind its packing."""
    for begins, inside in _INSIDE.items():
        if content.startswith(begins) and draw.random() < 0.6:
            try:
                return inside(content, draw, others)
            except Exception:  # it was damaged before
                break
    size = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and 8 + size <= len(content) and draw.random() < 0.6:
        return _safetensors(content, draw, others)
    return mutate(content, draw, others)


def _gzip(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    return gzip.compress(_grown(mutate(gzip.decompress(content), draw), draw), mtime=0)


def _bzip2(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    return bz2.compress(_grown(mutate(bz2.decompress(content), draw), draw))


def _xz(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    return lzma.compress(_grown(mutate(lzma.decompress(content), draw), draw))


def _grown(content: bytes, draw: random.Random) -> bytes:
    """Now and then so much of the same that the packed file is small and the unpacked one large."""
    return content * draw.choice((1000, 20_000)) if draw.random() < 0.05 and len(content) < 4096 else content


def _zip(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """An archive (npz, TorchScript) of which one part is changed."""
    packed, result = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    names = packed.namelist()
    chosen = draw.choice(names)
    with zipfile.ZipFile(result, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name in names:
            part = packed.read(name)
            if name == chosen:
                part = mutate(part, draw)
                if draw.random() < 0.1:
                    continue
            archive.writestr(name, part)
    return result.getvalue()


def _png(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """A picture of which one chunk is changed, with the checksum that belongs to it."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    chosen = draw.randrange(len(chunks))
    kind, body = chunks[chosen]
    chunks[chosen] = (kind, mutate(body, draw))
    if draw.random() < 0.1:
        draw.shuffle(chunks)
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return content[:8] + b"".join(parts)


def _code_stream(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    body = mutate(content[:-4], draw, [other[:-4] for other in others])
    return body + struct.pack("<I", zlib.crc32(body))


def _safetensors(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """A file of tensors whose header is changed and has the length that it says, or whose numbers are changed."""
    size = int.from_bytes(content[:8], "little")
    header, rest = content[8 : 8 + size], content[8 + size :]
    if draw.random() < 0.75:
        header = mutate(header, draw)
    else:
        rest = mutate(rest, draw)[: len(rest)].ljust(len(rest), b"\0")
    return struct.pack("<Q", len(header)) + header + rest


_INSIDE: dict[bytes, Inside] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ": _xz,
    b"PK\x03\x04": _zip,
    b"\x89PNG": _png,
    b"SQC1": _code_stream,
}
"""The function that changes a packed file behind its packing, by the bytes that it begins with."""
