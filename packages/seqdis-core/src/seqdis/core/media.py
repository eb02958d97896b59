"""Writing sequences and pictures of them as files that appear whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.finite import check_finite
from seqdis.core.modality import Modality, Panel

__all__ = ["draw_picture", "draw_pictures", "media_suffix", "write_media"]


def media_suffix(modality: Modality, like: Path) -> str:
    """The suffix of ``like`` where the modality writes it, else the modality's first."""
    suffix = like.suffix.lower()
    return suffix if suffix in modality.writes else modality.writes[0]


def write_media(
    modality: Modality,
    path: Path,
    frames: Tensor,
    data: DataConfig,
    *,
    source: DynamicsSource | None = None,
) -> None:
    """Write one sequence ``(V, *frame)`` as the kind of file that the suffix names.

    Args:
        modality: The modality of the sequence.
        path: The file to write.
        frames: The frames, in natural units.
        data: The run's data settings.
        source: The file that lends the dynamics, whose sound goes along; see :meth:`Modality.write`.

    Raises:
        InputError: The suffix is not one the modality writes, a value is not finite, or the file cannot be written.
    """
    modality.check_suffix(path, modality.writes, "write")
    check_finite(frames, str(path))
    with _replaced(path) as partial:
        modality.write(partial, frames, data, source=source)


def draw_picture(modality: Modality, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
    """Draw rows of panels as one picture.

    Raises:
        InputError: The suffix is not one the modality draws, a value is not finite, or the file cannot be written.
    """
    modality.check_suffix(path, modality.pictures, "draw")
    for panel in (panel for row in grid for panel in row):
        check_finite(panel.frames, f"{path}: {panel.title}")
    with _replaced(path) as partial:
        modality.draw(partial, grid, data)


def draw_pictures(
    modality: Modality, stem: Path, panels: Sequence[Panel], data: DataConfig, *, columns: tuple[int, int]
) -> list[Path]:
    """Draw panels as a still picture and, where the modality has such, as one that moves.

    Args:
        modality: The modality of the sequences.
        stem: The pictures' path without a suffix.
        panels: The panels, in reading order.
        data: The run's data settings.
        columns: Number of panels side by side in the still picture, which shows a sequence as a strip, and in
            the moving one.

    Returns:
        The files that were written.
    """
    written = []
    for suffix, width in zip((modality.pictures[0], ".gif"), columns, strict=True):
        path = stem.with_name(stem.name + suffix)
        if suffix in modality.pictures and path not in written:
            rows = [panels[i : i + width] for i in range(0, len(panels), width)]
            draw_picture(modality, path, rows, data)
            written.append(path)
    return written


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    # A modality of the user's own need not write whole or not at all: this makes any of them do so.
    with replace_file(path) as partial:
        try:
            yield partial
        except InputError as error:
            raise InputError(str(error).replace(str(partial), str(path))) from error
