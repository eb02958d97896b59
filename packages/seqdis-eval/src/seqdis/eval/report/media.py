"""Pictures, clips and sounds of any modality as data URIs."""

from __future__ import annotations

import base64
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality, Panel

__all__ = ["Media", "Showroom", "embed"]

Kind = Literal["image", "video", "audio"]

_TYPES: dict[str, tuple[Kind, str]] = {
    ".png": ("image", "image/png"),
    ".jpg": ("image", "image/jpeg"),
    ".webp": ("image", "image/webp"),
    ".gif": ("image", "image/gif"),
    ".svg": ("image", "image/svg+xml"),
    ".mp4": ("video", "video/mp4"),
    ".webm": ("video", "video/webm"),
    ".flac": ("audio", "audio/flac"),
    ".ogg": ("audio", "audio/ogg"),
    ".mp3": ("audio", "audio/mpeg"),
    ".wav": ("audio", "audio/wav"),
}
_STILL = (".png", ".webp", ".jpg", ".svg")
# Sharp and silent first: a gif keeps every pixel, but grows with the frame; sound: the smaller first.
_MOVING = (".gif", ".mp4", ".webm")
_SOUND = (".flac", ".ogg", ".mp3", ".wav")
_LARGE = 96 * 1024
"""Bytes above which a gif gives way to a video file that is smaller."""


@dataclass(frozen=True)
class Media:
    """Something to see or to hear, inside the page.

    Attributes:
        kind: Kind of element that shows it.
        uri: ``data:<type>;base64,…``.
        alt: Description in words.
        size: Width and height in pixels, where the file's head says it.
        still: A picture that stands in for one that moves, for readers who asked for less motion.
    """

    kind: Kind
    uri: str
    alt: str
    size: tuple[int, int] | None = None
    still: str | None = None


def embed(path: Path, alt: str, *, still: Media | None = None) -> Media:
    """A file as it is.

    Raises:
        InputError: The suffix is none that browsers show, or the file cannot be read.
    """
    if path.suffix.lower() not in _TYPES:
        raise InputError(f"{path}: a page cannot show {path.suffix!r}; allowed: {', '.join(_TYPES)}")
    kind, mime = _TYPES[path.suffix.lower()]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    uri = f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
    return Media(kind, uri, alt, _pixels(content), still.uri if still else None)


def _pixels(content: bytes) -> tuple[int, int] | None:
    if content.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", content[16:24])
    elif content.startswith(b"GIF8"):
        width, height = struct.unpack("<HH", content[6:10])
    else:
        return None
    return width, height


class Showroom:
    """One modality's sequences as a page shows them, by what the modality can write and draw.

    Args:
        modality: Writes and draws.
        data: Data configuration of the run that the sequences come from.
    """

    def __init__(self, modality: Modality, data: DataConfig) -> None:
        self._modality, self._data = modality, data
        self._clip = [suffix for suffix in _MOVING if suffix in modality.writes]
        self._still = [suffix for suffix in _STILL if suffix in modality.pictures]
        self._sound = [suffix for suffix in _SOUND if suffix in modality.writes]
        self._drawn_motion = ".gif" in modality.pictures

    @property
    def moves(self) -> bool:
        """Whether a sequence is a clip that plays by itself."""
        return bool(self._clip) or self._drawn_motion

    def clip(self, frames: Tensor, alt: str) -> Media:
        """A sequence ``(V, *frame)`` that plays.

        Raises:
            InputError: The modality has no such form; see :attr:`moves`.
        """
        with tempfile.TemporaryDirectory(prefix="seqdis-report-") as folder:
            still = None
            if self._still:
                middle = Panel("", frames[len(frames) // 2][None])
                still = embed(self._drawn(Path(folder), [[middle]], self._still[0]), alt)
            if not self._clip:
                if not self._drawn_motion:
                    raise InputError(f"{self._modality.name}: writes and draws nothing that moves")
                return embed(self._drawn(Path(folder), [[Panel("", frames)]], ".gif"), alt, still=still)
            best: Path | None = None
            for suffix in self._clip:
                path = Path(folder, f"clip{suffix}")
                self._modality.write(path, frames, self._data)
                best = path if best is None or path.stat().st_size < best.stat().st_size else best
                if path.stat().st_size <= _LARGE:
                    break
            return embed(best or path, alt, still=still)

    def sound(self, frames: Tensor, alt: str) -> Media | None:
        """A sequence ``(V, *frame)`` to listen to, or None where the modality makes none."""
        if not self._sound:
            return None
        with tempfile.TemporaryDirectory(prefix="seqdis-report-") as folder:
            path = Path(folder, f"sound{self._sound[0]}")
            self._modality.write(path, frames, self._data)
            return embed(path, alt)

    def picture(self, panels: Sequence[Panel], alt: str) -> Media | None:
        """Sequences one above the other on one scale, or None where the modality draws for print alone."""
        if not self._still:
            return None
        with tempfile.TemporaryDirectory(prefix="seqdis-report-") as folder:
            return embed(self._drawn(Path(folder), [[panel] for panel in panels], self._still[0]), alt)

    def _drawn(self, folder: Path, grid: Sequence[Sequence[Panel]], suffix: str) -> Path:
        path = folder / f"picture{suffix}"
        self._modality.draw(path, grid, self._data)
        return path
