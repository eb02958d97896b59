"""The files that a command leaves, compared with those of a run that nobody disturbed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

__all__ = ["broken_files", "differences", "outcome"]

_OF_THE_CLOCK = ("seconds", "wall_seconds")
"""Entries of JSON files, and names of metrics, that no two runs share."""
_GROWING = ("log.jsonl",)
"""Files that are written line by line, whose cut-off end the next start removes."""


def outcome(folder: Path) -> dict[str, str]:
    """A digest of every file below a folder, by its path; what depends on the clock or the folder's place is left out."""
    return {
        path.relative_to(folder).as_posix(): _digest(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "tensorboard" not in path.parts and not path.name.endswith(".lock")
    }


def differences(expected: dict[str, str], received: dict[str, str]) -> list[str]:
    """What is missing, left over or different, a line each."""
    names = sorted(expected.keys() | received.keys())
    lines = []
    for name in names:
        if name not in received:
            lines.append(f"{name} is missing")
        elif name not in expected:
            lines.append(f"{name} is left over")
        elif received[name] != expected[name]:
            lines.append(f"{name} differs")
    return lines


def broken_files(folder: Path) -> list[str]:
    """Files under their final names that are not whole, which is what a reader must never find."""
    broken = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if hidden or not path.is_file() or "tensorboard" in inside or path.name in _GROWING:
            continue
        if not _is_whole(path):
            broken.append("/".join(inside))
    return broken


def _digest(path: Path, folder: Path) -> str:
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl", ".html"):
        content = content.replace(str(folder).encode(), b"FOLDER")
    if path.suffix == ".json":
        with contextlib.suppress(ValueError):  # what a kill left over may hold nothing
            content = json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
    if path.suffix == ".html":  # it shows durations and a time stamp among all else
        content = b"whole" if _is_whole(path) else b"cut off"
    return hashlib.sha256(content).hexdigest()[:16]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        if str(value.get("name", "")).endswith("_seconds"):
            return value["name"]  # a metric that is a duration
        return {name: _timeless(one) for name, one in value.items() if name not in _OF_THE_CLOCK}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    # Behind the last chunk of a png may be more, which readers pass over.
    if path.suffix == ".png":
        return b"IEND\xaeB`\x82" in content
    ends = {".gif": b";", ".parquet": b"PAR1", ".csv": b"\n"}
    if path.suffix in ends:
        return content.endswith(ends[path.suffix])
    if path.suffix == ".html":
        return re.search(rb"</html>\s*$", content) is not None
    try:
        if path.suffix == ".json":
            json.loads(content)
        elif path.suffix == ".safetensors":
            with safe_open(str(path), framework="np") as file:
                file.keys()
        elif path.suffix == ".npz":
            return zipfile.ZipFile(path).testzip() is None
    except (ValueError, SafetensorError, OSError, zipfile.BadZipFile):
        return False
    return True
