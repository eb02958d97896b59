"""Weight files of feature networks: where they are looked for, and how they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.cache import cache_root
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.reading import readable

__all__ = ["WeightFile", "read_state_dict", "weight_folders"]


@dataclass(frozen=True)
class WeightFile:
    """A file of weights that others publish; nothing here fetches it.

    Attributes:
        name: Name of the file.
        network: Description of the network in words.
        source: Address to get the weights from.
        sha256: The beginning of its SHA-256, as far as it was published (torch.hub writes it into the name).
    """

    name: str
    network: str
    source: str
    sha256: str = ""

    def find(self, given: Path | None = None) -> Path:
        """The file itself, its checksum compared.

        Args:
            given: Path that an option gives; else :func:`weight_folders` are looked through.

        Raises:
            InputError: The file is missing (the message says where it was looked for and where to get it), or is another one.
        """
        files = [given] if given is not None else [folder / self.name for folder in weight_folders()]
        existing = next((file for file in files if file.is_file()), None)
        if existing is None:
            proof = f", SHA-256 {self.sha256}…" if self.sha256 else ""
            raise InputError(
                f"{self.network}: no weights {self.name}{proof}; looked for {', '.join(map(str, files))}; "
                f"get it from {self.source}"
            )
        if self.sha256:
            with existing.open("rb") as file:
                received = hashlib.file_digest(file, "sha256").hexdigest()
            if not received.startswith(self.sha256):
                raise InputError(
                    f"{existing}: SHA-256 {received[: len(self.sha256)]}…; {self.network} needs {self.sha256}…"
                )
        return existing


def weight_folders() -> list[Path]:
    """Folders in which weights are looked for: ``SEQDIS_CACHE/hub/checkpoints``, then torch.hub's own folder."""
    return [cache_root() / "hub" / "checkpoints", Path(torch.hub.get_dir()) / "checkpoints"]


def read_state_dict(path: Path) -> Mapping[str, Tensor]:
    """Tensors by name from a ``.pth`` file, by torch's reader that builds tensors and nothing else.

    Raises:
        InputError: The file cannot be read so, holds something else, or a value that is not finite.
    """
    with readable(path, "weights"):
        # These files exist in this form only. `weights_only` refuses every other object than tensors.
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: holds {type(state).__name__}; allowed: tensors by name")
    for name, value in state.items():
        check_finite(value, f"{path}: {name}")
    return dict(state)
