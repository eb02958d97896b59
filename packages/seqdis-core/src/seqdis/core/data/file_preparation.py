"""The interface by which a modality prepares one file for training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqdis.core.base_config import Config

__all__ = ["FilePreparation"]


class FilePreparation(ABC):
    """A way to make of one file another one that is quicker to learn from.

    Subclasses are frozen dataclasses, picklable, for files are prepared in several processes.

    Attributes:
        options: The validated settings.
    """

    options: Config

    @abstractmethod
    def suffix(self, source: Path) -> str:
        """The suffix of what is made of a file, with the dot; ``""`` for a folder of files."""

    @abstractmethod
    def prepare(self, source: Path, target: Path) -> Mapping[str, Any]:
        """Read a file and write what is made of it.

        Args:
            source: The file, or a folder of frames.
            target: The file to write, with the suffix of :meth:`suffix`, or the folder to make. Nothing is there yet,
                and what is left when an error is raised is taken away.

        Returns:
            Notes about the file as plain JSON values, such as the region that was cut out.

        Raises:
            InputError: The file cannot be used, or nothing in it is wanted.
        """
