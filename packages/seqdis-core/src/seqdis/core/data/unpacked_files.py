"""Files of shards, unpacked one by one for the moment in which they are read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from seqdis.core.cache import cache_root
from seqdis.core.data.tar_shards import container_of, packed_file
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

__all__ = ["UNPACKED", "looked_at", "unpack"]

UNPACKED = 4 << 30
"""Bytes of unpacked files that are kept: those used last."""
_SWEEP = 64
"""Parts of :data:`UNPACKED`; each time that one was written, what is too much is taken away."""
_LOOKED_AT = 8
_written = 0


def unpack(path: Path) -> Path:
    """A file on the disk with the content of an input.

    That of a packed file is named after shard, version and name, and lies in the folder of what can be computed again
    (:func:`~seqdis.core.cache.cache_root`), of which the least recently used are removed. It has the size and time of
    change that the shard states, whenever it is unpacked.

    Args:
        path: ``SHARD.tar#NAME``, or a path that exists, which is returned as it is.

    Raises:
        InputError: There is no such file in the shard, or the disk is full.
    """
    global _written
    shard = container_of(path)
    if shard == path:
        return path
    packed = packed_file(path)
    if packed is None:
        raise InputError(f"{path}: no such file in the shard")
    status = shard.stat()
    identity = repr((str(shard.resolve()), status.st_size, status.st_mtime_ns, packed.name))
    name = hashlib.sha256(identity.encode()).hexdigest()
    target = _home() / name[:2] / (name + "".join(Path(packed.name).suffixes[-2:]))
    with contextlib.suppress(OSError):
        os.utime(target, ns=(time.time_ns(), packed.written))
        return target
    with replace_file(target) as partial, shard.open("rb") as source, partial.open("wb") as sink:
        source.seek(packed.offset)
        left = packed.size
        while left and (block := source.read(min(left, 1 << 20))):
            sink.write(block)
            left -= len(block)
        sink.flush()
        os.utime(partial, ns=(time.time_ns(), packed.written))
    _written += packed.size
    if _written > UNPACKED // _SWEEP:
        _written = 0
        _sweep(keep=target)
    return target


def looked_at(paths: Iterable[Path]) -> dict[Path, Path]:
    """Files from which open settings are filled in, each with its input: all on the disk, and a few of those in shards, unpacked."""
    inputs = list(paths)
    packed = [path for path in inputs if container_of(path) != path]
    some = set(packed[:: -(-len(packed) // _LOOKED_AT) or 1])
    return {unpack(path): path for path in inputs if path in some or container_of(path) == path}


def _home() -> Path:
    return cache_root() / "unpacked"


def _sweep(*, keep: Path) -> None:
    """Remove the files that were used longest ago until the rest is small enough."""
    known = []
    for path in _home().glob("*/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            known.append((status.st_atime_ns, status.st_size, path))
    total = sum(size for _, size, _ in known)
    for _, size, path in sorted(known):
        if total <= UNPACKED:
            break
        if path != keep:
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
