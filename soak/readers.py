"""Whatever reads a file that someone else may have made, and whole files for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Reader", "all_readers"]


@dataclass(frozen=True)
class Reader:
    """One way in.

    Attributes:
        name: Name under which it is counted.
        file: Path of the damaged file below the folder that is read.
        samples: Whole files, which are damaged.
        read: Function that reads the file at a path; it returns, or raises ``InputError`` or ``OSError``.
        folder: Folder of the other files that are read along with it; None where it stands alone.
        native: Whether one of the samples is of this reader's own kind, and is read.
        program: Whether the file is a program, which is trusted and may be damaged by accident alone: its checksums are
            not made to agree with what was changed.
    """

    name: str
    file: str
    samples: Sequence[bytes]
    read: Callable[[Path], object]
    folder: Path | None = None
    native: bool = True
    program: bool = False


def all_readers(place: Path) -> list[Reader]:
    """The readers of every installed modality, by suffix, and those of models, factors, codes and what belongs to runs.

    Args:
        place: Folder for the whole files, which is emptied.
    """
    from soak.media_readers import media_readers
    from soak.state_readers import state_readers

    return [*media_readers(place / "media"), *state_readers(place / "state")]
