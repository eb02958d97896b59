"""Whether files are still the same: a hash of their names, sizes and times of change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqdis.core.data.tar_shards import container_of

__all__ = ["digest_of_files", "digest_of_json", "sha256_of"]


def digest_of_json(value: Any) -> str:
    """SHA-256 of plain values, as hexadecimal digits."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(paths: Iterable[Path]) -> str:
    """A hash of the path, the size and the time of change of each file, or of every file of a folder of frames."""
    return digest_of_json([[str(path.absolute()), _state(path)] for path in paths])


def _state(path: Path) -> Any:
    if path.is_dir():
        return [[entry.name, *_state(entry)] for entry in sorted(path.iterdir()) if entry.is_file()]
    status = container_of(path).stat()
    return [status.st_size, status.st_mtime_ns]
