"""Writing sequences and pictures of them as files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.files import replace_file
from seqdis.core.modality import Modality, Panel

__all__ = ["draw_picture", "media_suffix", "write_media"]


def media_suffix(modality: Modality, like: Path) -> str:
    """The suffix of ``like`` where the modality writes it, else the modality's first."""
    suffix = like.suffix.lower()
    return suffix if suffix in modality.writes else modality.writes[0]


def write_media(modality: Modality, path: Path, frames: Tensor, data: DataConfig) -> None:
    """Write one sequence ``(V, *frame)`` as the kind of file that the suffix names.

    Raises:
        InputError: The suffix is not one the modality writes, or the place cannot be written.
    """
    modality.check_suffix(path, modality.writes, "write")
    with replace_file(path) as partial:
        modality.write(partial, frames, data)


def draw_picture(modality: Modality, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
    """Draw rows of panels as one picture.

    Raises:
        InputError: The suffix is not one the modality draws, or the place cannot be written.
    """
    modality.check_suffix(path, modality.pictures, "draw")
    with replace_file(path) as partial:
        modality.draw(partial, grid, data)
