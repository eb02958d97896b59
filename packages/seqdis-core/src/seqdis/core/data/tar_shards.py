"""Tar shards in the layout of WebDataset: files of one sample lie side by side and share a name up to the first dot.

A file in a shard is an input like any other and is named ``SHARD.tar#NAME``. Such a path exists nowhere;
:mod:`seqdis.core.data.unpacked_files` makes a file of it for the moment in which it is read.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError

__all__ = [
    "BESIDE",
    "SHARD_EXTRA",
    "PackedFile",
    "container_of",
    "expand_shards",
    "has_shards",
    "is_shard",
    "is_there",
    "labels_of",
    "packed_file",
    "packed_files",
]

_SHARD = ".tar"
SHARD_EXTRA = "pip install 'seqdis-core[shards]'"
BESIDE = (".json", ".cls", ".txt")
"""Files of a sample that say something of it: its metadata, its class, its text."""


@dataclass(frozen=True)
class PackedFile:
    """A file in a shard.

    Attributes:
        name: Name of the file in the shard.
        sample: Name that all files of one sample share.
        offset: Place of the first byte in the shard.
        size: Size in bytes.
        written: Time of the last change, in nanoseconds.
    """

    name: str
    sample: str
    offset: int
    size: int
    written: int


def is_shard(path: Path) -> bool:
    """Whether a path is that of a shard, or of several by ``{000..099}``."""
    return path.name.lower().endswith(_SHARD)


def has_shards() -> bool:
    """Whether the package that shards need is installed."""
    return importlib.util.find_spec("webdataset") is not None


def expand_shards(path: Path) -> list[Path]:
    """The shards that ``train-{000..099}.tar`` stands for, as in WebDataset; a path without braces is one.

    Raises:
        InputError: The package ``webdataset`` is not installed, or the braces mean nothing.
    """
    if not has_shards():
        raise InputError(f"{path}: the package webdataset is not installed; {SHARD_EXTRA}")
    if path.exists():
        return [path]
    from webdataset.shardlists import expand_urls

    try:
        return [Path(text) for text in expand_urls(str(path))]
    except ValueError as error:
        raise InputError(f"{path}: {error}; allowed: a form such as train-{{000..099}}.tar") from error


def is_there(path: Path) -> bool:
    """Whether a file or folder exists, or every shard that a path stands for.

    Raises:
        InputError: The package ``webdataset`` is not installed, or braces mean nothing.
    """
    return path.exists() or (is_shard(path) and all(one.exists() for one in expand_shards(path)))


def packed_files(shard: Path) -> Mapping[str, PackedFile]:
    """All files in a shard, by name, in their order.

    Raises:
        InputError: The shard is missing, damaged, cut short, or compressed.
    """
    try:
        status = shard.stat()
    except OSError as error:
        raise InputError(f"{shard}: no such file or folder") from error
    return _listed(shard, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _listed(shard: Path, size: int, written: int) -> Mapping[str, PackedFile]:
    from webdataset.tariterators import base_plus_ext

    files: dict[str, PackedFile] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for entry in archive:
                sample, kind = base_plus_ext(entry.name)
                if not entry.isreg() or not kind or Path(entry.name).name.startswith("."):
                    continue
                if entry.name.startswith("/") or ".." in Path(entry.name).parts:
                    raise ValueError(f"{entry.name!r} is a name outside of it")
                if entry.offset_data + entry.size > size:
                    raise tarfile.ReadError(f"{entry.name} ends behind the end of the file")
                stamp = int(float(entry.mtime) * 1_000_000_000)
                files[entry.name] = PackedFile(entry.name, sample, entry.offset_data, entry.size, stamp)
    except Exception as error:  # what a library throws at a damaged file is not a closed list
        raise InputError(
            f"{shard}: is no whole, uncompressed tar file ({error or type(error).__name__})"
        ) from error
    return files


def container_of(path: Path) -> Path:
    """The file on the disk that an input lies in: the shard of a packed file, else the input itself."""
    shard, mark, _ = str(path).partition(f"{_SHARD}#")
    return Path(shard + _SHARD) if mark and not path.exists() else path


def packed_file(path: Path) -> PackedFile | None:
    """The file in a shard that ``SHARD.tar#NAME`` names; None for a path of another form, or where it is not there.

    Raises:
        InputError: The shard cannot be read.
    """
    shard = container_of(path)
    if shard == path or not shard.is_file():
        return None
    return packed_files(shard).get(str(path)[len(str(shard)) + 1 :])


def labels_of(path: Path, fields: Sequence[str]) -> dict[str, str]:
    """The labels of a packed file: the content of ``SAMPLE.cls``, and fields of ``SAMPLE.json``.

    Args:
        path: ``SHARD.tar#NAME``.
        fields: The names of the fields that are labels.

    Raises:
        InputError: A field is missing or is no single text or number, or the file that holds it is damaged.
    """
    shard, packed = container_of(path), packed_file(path)
    if packed is None:
        return {}
    beside = packed_files(shard)
    labels: dict[str, str] = {}
    if named := beside.get(f"{packed.sample}.cls"):
        labels["cls"] = _text(shard, named)
    if not fields:
        return labels
    known = beside.get(f"{packed.sample}.json")
    if known is None:
        raise InputError(
            f"{path}: no {packed.sample}.json lies beside it; label_fields={','.join(fields)} needs one"
        )
    try:
        content: Any = json.loads(_text(shard, known))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shard}#{known.name}: cannot be read as JSON: {error}") from error
    for field in fields:
        value = content.get(field) if isinstance(content, dict) else None
        if not isinstance(value, str | int | float):
            names = ", ".join(sorted(content)) if isinstance(content, dict) else type(content).__name__
            raise InputError(f"{shard}#{known.name}: no text or number {field!r}; it holds: {names}")
        labels[field] = str(value)
    return labels


def _text(shard: Path, packed: PackedFile) -> str:
    with shard.open("rb") as file:
        file.seek(packed.offset)
        try:
            return file.read(packed.size).decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise InputError(f"{shard}#{packed.name}: is no text in UTF-8: {error}") from error
