"""The record of what was prepared in a folder, which a later call goes on from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.reading import readable

__all__ = ["FAILED_FILE", "PREPARED_FILE", "PreparedRecord", "source_version"]

PREPARED_FILE = "prepared.jsonl"
FAILED_FILE = "failed.json"
_FORMAT = 1


def source_version(path: Path) -> str:
    """A hash of the size and the time of change of a file, or of all files directly in a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    known = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


@dataclass
class PreparedRecord:
    """A record of what was prepared in a folder: a line of JSON for the settings, then one for each file.

    A line is written when its file is complete. The last line may be cut short by a kill: its file is prepared anew.

    Attributes:
        folder: The folder of the results.
        settings: The modality and its settings.
        files: The source, its version and notes of each prepared file, by its path below the folder.
    """

    folder: Path
    settings: Mapping[str, Any]
    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> PreparedRecord | None:
        """Read the record of a folder; None where there is none.

        Raises:
            InputError: The record is damaged, or of another version.
        """
        path = folder / PREPARED_FILE
        if not path.is_file():
            return None
        with readable(path, "the record of a preparation", hint="; --force prepares all files anew"):
            lines = path.read_text(encoding="utf-8").split("\n")
            head = json.loads(lines[0])
            if head["format"] != _FORMAT:
                raise InputError(f"{path}: has format {head['format']!r:.80}; this version reads {_FORMAT}")
            record = cls(folder, head["settings"])
            for line in lines[1:-1]:  # behind the last line break stands nothing, or a line cut short
                entry = json.loads(line)
                record.files[entry.pop("file")] = entry
        return record

    def write(self) -> None:
        """Write the whole record."""
        with (
            replace_file(self.folder / PREPARED_FILE) as partial,
            partial.open("w", encoding="utf-8") as file,
        ):
            file.write(json.dumps({"format": _FORMAT, "settings": self.settings}) + "\n")
            for name, entry in self.files.items():
                file.write(_line(name, entry))

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Note a file that is complete.

        Raises:
            InputError: The disk is full.
        """
        path = self.folder / PREPARED_FILE
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(_line(name, entry))
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
        self.files[name] = entry


def _line(name: str, entry: Mapping[str, Any]) -> str:
    return json.dumps({"file": name, **entry}) + "\n"
